"""Records in flight: a slab is one response, a row is one record in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from .errors import Fault

if TYPE_CHECKING:
    from .walks import Walk

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
    embedded: Mapping[str, Embedded] = field(default_factory=dict)
    """Per expand that was asked for, what the records carried in ``_embedded``."""
    local_ids: Sequence[str] | None = None
    """The source's own ids, where ``ids`` and the records were translated into others."""
    unusable: int = 0
    """How many records of the response are not here: no objects, or without a usable id."""


@dataclass(slots=True, eq=False)
class Embedded:
    """What one expand put into the records of a slab (their parents).

    ``slab`` holds the embedded records of all parents, flat, with ``View.EMBEDDED``. ``elements`` runs parallel to it:
    the object that each record stood in (``{person, relationType}``), or the record itself where the expand gives
    records. ``children`` gives per index of a parent the indexes into both; a parent that is not in it was sent
    without the expand, which is not the same as having none.
    """

    slab: Slab
    elements: Sequence[Record]
    children: Mapping[int, Sequence[int]]

    def of(self, parent: int) -> list[tuple[Row, Record]] | None:
        """The rows embedded in one parent, each with its element; None where the source did not send the expand."""
        indexes = self.children.get(parent)
        return None if indexes is None else [(Row(self.slab, index), self.elements[index]) for index in indexes]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One record of a slab."""

    slab: Slab
    index: int

    @property
    def id(self) -> str:
        return self.slab.ids[self.index]

    @property
    def local_id(self) -> str:
        """The id by which its source knows the record."""
        return (self.slab.local_ids or self.slab.ids)[self.index]

    @property
    def record(self) -> Record:
        return self.slab.records[self.index]

    @property
    def source(self) -> str:
        return self.slab.source


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source gave, and what of it is missing. ``next`` is the page token of a page that is not the last.

    ``walk``, of a scan: where the records stand, instead of slabs.
    """

    slabs: tuple[Slab, ...] = ()
    faults: tuple[Fault, ...] = ()
    next: str | None = None
    walk: Walk | None = None


@dataclass(frozen=True, slots=True)
class DeletedAnswer:
    """What a source says is deleted: canonical ids per resource name. ``read_at`` is when the reading began."""

    ids: Mapping[str, frozenset[str]]
    read_at: datetime
    faults: tuple[Fault, ...] = ()
