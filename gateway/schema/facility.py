"""Room and Resource."""

from __future__ import annotations

from .types import entity


@entity("Room")
class Room:
    pass


@entity("Resource")
class Resource:
    pass
