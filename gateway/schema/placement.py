"""Placement."""

from __future__ import annotations

from .types import entity


@entity("Placement")
class Placement:
    pass
