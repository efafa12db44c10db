"""Making a listing: all candidates of a list looked at once, a few at a time, and only their ranks kept."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sources.errors import FaultCode
from sources.records import Answer
from sources.requests import Query

from ..authority import Rules
from ..columns import shape
from ..completeness import Gaps
from ..contracts import EntityId, Fetch, Kept, Scan, Selector, Step, Want
from ..entity import Entity
from ..filters import SOURCES
from ..listing import ABSENT, Listing, Tracked
from ..operation import Operation
from ..order import sort_value
from ..predicates import Clause
from ..ranks import packed, rank, ranked_id
from .complete import complete, shown
from .rows import Ahead, by_id
from .select import holds, in_period, needed, prepare
from .streams import Stream

BATCH = 500
"""Candidates that are looked at together: their records are in memory at the same time."""
BATCH_TO_LOOK_UP = 2000
"""The same where some of them must be asked for by id: as many as a source takes in four calls at a time."""
MANY = 10_000
"""A number of records for which nobody would ask one by one."""

_PLACE = struct.Struct(">BI")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a list, and the calls whose records are its candidates."""

    rules: Rules
    selector: Selector
    tests: Sequence[Clause]
    streams: Sequence[Stream]

    @property
    def resource(self) -> str:
        return self.rules.resource.name

    @property
    def keyed(self) -> bool:
        """Whether the order is made of the records (by sort keys, or else ids), and not of the sources' own orders."""
        return bool(self.selector.order) or not self._streamable

    @property
    def _streamable(self) -> bool:
        """Whether the calls can be read page by page: each of a source of its own, and it is known what each gives."""
        calls = self.streams
        if any(call.lookup or call.ids is not None for call in calls):
            return False
        if any(clause.test in SOURCES for clause in self.tests) and not self.rules.resource.get:
            return False  # only the whole lists tell who has a record
        return len(calls) == 1 or (len({call.source for call in calls}) == len(calls) and all(c.exact for c in calls))

    def test_columns(self) -> Want:
        return Want(needed(self.rules.resource, self.selector))

    def passing(
        self,
        operation: Operation,
        ids: Sequence[EntityId],
        want: Want,
        gaps: Gaps,
        also: Sequence[str] = (),
        ahead: Ahead | None = None,
    ) -> Step[list[Entity]]:
        """Complete candidates; those that exist, may be shown, pass the filter and lie in the period."""
        population = self.rules.population
        yield from complete(operation, self.resource, ids, want, gaps, also=(*population, *also), ahead=ahead)
        yield from prepare(operation, self.rules.resource, ids, self.selector, gaps)
        there = [entity for entity in shown(operation, self.resource, ids) if entity is not None]
        if not self.tests and self.selector.during is None:
            return there
        return [
            entity
            for entity in there
            if holds(operation, entity, self.tests) and in_period(operation, entity, self.selector.during)
        ]


def further_scans(operation: Operation, question: Question, want: Want) -> tuple[str, ...]:
    """Sources whose whole lists are read beside the streams, in order to look nobody up one by one.

    They are those that cannot be asked by id; and, where the streams are whole lists themselves, all that speak for
    what the candidates are tested and sorted by: that costs no more calls than looking all the candidates up.
    """
    rules = question.rules
    if rules.resource.window:
        return ()
    listed = [stream for stream in question.streams if not stream.lookup and stream.ids is None]
    whole = {stream.source for stream in listed if not stream.query.parameters}
    tests = question.test_columns().also(*operation.federation.policy.columns(question.resource))
    heard = {*rules.heard(want | tests), *rules.population}
    unfiltered = len(whole) == len(question.streams)
    return tuple(
        source
        for source in rules.servers
        if source not in whole
        and source in heard
        and (
            not by_id(operation, source, question.resource, MANY)
            or (unfiltered and (source in rules.heard(tests) or source in rules.population))
        )
    )


class _Places:
    """Reads one walk: the place of each id in it, among the candidates of all walks."""

    def __init__(self, numbers: dict[bytes, int], limit: int) -> None:
        self.places = array("I")
        self._numbers, self._limit = numbers, limit
        self._begun = self._next = 0

    def begin(self) -> None:
        self._begun = self._next

    def restart(self) -> None:
        if self._next > self._begun:
            self.places = array("I", (place if place < self._begun else ABSENT for place in self.places))
            self._next = self._begun

    def read(self, ids: Sequence[str]) -> bool:
        numbers, places = self._numbers, self.places
        for id in ids:
            number = numbers.setdefault(packed(id), len(numbers))
            if number >= len(places):
                places.extend([ABSENT] * (len(numbers) - len(places)))
            if places[number] == ABSENT:
                places[number] = self._next
            self._next += 1
        return len(numbers) <= self._limit


def make_listing(operation: Operation, question: Question, further: Sequence[str]) -> Step[Listing]:
    """The listing of all that passes, in order. ``further``: sources to scan beside the streams."""
    gaps = Gaps()
    resource, limit = question.resource, operation.federation.limits.max_candidates
    numbers: dict[bytes, int] = {}
    listed = [stream for stream in question.streams if stream.lookup is None and stream.ids is None]
    scans = [(stream.source, stream.query) for stream in listed]
    leading = len(scans)
    scans += [(source, Query()) for source in further]
    readers = [_Places(numbers, limit) for _ in scans]
    fetches = [Fetch(s, resource, Scan(query, read)) for (s, query), read in zip(scans, readers, strict=True)]
    lookups = [Fetch(stream.source, resource, stream.lookup) for stream in question.streams if stream.lookup]
    answers = yield [*fetches, *lookups]
    walks = []
    for fetch, read, answer in zip(fetches, readers, answers, strict=False):
        operation.absorb(fetch, answer, gaps)
        assert answer.walk is not None
        walks.append(Tracked(answer.walk, read.places, _whole(fetch, answer)))
    looked_up = list(zip(lookups, answers[len(fetches) :], strict=True))
    for fetch, answer in looked_up:
        for found in operation.absorb(fetch, answer, gaps):
            numbers.setdefault(packed(found), len(numbers))
    for stream in question.streams:
        for found in stream.ids or ():
            numbers.setdefault(packed(found), len(numbers))
    for tracked in walks:
        tracked.places.extend([ABSENT] * (len(numbers) - len(tracked.places)))
    try:
        if len(numbers) > limit:
            return Listing((), walks, gaps.all(), too_many=True)
        ids = list(numbers)
        numbers.clear()
        ranks: list[bytes] = []
        chosen = array("I")
        for batch in _batches(question, walks[:leading], len(ids), to_look_up=_looks_up(operation, question, walks)):
            own = operation.aside()
            for fetch, answer in looked_up:
                own.absorb(fetch, answer)
            candidates = [EntityId(ranked_id(ids[number])) for number in batch]
            yield from read_again(own, question, walks, batch, candidates, question.test_columns())
            passing = yield from question.passing(own, candidates, question.test_columns(), gaps)
            by = dict(zip(candidates, batch, strict=True))
            for entity in passing:
                ranks.append(_rank(question, walks[:leading], by[entity.id], entity))
                chosen.append(by[entity.id])
    finally:
        for tracked in walks:
            tracked.walk.release()
    order = sorted(range(len(ranks)), key=ranks.__getitem__)
    return Listing(
        [ranks[each] for each in order],
        [
            Tracked(tracked.walk, array("I", (tracked.places[chosen[each]] for each in order)), tracked.whole)
            for tracked in walks
        ],
        gaps.all(),
    )


def _whole(fetch: Fetch, answer: Answer) -> bool:
    """Whether a scan read all records of its source. One that cannot be used is missing, but hides no other."""
    assert isinstance(fetch.op, Scan)
    broken_off = any(fault.code is not FaultCode.SOURCE_RECORD_INVALID for fault in answer.faults)
    return not fetch.op.query.parameters and not broken_off


def _looks_up(operation: Operation, question: Question, walks: Sequence[Tracked]) -> bool:
    """Whether some source will be asked for candidates by id."""
    rules = question.rules
    whole = {tracked.source for tracked in walks if tracked.whole}
    tests = question.test_columns().also(*operation.federation.policy.columns(question.resource))
    return not {*rules.heard(tests), *rules.population} <= whole


def _batches(question: Question, streams: Sequence[Tracked], count: int, *, to_look_up: bool) -> Iterator[list[int]]:
    """The candidates by number, some at a time: those that a stream gave (a source beside them may have more)."""
    size = BATCH_TO_LOOK_UP if to_look_up else BATCH
    named = len(streams) < len(question.streams)
    batch: list[int] = []
    for number in range(count):
        if named or _listed(streams, number):
            batch.append(number)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _listed(streams: Sequence[Tracked], number: int) -> bool:
    return any(tracked.places[number] != ABSENT for tracked in streams)


def _rank(question: Question, streams: Sequence[Tracked], number: int, entity: Entity) -> bytes:
    keys = question.selector.order
    if question.keyed:
        return rank([sort_value(entity, key) for key in keys], keys, entity.id)
    listing = [at for at, tracked in enumerate(streams) if tracked.places[number] != ABSENT]
    at = next((at for at in listing if gives(entity, streams[at].source)), listing[0])
    return stream_rank(at, streams[at].places[number], entity.id)


def gives(entity: Entity, source: str) -> bool:
    """Whether a source's list can give a record: not where it is not heard of it."""
    return source in entity.applied.servers


def stream_rank(at: int, place: int, id: str) -> bytes:
    """The rank of a record in the sources' own orders: the first stream that gave it, and its place there."""
    return _PLACE.pack(at, place) + packed(id)


def stream_place(rank: bytes) -> tuple[int, int]:
    """The stream and the place in ``stream_rank``."""
    at, place = _PLACE.unpack(rank[: _PLACE.size])
    return at, place


def read_again(
    operation: Operation,
    question: Question,
    walks: Sequence[Tracked],
    numbers: Sequence[int],
    ids: Sequence[EntityId],
    want: Want,
) -> Step[None]:
    """Take in what the walks have of some records, and that they do not have them. Asks no source."""
    resource = question.resource
    want = want.also(*operation.federation.policy.columns(resource))
    decoded = shape(question.rules, want)
    fetches = []
    for tracked in walks:
        source = tracked.source
        seen = operation.rows(source, resource)
        lacking = operation.federation.sources[source].capabilities.list_lacks.get(resource, frozenset())
        if not lacking & want.columns and not (lacking and want.everything):
            here = [tracked.places[n] for n, each in zip(numbers, ids, strict=True) if each not in seen]
            places = [place for place in here if place != ABSENT]
            if places:
                fetches.append(Fetch(source, resource, Kept(tracked.walk, places), decoded))
        if tracked.whole:
            gone = (each for n, each in zip(numbers, ids, strict=True) if tracked.places[n] == ABSENT)
            operation.absent(source, resource, gone)
    if fetches:
        operation.absorb_all(fetches, (yield fetches))
