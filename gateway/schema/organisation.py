"""Organisation."""

from __future__ import annotations

from .types import entity


@entity("Organisation")
class Organisation:
    pass
