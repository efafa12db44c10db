"""What an operation did, for whoever asked to see it: every fetch, with its calls, rows and milliseconds.

It holds counts and the names of sources, resources and fields: no id, and no value of any record or argument.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from sources.records import Answer
from sources.tally import Tally, counting

from .contracts import Fetch, List, Lookup, Page, Scan

Field = tuple[str, ...]
"""A field of the query: the names of the fields that lead to it, from the root."""

_fields: ContextVar[frozenset[Field]] = ContextVar("fields", default=frozenset())


class How(StrEnum):
    """The kind of call by which something is fetched."""

    PAGE = "page"
    """One page of a list."""
    LIST = "list"
    """Every page of a list, without a filter."""
    FILTER = "filter"
    """Every page of a list that the source filters."""
    SCAN = "scan"
    """Every page of a list, of which only the order is kept."""
    IDS = "ids"
    """The lookup of records by their ids."""
    FOREIGN_KEY = "foreignKey"
    """The lookup of records by what they refer to."""
    EXPAND = "expand"
    """The lookup of records, with what refers to them embedded."""
    GET = "get"
    """One call per record."""
    IDENTIFY = "identify"
    """The lists by which records of different sources are recognised as the same."""
    DELETED = "deleted"
    """What the source deleted."""


def how(fetch: Fetch) -> How:
    """The kind of call of a fetch that asks somebody."""
    match fetch.op:
        case Page():
            return How.PAGE
        case List(query):
            return How.FILTER if query.parameters else How.LIST
        case Scan():
            return How.SCAN
        case Lookup(key, _, expand):
            return How.EXPAND if expand else How.IDS if key == "ids" else How.FOREIGN_KEY
    return How.IDENTIFY


@dataclass(slots=True, eq=False)
class Done:
    """One fetch. ``round``: one more than the highest round whose calls had been answered when it went out.

    ``calls``: HTTP calls by source. ``hits``: pages, and records asked for by ids, that the gateway had kept.
    """

    source: str
    resource: str
    how: How
    fields: frozenset[Field]
    round: int
    begun: float
    calls: dict[str, int] = field(default_factory=dict)
    hits: int = 0
    rows: int = 0
    failed: bool = False
    milliseconds: float = 0.0


@dataclass(eq=False)
class Trace:
    """The fetches of one operation, as they went out."""

    done: list[Done] = field(default_factory=list)
    begun: float = field(default_factory=time.perf_counter)
    _answered: int = 0

    @property
    def rounds(self) -> int:
        """How many times calls waited for others."""
        return self._answered

    @property
    def milliseconds(self) -> float:
        return (time.perf_counter() - self.begun) * 1000

    async def note(self, fetch: Fetch, answering: Awaitable[Answer]) -> Answer:
        """The answer, noted."""
        with self.noting(fetch.source, fetch.resource, how(fetch)) as done:
            answer = await answering
            done.rows = sum(len(slab.ids) for slab in answer.slabs) if answer.walk is None else answer.walk.size
            done.failed = bool(answer.faults)
        return answer

    def also(self, fetch: Fetch, fields: frozenset[Field]) -> None:
        """The last such fetch is for further fields, too."""
        kind = how(fetch)
        for done in reversed(self.done):
            if (done.source, done.resource) == (fetch.source, fetch.resource) and done.how in (kind, How.GET):
                done.fields |= fields
                return

    @contextmanager
    def noting(self, source: str, resource: str, how: How) -> Iterator[Done]:
        """Note what happens inside as one fetch."""
        done = Done(source, resource, how, _fields.get(), self._answered + 1, time.perf_counter())
        self.done.append(done)
        tally = Tally()
        token = counting.set(tally)
        try:
            yield done
        finally:
            counting.reset(token)
            done.milliseconds = (time.perf_counter() - done.begun) * 1000
            done.calls, done.hits = tally.calls, tally.hits
            if tally.gets:
                done.how = How.GET
            if done.calls:  # what was kept is no round
                self._answered = max(self._answered, done.round)
            if how is How.IDENTIFY and not done.calls:
                self.done.remove(done)  # it was known
            else:
                self._joined(done)

    def _joined(self, done: Done) -> None:
        """Where somebody else's call brought it (equal requests at the same time are one), it is that one's too."""
        if done.calls or done.hits:
            return
        for other in self.done:
            same = (other.source, other.resource) == (done.source, done.resource) and other is not done
            if same and other.how in (done.how, How.GET) and other.begun + other.milliseconds / 1000 >= done.begun:
                other.fields |= done.fields
                self.done.remove(done)
                return


@contextmanager
def fetching_for(fields: Iterable[Field]) -> Iterator[None]:
    """What is fetched inside, in tasks begun there too, is for these fields of the query."""
    token = _fields.set(frozenset(fields))
    try:
        yield
    finally:
        _fields.reset(token)


def fields() -> frozenset[Field]:
    """The fields for which something is fetched now."""
    return _fields.get()
