"""One reading of a whole list: where each of its records stands, so that a few can be read again without the rest.

A walk of 25,000 records is some 20 MB as bytes and ten times that decoded. Whoever sorts it needs two things of it: the
ids in the list's order, and later the records that are shown. So a walk keeps eight bytes per record, its place on its
page, and the pages stay where they are: in the cache.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from .canonical import read_id, reader
from .position import Position
from .requests import Query
from .standard import RESOURCES


class Reader(Protocol):
    """Takes in the ids of a walk, window by window and page after page."""

    def begin(self) -> None:
        """A window begins."""

    def restart(self) -> None:
        """The window's first page comes next: what was read of this window is void."""

    def read(self, ids: Sequence[str]) -> bool:
        """The next page's ids, in the list's order; whether to read on."""


KnownBy = Callable[[Mapping[str, object]], str]
"""By what id a record of a resource without ids is known, where that differs from what ``canonical.reader`` makes."""


def _never() -> bool:
    return False


@dataclass(slots=True)
class _Window:
    """Where the window begins, by page and by place, and what its pages are kept as."""

    page: int
    size: int
    generation: str | None = None
    alive: Callable[[], bool] = _never


@dataclass(slots=True, eq=False)
class Walk:
    """The pages of one walk. A record's *place* is its number in the list, from 0, those without an id left out.

    A list whose period is longer than its source takes is read in several windows, one after the other. ``held`` are
    the pages' bytes while somebody works through them all (``release`` ends that); after that the cache may have
    thrown some out.
    """

    source: str
    resource: str
    query: Query
    held: list[bytes] | None = field(default_factory=list)
    tokens: list[Position] = field(default_factory=list)
    """Per page, its window and its token."""
    starts: list[int] = field(default_factory=list)
    """Per page, the place of its first record."""
    spans: list[array[int] | None] = field(default_factory=list)
    """Per page, where each record begins and ends in the page's bytes; None where that could not be found out."""
    fetched: list[datetime] = field(default_factory=list)
    size: int = 0
    """How many records there are."""
    _windows: list[_Window] = field(default_factory=list)

    def alive(self) -> bool:
        """Whether it is still what the source's answers of a while ago are: not expired, and no newer one begun."""
        return bool(self._windows) and all(window.alive() for window in self._windows)

    def begin(self) -> None:
        """A window begins."""
        self._windows.append(_Window(len(self.tokens), self.size))

    def restart(self, generation: str | None, alive: Callable[[], bool]) -> None:
        """The window's first page comes next: what was read of this window is void."""
        window = self._windows[-1]
        window.generation, window.alive = generation, alive
        for each in (self.held, self.tokens, self.starts, self.spans, self.fetched):
            if each is not None:
                del each[window.page :]
        self.size = window.size

    def add(self, token: str | None, body: bytes, fetched_at: datetime, spans: array[int] | None, count: int) -> None:
        self.tokens.append(Position(len(self._windows) - 1, token))
        self.starts.append(self.size)
        self.spans.append(spans)
        self.fetched.append(fetched_at)
        self.size += count
        if self.held is not None:
            self.held.append(body)

    def release(self) -> None:
        self.held = None

    def generation_of(self, page: int) -> str | None:
        """What the pages of a page's window are kept as."""
        return self._windows[self.tokens[page].window].generation

    def page_of(self, place: int) -> int:
        return bisect_right(self.starts, place) - 1

    def position(self, place: int) -> tuple[str | None, int]:
        """The token of the page that a record is on, as ``Source.page`` takes it, and its number there."""
        page = self.page_of(place)
        at = self.tokens[page]
        return None if at == Position() else str(at), place - self.starts[page]

    def place(self, token: str | None, offset: int) -> int | None:
        """The place of a record by its page's token and its number there; None if the walk has no such page."""
        asked = Position.read(token)
        for page, at in enumerate(self.tokens):
            if (at.window, at.token) == (asked.window, asked.token):
                return self.starts[page] + offset
        return None

    @property
    def memory(self) -> int:
        """Bytes that it takes, about, without the pages."""
        return sum(len(spans) * spans.itemsize for spans in self.spans if spans is not None) + 200 * len(self.tokens)


def ids_of(resource: str, timezone: str, items: Sequence[object], known_by: KnownBy | None = None) -> list[str | None]:
    """The id of each record of a page, as ``canonical.reader`` gives it; None: the record cannot be used."""
    if RESOURCES[resource].has_id:
        return [read_id(item.get("id")) if type(item) is dict else None for item in items]
    read = reader(resource, timezone)
    known_by = known_by or _own
    return [None if (found := read(item)) is None else known_by(found[0]) for item in items]


def _own(record: Mapping[str, object]) -> str:
    return str(record["id"])


_raw = partial(msgspec.json.decode, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
_raw_list = partial(msgspec.json.decode, type=list[msgspec.Raw])


def spans_of(body: bytes, decoded: object, items: Sequence[object], usable: Sequence[object]) -> array[int] | None:
    """Where the records begin and end in a page: of ``decoded``'s list ``items``, those that are ``usable`` (not None).

    None if that cannot be told (a byte order mark, say): then the page is decoded whole.
    """
    try:
        outer = _raw(body)
        if isinstance(outer, dict) and isinstance(decoded, dict):
            name = next(name for name, value in decoded.items() if value is items)
            start = body.index(bytes(outer[name]))
            parts = _raw_list(outer[name])
        elif isinstance(outer, list):
            start, parts = body.index(b"["), outer
        else:
            return None
    except (msgspec.DecodeError, StopIteration, KeyError, ValueError):
        return None
    if len(parts) != len(items):
        return None
    spans = array("I")
    at = start + 1
    for part, wanted in zip(parts, usable, strict=True):
        while body[at] in b" \t\r\n,":
            at += 1
        end = at + memoryview(part).nbytes
        if wanted is not None:
            spans.append(at)
            spans.append(end)
        at = end
    return spans
