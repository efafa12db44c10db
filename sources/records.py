"""Records in flight: a slab is one response, a row is one record in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .errors import Fault

Record = Mapping[str, object]
"""A record in canonical spelling: the standard's property names, lower-case ids without braces, zoned date-times."""


class View(StrEnum):
    """Which kind of call a record came by; sources differ in what they then send."""

    LIST = "list"
    GET = "get"
    LOOKUP = "lookup"
    EMBEDDED = "embedded"


@dataclass(slots=True, eq=False)
class Slab:
    """One response of a source, decoded and canonical. ``ids`` and ``records`` run in parallel.

    ``raw(index)`` gives the record as the source sent it, decoded anew from ``body``.
    """

    source: str
    resource: str
    view: View
    expand: frozenset[str]
    fetched_at: datetime
    from_cache: bool
    ids: Sequence[str]
    records: Sequence[Record]
    raw: Callable[[int], object]
    issues: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Per index, what was wrong with the record, e.g. ``emails: expected a list``; never a value."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One record of a slab."""

    slab: Slab
    index: int

    @property
    def id(self) -> str:
        return self.slab.ids[self.index]

    @property
    def record(self) -> Record:
        return self.slab.records[self.index]

    @property
    def source(self) -> str:
        return self.slab.source


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source gave, and what of it is missing. ``next`` is the page token of a page that is not the last."""

    slabs: tuple[Slab, ...] = ()
    faults: tuple[Fault, ...] = ()
    next: str | None = None
