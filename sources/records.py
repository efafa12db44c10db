"""Records in flight: a slab is one response, a row is one record in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import UNSET

from .decoding import Decoded, build
from .errors import Fault
from .shape import Shape

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


Whole = tuple[Sequence[Record], Mapping[int, tuple[str, ...]]]
"""All of some records, and per index what was wrong with one, e.g. ``emails: expected a list``; never a value."""


class Slab:
    """One response of a source, canonical. Its records are read from the bytes when they are asked for: whole, or
    (``columns``) no more than what somebody needs of them.

    ``ids`` run in parallel to both. ``raw(index)`` gives the record as the source sent it, decoded anew. ``whole``
    reads all of it; ``again`` reads a shape of it, where that costs less.
    """

    __slots__ = (
        "_again", "_columns", "_read", "_whole", "embedded", "expand", "fetched_at", "from_cache", "ids", "local_ids",
        "raw", "resource", "source", "timezone", "unusable", "view",
    )  # fmt: skip

    def __init__(
        self,
        source: str,
        resource: str,
        view: View,
        expand: frozenset[str],
        fetched_at: datetime,
        from_cache: bool,
        ids: Sequence[str],
        raw: Callable[[int], object],
        *,
        whole: Callable[[], Whole],
        again: Callable[[Shape], Sequence[Decoded]] | None = None,
        columns: Mapping[Shape, Sequence[Decoded]] | None = None,
        embedded: Mapping[str, Embedded] | None = None,
        local_ids: Sequence[str] | None = None,
        unusable: int = 0,
        timezone: str = "Europe/Stockholm",
    ) -> None:
        self.source, self.resource, self.view, self.expand = source, resource, view, expand
        self.fetched_at, self.from_cache = fetched_at, from_cache
        self.ids, self.raw, self.timezone = ids, raw, timezone
        self.embedded: Mapping[str, Embedded] = embedded or {}
        """Per expand that was asked for, what the records carried in ``_embedded``."""
        self.local_ids = local_ids
        """The source's own ids, where ``ids`` and the records were translated into others."""
        self.unusable = unusable
        """How many records of the response are not here: no objects, or without a usable id."""
        self._whole, self._again = whole, again
        self._read: Whole | None = None
        self._columns: dict[Shape, Sequence[Decoded]] = dict(columns or {})

    @property
    def records(self) -> Sequence[Record]:
        return self._all()[0]

    @property
    def issues(self) -> Mapping[int, tuple[str, ...]]:
        """Per index, what was wrong with the record."""
        return self._all()[1]

    def _all(self) -> Whole:
        if self._read is None:
            self._read = self._whole()
        return self._read

    def columns(self, shape: Shape) -> Sequence[Decoded]:
        """What a shape asks of the records, in parallel to ``ids``; of a resource whose records have ids."""
        found = self._columns.get(shape)
        if found is None:
            found = next((each for known, each in self._columns.items() if known.covers(shape)), None)
            if found is None and self._read is None and self._again is not None:
                found = self._again(shape)
            elif found is None:
                found = build(self.resource, self.timezone, shape, self.records)
            self._columns[shape] = found
        return found

    def value(self, index: int, column: str, absent: object) -> object:
        """One column of one record; ``absent`` where it was left out."""
        if self._read is None:
            for shape, decoded in self._columns.items():
                if column in shape.columns and column not in shape.parts:
                    value: object = getattr(decoded[index], column)
                    return absent if value is UNSET else value
        return self.records[index].get(column, absent)

    def select(self, keep: Sequence[int]) -> Slab:
        """The same response with only some of its records."""

        def whole() -> Whole:
            records, issues = self._all()
            return [records[each] for each in keep], {new: issues[old] for new, old in enumerate(keep) if old in issues}

        again = self._again
        renumbered = {old: new for new, old in enumerate(keep)}
        return Slab(
            self.source, self.resource, self.view, self.expand, self.fetched_at, self.from_cache,
            [self.ids[each] for each in keep],
            lambda index: self.raw(keep[index]),
            whole=whole,
            again=None if again is None else lambda shape: _picked(again(shape), keep),
            columns={shape: _picked(decoded, keep) for shape, decoded in self._columns.items()},
            embedded={
                name: replace(
                    each, children={renumbered[old]: found for old, found in each.children.items() if old in renumbered}
                )
                for name, each in self.embedded.items()
            },
            local_ids=None if self.local_ids is None else [self.local_ids[each] for each in keep],
            unusable=self.unusable,
            timezone=self.timezone,
        )  # fmt: skip

    def translated(
        self, ids: Sequence[str], records: Sequence[Record], embedded: Mapping[str, Embedded] | None = None
    ) -> Slab:
        """The same response in other ids."""
        return Slab(
            self.source, self.resource, self.view, self.expand, self.fetched_at, self.from_cache, ids, self.raw,
            whole=lambda: (records, self.issues),
            embedded=self.embedded if embedded is None else embedded,
            local_ids=self.ids,
            unusable=self.unusable,
            timezone=self.timezone,
        )  # fmt: skip


def _picked(decoded: Sequence[Decoded], keep: Sequence[int]) -> list[Decoded]:
    return [decoded[each] for each in keep]


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


@dataclass(slots=True, eq=False)
class Row:
    """One record of a slab. It is not changed; that nobody can would cost half of what making it does."""

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
        """All of it."""
        return self.slab.records[self.index]

    def value(self, column: str, absent: object = None) -> object:
        """One column of it; ``absent`` where it was left out."""
        return self.slab.value(self.index, column, absent)

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
