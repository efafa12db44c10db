"""Finding out by harmless reads what a source really does."""

from __future__ import annotations

from .findings import Finding, Open, Probed, section
from .probe import probe

__all__ = ["Finding", "Open", "Probed", "probe", "section"]
