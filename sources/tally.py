"""Counts the calls to sources that a piece of work makes, where somebody asks for it: counts, and nothing else.

A tally belongs to whoever began the work, and to all tasks that it begins: what several want at the same time is one
call, and counts for the first of them.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """``calls``: HTTP calls by source. ``hits``: pages, and records asked for by their ids, that were kept already.

    ``gets``: how many of the calls were for a single record.
    """

    calls: dict[str, int] = field(default_factory=dict)
    hits: int = 0
    gets: int = 0

    def called(self, source: str, operation: str) -> None:
        self.calls[source] = self.calls.get(source, 0) + 1
        self.gets += operation == "get"


counting: ContextVar[Tally | None] = ContextVar("counting", default=None)
"""The tally of the work under way; None where nobody counts."""


def hit(count: int = 1) -> None:
    """Something was kept."""
    tally = counting.get()
    if tally is not None:
        tally.hits += count
