"""The first pages of a sorted list in the order of its source, where that is provably the same as the gateway's own.

It is where one source alone has the records, says what they are sorted and narrowed by, and sorts as the gateway does
by its profile. What is read must bear that out. Ties, which sources leave in any order, are shown when all of them have
been read, so that they are in the order of their ids; missing values stand last, so when the list has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sources.records import Answer

from ..columns import shape
from ..completeness import Gaps
from ..contracts import EntityId, Fetch, Page, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..order import sort_columns, sort_value
from ..ranks import head, rank
from .listing import Question
from .streams import Stream, speakers_of

_PAGES = 4
"""The most pages that are read for one; after that, the index is no dearer."""
_GROWTH = 4
"""How much the next batch of records grows when the last one gave too few."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A place in a sorted list: behind the record of this rank. ``token`` is of a page that holds a record before all
    that tie with it (None: the first page), ``given`` the number of records up to there; both only help."""

    rank: bytes = b""
    token: str | None = None
    given: int = 0


@dataclass(slots=True)
class Sorted:
    """A page in order: its records, the place behind each, and whether more follow."""

    entities: list[Entity] = field(default_factory=list)
    places: list[Behind] = field(default_factory=list)
    has_next: bool = False


def sorted_stream(question: Question) -> Stream | None:
    """The one call whose records come in the order that is asked for; None where that is not certain."""
    rules, keys = question.rules, question.selector.order
    if len(keys) != 1 or len(question.streams) != 1 or not rules.settled or rules.resource.window:
        return None
    (stream,), (key,), resource = question.streams, keys, rules.resource
    capabilities = rules.capabilities[stream.source]
    alone = (stream.source,)
    certain = (
        stream.exact
        and stream.lookup is None
        and stream.ids is None
        and rules.population == alone
        and all(rules.speaker_names(column) == alone for column in sort_columns(resource, key))
        and speakers_of(rules, stream.pushed) <= {stream.source}
        and key.name in capabilities.sort_keys.get(resource.name, ())
        and resource.name not in capabilities.list_lacks
    )
    return replace(stream, query=replace(stream.query, sortkey=key.name)) if certain else None


@dataclass(slots=True)
class _Reading:
    """What was read of a list, verified record by record."""

    start: Behind
    ready: list[tuple[Behind, EntityId]] = field(default_factory=list)
    """What may be shown, in order: of each tie all records have been read."""
    _ties: list[tuple[Behind, EntityId]] = field(default_factory=list)
    _seen: set[EntityId] = field(default_factory=set)
    _last: bytes = b""
    _before: str | None = None
    _page: str | None = None

    def take(self, id: EntityId, ranked: bytes, page: str | None) -> bool:
        """The next record, on the page of a token. False if it stands out of its order."""
        here = head(ranked)
        if not self._seen:
            self._page = self.start.token
            if self._page is not None and here >= head(self.start.rank):
                return False  # the list has changed: what is to be shown may begin on a page before
        if id in self._seen or here < self._last:
            return False
        if here > self._last:
            self.close()
            self._last, self._before = here, self._page
        self._seen.add(id)
        self._page = page
        if ranked > self.start.rank:
            self._ties.append((Behind(ranked, self._before), id))
        return True

    def close(self) -> None:
        """No more records tie with the last ones."""
        self.ready += sorted(self._ties, key=lambda each: each[0].rank)
        self._ties.clear()


def in_order(
    operation: Operation, question: Question, stream: Stream, start: Behind, want: Want, gaps: Gaps
) -> Step[Sorted | None]:
    """The page behind ``start``; None if the source breaks the order, or too much would have to be read."""
    resource, (key,), first = question.resource, question.selector.order, question.selector.first
    assert first is not None
    shown, reading, token = Sorted(), _Reading(start), start.token
    at, size = 0, first + 1
    decoded = shape(question.rules, want.also(*operation.federation.policy.columns(resource)))
    for _ in range(_PAGES):
        fetch = Fetch(stream.source, resource, Page(stream.query, token), decoded)
        answer: Answer = (yield [fetch])[0]
        if answer.faults or not answer.slabs:
            return None
        for id in operation.absorb(fetch, answer, gaps):
            value = sort_value(Entity(operation, question.rules, id), key)
            if not reading.take(id, rank([value], [key], id), token):
                return None
        token = answer.next
        if token is None:
            reading.close()
        while at < len(reading.ready) and len(shown.entities) <= first:
            places = {id: place for place, id in reading.ready[at : at + size]}
            following = [id for _, id in reading.ready[at + size :]]

            def ahead(source: str, count: int, following: Sequence[EntityId] = following) -> Sequence[EntityId]:
                return following[:count]

            passing = yield from question.passing(
                operation, [*places], want, gaps, ahead=ahead if start.given else None
            )
            for entity in passing:
                shown.entities.append(entity)
                given = start.given + len(shown.entities)
                shown.places.append(replace(places[entity.id], given=given))
            at += len(places)
            size *= _GROWTH
        shown.has_next = len(shown.entities) > first
        if shown.has_next or token is None:
            del shown.entities[first:], shown.places[first:]
            return shown
    return None
