"""Grade."""

from __future__ import annotations

from .types import entity


@entity("Grade")
class Grade:
    pass
