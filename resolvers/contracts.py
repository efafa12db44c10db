"""The types that every step speaks.

A step is a generator without I/O: it yields what it needs fetched, all at once, and is sent the answers in the same
order; what it returns is its value. Two drivers can run the same steps, because a step never waits and never fetches.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NewType, Protocol, TypeVar

from sources.capabilities import Capabilities
from sources.records import Answer, DeletedAnswer
from sources.requests import Query
from sources.shape import Shape
from sources.standard.model import Parameter, SortKey
from sources.walks import KnownBy, Reader, Walk

if TYPE_CHECKING:
    from .listing import Listing
    from .operation import Operation

EntityId = NewType("EntityId", str)
"""The gateway's own id of a thing: canonical, lower case, no braces."""
LocalId = NewType("LocalId", str)
"""One source's id of a thing."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Want:
    """What is asked of one kind of record.

    ``columns`` are top-level property names. ``everything`` makes every server of the resource a speaker (``meta``,
    ``provenance`` or ``raw`` is selected). ``parts``: of a column that is an object or objects, the only properties of
    these that are read, where that is known.
    """

    columns: frozenset[str] = frozenset()
    everything: bool = False
    parts: frozenset[tuple[str, frozenset[str]]] = frozenset()

    def also(self, *columns: str) -> Want:
        """The same, and these columns."""
        return self | Want(frozenset(columns))

    def __or__(self, other: Want) -> Want:
        parts = self.parts if self.parts == other.parts else _both(self, other)
        return Want(self.columns | other.columns, self.everything or other.everything, parts)


def _both(first: Want, second: Want) -> frozenset[tuple[str, frozenset[str]]]:
    """The parts that two read together. A column of which one reads all is read whole."""
    here, there = dict(first.parts), dict(second.parts)
    whole = (first.columns - here.keys()) | (second.columns - there.keys())
    names = {*here, *there} - whole
    return frozenset((name, here.get(name, frozenset()) | there.get(name, frozenset())) for name in names)


@dataclass(frozen=True, slots=True)
class List:
    """Every page of a list call."""

    query: Query


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list call; ``token`` is None for the first."""

    query: Query
    token: str | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """The records whose ``key`` is one of ``values``; key is the lookup's body array, ``ids`` for their own ids.

    ``ahead``: ids that will be asked for soon, to be fetched too if there is a call, and room in it.
    """

    key: str
    values: tuple[str, ...]
    expand: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """Every page of a list call, of which only the ids are read. ``known_by``: those of records that have none."""

    query: Query
    read: Reader
    known_by: KnownBy | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Some records of a list that was scanned, by their places in it, if they are still kept. Asks nobody."""

    walk: Walk
    places: Sequence[int]


@dataclass(slots=True, eq=False)
class Shared:
    """An index that operations share. ``make``: a step that makes it, in an operation of its own; run once for all that
    ask for it at the same time. ``made`` is where it is then found; None if the deadline came first.
    """

    key: str
    make: Callable[[Operation], Step[Listing]]
    made: Listing | None = None


@dataclass(frozen=True, slots=True)
class Identify:
    """Nothing but what is known of the resource's ids: an id that a client sent may be one of before."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One thing to fetch: from which source (none for what is shared), of which resource, and how.

    All ids in it are the gateway's.
    """

    source: str
    resource: str
    op: List | Page | Lookup | Scan | Kept | Shared | Identify
    shape: Shape | None = None
    """What will be read of the records, so that no more is decoded; None: anything."""
    alone: bool = False
    """Whether nobody else in the operation will ask for the same, so that the answer need not be kept for them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A part that is missing: the source that did not give it, of which resource, why, and whether to try again."""

    source: str
    resource: str
    code: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Received(Answer):
    """A source's answer in the gateway's ids. ``gaps``: what is uncertain about these, though nothing is missing."""

    gaps: tuple[Gap, ...] = ()


Step = Generator[Sequence[Fetch], Sequence[Answer], T]


@dataclass(frozen=True, slots=True)
class Condition:
    """One query parameter with the values given, in wire spelling. No values select nothing.

    ``subtree``: the values are organisations, and stand for everything below them too.
    """

    parameter: Parameter
    values: tuple[str, ...]
    subtree: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """Whole local days, both ends inclusive; None is open."""

    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Selector:
    """Which records of a list, and in what order. Frozen, so that it can be part of a loader's key."""

    conditions: tuple[Condition, ...] = ()
    during: Period | None = None
    order: tuple[SortKey, ...] = ()
    first: int | None = None


EVERYTHING = Selector()


class SourcePort(Protocol):
    """A source as the steps' driver sees it (``sources.source.Source`` is one)."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def concurrency(self) -> int: ...

    @property
    def pace(self) -> float | None: ...

    def has_list(self, resource: str, query: Query) -> bool: ...

    async def page(
        self, resource: str, query: Query, token: str | None, deadline: float, shape: Shape | None = None
    ) -> Answer: ...

    async def walk(self, resource: str, query: Query, deadline: float, shape: Shape | None = None) -> Answer: ...

    async def scan(
        self, resource: str, query: Query, read: Reader, deadline: float, known_by: KnownBy | None = None
    ) -> Answer: ...

    async def kept(self, walk: Walk, places: Sequence[int], shape: Shape | None = None) -> Answer: ...

    async def lookup(
        self,
        resource: str,
        key: str,
        values: Sequence[str],
        expand: tuple[str, ...],
        deadline: float,
        ahead: Sequence[str] = (),
        shape: Shape | None = None,
    ) -> Answer: ...

    async def deleted(self, after: str | None, entities: tuple[str, ...], deadline: float) -> DeletedAnswer: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of what the huvudman has: forms of schooling, organisations with all below them. Empty is no bound."""

    school_types: frozenset[str] = frozenset()
    organisations: frozenset[EntityId] = frozenset()


@dataclass(frozen=True, slots=True)
class When:
    """Decisions for the records that belong in ``scope``.

    ``order`` goes before the resource's own order, ``fields`` before its own for the same property.
    """

    scope: Scope
    order: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Authority:
    """What the huvudman decided for one resource; source names in order.

    ``exists``: the sources that may bring a record into being (None: all that serve it). ``order``: who speaks first;
    sources that are not named follow in the order of the configuration. ``fields``: for one property, exactly these
    sources are heard, in this order. ``lists``: ``union`` or ``first`` for one list property. ``when``: the first that
    fits a record, as it is merged without any of them, holds for it.
    """

    exists: tuple[str, ...] | None = None
    order: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    when: tuple[When, ...] = ()


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that an operation may be estimated to cost; None is no bound. ``seconds``: of waiting for sources."""

    calls: int | None = None
    records: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one operation, and of what operations share. ``operation_timeout`` in seconds; the rest are counts."""

    operation_timeout: float = 30.0
    max_first: int = 1000
    max_candidates: int = 200_000
    """The most records that an ordered list may have to look at."""
    max_filter_calls: int = 20
    """The most list calls that stand in for one relation or one organisation filter, per source."""
    max_schedule_days: int = 100
    """The most days of which a schedule, or a placement's attendance times, can be asked for at once."""
    max_index_bytes: int = 64 * 1024 * 1024
    """Bytes that the indexes of sorted lists may take together; about 100 per record of a list."""
    cost: Ceiling = Ceiling(calls=1_000_000, records=200_000_000, seconds=86_400.0)
    """What an operation may be estimated to cost at all sources together."""
    cost_at: Mapping[str, Ceiling] = field(default_factory=dict)
    """The same at one source, by its name."""
    max_estimates: int = 1_000
    """How many kinds of operations are remembered as being within these."""
    concurrency: int = 64
    """The most operations that run at the same time."""
    queue: int = 256
    """The most operations that wait for their turn."""
    queue_timeout: float = 5.0
    """How many seconds they wait at most."""
    max_request: int = 1024 * 1024
    """The most bytes of a request's body."""
    prepared_operations: int = 500
    """The most documents that are kept parsed, validated and planned."""
    prepared_bytes: int = 512 * 1024
    """Bytes of text that these may have together; one takes some hundred times its text."""
    prepared_variants: int = 16
    """The most combinations of @skip and @include that are kept of one document."""
