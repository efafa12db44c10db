"""A list at the root: one page of what several sources know, as if it were one list (design: *Order*, *Cursors*)."""

from __future__ import annotations

import base64
import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import attrgetter, itemgetter
from typing import overload

import orjson

from sources.errors import Fault, FaultCode
from sources.records import Answer, Row, Slab
from sources.requests import Query
from sources.shape import Shape

from ..authority import Rules
from ..choose import UNKNOWN_PAGES
from ..columns import shape
from ..completeness import Gaps
from ..contracts import EntityId, Fetch, Gap, Identify, List, Page, Selector, Shared, Step, Want
from ..cursor import Sealer
from ..entity import Entity
from ..errors import Code, InvalidCursor, Refused
from ..listing import Listing
from ..operation import Operation
from ..policy import Verdict
from ..predicates import clauses
from .joined import refuse, resolve
from .listing import Question, further_scans, gives, make_listing, read_again, stream_place, stream_rank
from .permitted import permitted
from .rows import by_id
from .sorted import Behind, in_order, sorted_stream
from .streams import Stream, streams, would_give

_LOST_TOKEN = frozenset({"SOURCE_LIST_CHANGED", "SOURCE_REQUEST_REFUSED", "SOURCE_ENDPOINT_MISSING"})
"""What a source answers to a page token that it no longer knows."""
_GROWTH = 4
"""How much the next batch of candidates grows when the last one gave too few."""
_READS_ON = 500
"""Records after which a client is taken to read a list to its end, so that whole lists cost fewer calls than looking
its records up."""

_TAIL = 8
"""Records that an unordered cursor names, so that its place is found again in a list that has changed."""
_STAYED = 5
"""How many of them must still be there: then up to three may have been removed, or moved to any other place."""

_MOST_HAD = 64
"""Records that a cursor may name because the client had them already, and they now stand further on."""


@dataclass(frozen=True, slots=True)
class _Cursors(Sequence[str]):
    """The cursors of a page, each sealed when it is asked for: most never are."""

    sealer: Sealer
    bound_to: bytes
    carried: Sequence[object]
    places: Sequence[tuple[object, ...]]
    sealed: dict[int, str] = field(default_factory=dict)
    """A place has one cursor, though it would be sealed with another nonce each time."""

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self.places)))]
        number = range(len(self.places))[index]
        if number not in self.sealed:
            self.sealed[number] = self.sealer.seal([self.carried, *self.places[number]], self.bound_to)
        return self.sealed[number]


@dataclass(slots=True)
class Listed:
    """One page: records with their cursors, whether more follow (False only if proven), and what is missing."""

    entities: list[Entity] = field(default_factory=list)
    cursors: Sequence[str] = ()
    has_next: bool = False
    gaps: tuple[Gap, ...] = ()
    taken: bool = False
    """Whether the records were handed over page by page, and are not in ``entities``."""


Take = Callable[[Slab, Sequence[int]], None]
"""Takes over records of a slab, by their numbers in it, in the list's order."""


def connection(
    operation: Operation,
    resource: str,
    selector: Selector,
    after: str | None,
    want: Want,
    take: Take | None = None,
) -> Step[Listed | None]:
    """A page of at most ``selector.first`` records after the cursor; None where nobody serves the resource.

    ``take``: who takes over the records page by page, where they are one source's alone and nothing further is asked
    of them, so that no more than a page of them need be in memory. The operation then does not know them afterwards.

    Raises Refused (filters that cannot be answered, too many candidates) and InvalidCursor.
    """
    rules = operation.federation.rules[resource]
    assert selector.first is not None
    bound_to = _binding(operation, rules, selector)
    position = operation.federation.sealer.open(after, bound_to) if after is not None else None
    if not rules.servers:
        operation.not_served[resource] = None
        return None
    refuse(operation, rules, clauses(selector.conditions))
    if operation.federation.identities.concerned(resource):
        yield [Fetch("", resource, Identify())]
    operation.asked = True
    gaps = Gaps()
    if position is not None:
        for gap in _carried(position):
            gaps.add(gap)
            operation.gaps.add(gap)
    selector = yield from permitted(operation, selector, gaps)
    if any(condition.values == () for condition in selector.conditions):
        return Listed(has_next=bool(gaps.all()), gaps=gaps.all())
    tests = yield from resolve(operation, rules, clauses(selector.conditions), gaps)
    if any(clause.impossible for clause in tests):
        return Listed(has_next=bool(gaps.all()), gaps=gaps.all())
    calls = streams(operation, rules, tests)
    run = _Run(operation, Question(rules, selector, tests, calls), want, gaps, take)
    shown = yield from run.keyed(position) if run.question.keyed else run.unkeyed(position)
    missing = gaps.all()
    carried = [[gap.source, gap.resource, gap.code, gap.retryable] for gap in missing]
    cursors = _Cursors(operation.federation.sealer, bound_to, carried, shown.places)
    return Listed(shown.entities, cursors, shown.has_next or bool(missing), missing, shown.taken)


def _binding(operation: Operation, rules: Rules, selector: Selector) -> bytes:
    """What a cursor is bound to: the query, the population and the configuration."""
    what = (
        rules.resource.name,
        sorted((each.parameter.name, each.values, each.subtree) for each in selector.conditions),
        str(selector.during),
        [key.name for key in selector.order],
        rules.population,
        operation.federation.epoch,
    )
    return hashlib.sha256(orjson.dumps(what)).digest()


def _carried(position: list[object]) -> Iterable[Gap]:
    """The gaps of the pages before: what they lack, the list lacks, however whole its other pages are."""
    gaps = position[0] if position else None
    for entry in gaps if isinstance(gaps, list) else ():
        source, resource, code, retryable = entry
        yield Gap(str(source), str(resource), str(code), bool(retryable))


@dataclass(slots=True)
class _Shown:
    """Records of a page; for each what its cursor holds, beside the gaps."""

    entities: list[Entity] = field(default_factory=list)
    places: Sequence[tuple[object, ...]] = ()
    has_next: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page of an unordered list begins: in which stream, on the page of which token, behind how many of its
    records, behind which records (the last was shown last), and how many records the client has had. ``had`` are
    those of them that now stand further on, because the list has changed."""

    at: int = 0
    token: str | None = None
    offset: int = 0
    tail: tuple[str, ...] = ()
    given: int = 0
    had: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Trail(Sequence[tuple[object, ...]]):
    """The places behind each of some records that are shown from a place on, made when they are asked for."""

    start: _Place
    ids: list[EntityId] = field(default_factory=list)
    pages: list[tuple[int, int, str | None]] = field(default_factory=list)
    """Where the records of each page begin, the stream that it is of, and its token."""
    offsets: array[int] = field(default_factory=lambda: array("I"))
    """How many records of its page there are up to each."""

    def add(self, at: int, token: str | None, ids: Sequence[EntityId], offsets: Iterable[int]) -> None:
        if not self.pages or self.pages[-1][1:] != (at, token):
            self.pages.append((len(self.ids), at, token))
        self.ids.extend(ids)
        self.offsets.extend(offsets)

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> tuple[object, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[object, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[object, ...] | list[tuple[object, ...]]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self.ids)))]
        number = range(len(self.ids))[index]
        _, at, token = self.pages[bisect_right(self.pages, number, key=itemgetter(0)) - 1]
        tail = (*self.start.tail, *self.ids[max(0, number + 1 - _TAIL) : number + 1])[-_TAIL:]
        return at, token, self.offsets[number], tail, self.start.given + number + 1, self.start.had


@dataclass(eq=False)
class _Run:
    """One page of one list."""

    operation: Operation
    question: Question
    want: Want
    gaps: Gaps
    take: Take | None = None

    @property
    def first(self) -> int:
        assert self.question.selector.first is not None
        return self.question.selector.first

    @property
    def shown_columns(self) -> Want:
        """What is selected, and what says that a record is to be shown: it may have changed since it was listed."""
        return self.want | self.question.test_columns()

    @cached_property
    def _shape(self) -> Shape | None:
        policy = self.operation.federation.policy.columns(self.question.resource)
        return shape(self.question.rules, self.shown_columns.also(*policy))

    def _shared(self, *, make: bool) -> Step[Listing | None]:
        """The listing, from an earlier question or (``make``) made now, with its gaps noted; None if there is none."""
        indexes = self.operation.federation.indexes
        further = further_scans(self.operation, self.question, self.want)
        key = _listing_key(self.operation, self.question, further)
        found = indexes.get(key, self.gaps.all())
        if found is None and make:
            shared = Shared(key, lambda own: make_listing(own, self.question, further))
            yield [Fetch("", self.question.resource, shared)]
            found = shared.made
            if found is None:
                self._note(
                    Fault(source, self.question.resource, FaultCode.SOURCE_TIMEOUT)
                    for source in dict.fromkeys([*(stream.source for stream in self.question.streams), *further])
                )
        for gap in () if found is None else found.gaps:
            self.gaps.add(gap)
            self.operation.gaps.add(gap)
        return found

    def _note(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.gaps.note([fault])
            self.operation.gaps.note([fault])

    # By sort keys: a listing, and in the cursor the rank of the last record, which needs nothing of any source. Where
    # the one source of the list sorts it as is asked for, the first pages are read from there.

    def keyed(self, position: list[object] | None) -> Step[_Shown]:
        start = Behind() if position is None else _behind(position)
        stream = sorted_stream(self.question)
        if start.given >= _READS_ON or (start.rank and not start.given) or self._must_scan():
            stream = None
        listing = yield from self._shared(make=stream is None)
        if listing is None and stream is not None:
            found = yield from in_order(self.operation, self.question, stream, start, self.shown_columns, self.gaps)
            if found is not None:
                places: list[tuple[object, ...]] = [
                    (base64.b64encode(place.rank).decode(), place.token, place.given) for place in found.places
                ]
                return _Shown(found.entities, places, found.has_next)
            listing = yield from self._shared(make=True)
        if listing is None:
            return _Shown()
        if listing.too_many:
            limit = self.operation.federation.limits.max_candidates
            raise Refused(
                Code.TOO_MANY_CANDIDATES,
                f"The list of {self.question.rules.resource.plural} has more than {limit} candidates "
                "(limits.max_candidates); narrow it with a filter, or leave out orderBy.",
            )
        shown, numbers = yield from self._from(listing, listing.after(start.rank), ())
        shown.places = [(base64.b64encode(listing.ranks[number]).decode(),) for number in numbers]
        return shown

    def _from(self, listing: Listing, number: int, had: Collection[str]) -> Step[tuple[_Shown, list[int]]]:
        """A page of a listing, with the numbers of its records; without those that the client ``had``.

        One that may not be shown any more makes room.
        """
        shown, numbers = _Shown(), list[int]()
        while number < len(listing.ranks) and len(numbers) < self.first:
            several = range(number, min(number + self.first - len(numbers), len(listing.ranks)))
            number = several.stop
            ids = [listing.id(each) for each in several]
            yield from read_again(self.operation, self.question, listing.walks, several, ids, self.shown_columns)

            def ahead(source: str, count: int, behind: int = number) -> Sequence[EntityId]:
                return listing.ahead(behind, source, count)

            passing = yield from self.question.passing(
                self.operation, ids, self.shown_columns, self.gaps, ahead=ahead if several.start else None
            )
            by = dict(zip(ids, several, strict=True))
            passing = [entity for entity in passing if entity.id not in had]
            shown.entities += passing
            numbers += [by[entity.id] for entity in passing]
        shown.has_next = number < len(listing.ranks)
        return shown, numbers

    # In the sources' own orders: sources in authority order, each without what an earlier one already gave. The first
    # pages are asked for one by one; for who goes on to read the whole list, whole lists are read.

    def unkeyed(self, position: list[object] | None) -> Step[_Shown]:
        place = _Place() if position is None else _place(position, len(self.question.streams))
        known = {gap.source for gap in self.gaps.all()}
        make = place.given >= _READS_ON or self._must_scan()
        listing = yield from self._shared(make=make)
        if listing is None and make:
            return _Shown()
        found = None if listing is None or listing.too_many else self._found(listing, place, known)
        if listing is None or found is None:
            streamed = yield from self.streamed(place)
            if streamed is not None:
                return streamed
            listing = yield from self._shared(make=True)  # the whole list shows where the place is now
            found = None if listing is None or listing.too_many else self._found(listing, place, known)
            if listing is not None and found is None and listing.gaps:
                return _Shown(has_next=True)  # with all sources there, it may well be found
            if listing is None or found is None:
                raise _expired(self.question.streams[place.at])
        number, place = found
        shown, numbers = yield from self._from(listing, number, place.had)
        shown.places = trail = _Trail(place)
        for number, entity in zip(numbers, shown.entities, strict=True):
            at, where = stream_place(listing.ranks[number])
            token, offset = listing.walks[at].walk.position(where)
            trail.add(at, token, (entity.id,), (offset + 1,))
        return shown

    def _found(self, listing: Listing, place: _Place, known: set[str]) -> tuple[int, _Place] | None:
        """The number of the record from which on a page is taken, and what the client has had of the rest.

        Where the last record shown is not in its place any more, the list has changed: records were added or removed,
        or moved (many sources put first what was modified last). The client has had all that stands before the fifth
        of the eight records of the tail, and behind it has had nothing but the others of these.

        None if too few are there, or if an earlier source is missing now that was there before (``known``: those whose
        gaps the client knows of): what it gave would come once more, from another.
        """
        broken = {gap.source for gap in listing.gaps if gap.code != FaultCode.SOURCE_RECORD_INVALID}
        if not place.tail:
            return 0, place
        if (broken - known) & {stream.source for stream in self.question.streams[: place.at]}:
            return None
        where = listing.walks[place.at].walk.place(place.token, place.offset - 1)
        if where is not None:
            rank = stream_rank(place.at, where, place.tail[-1])
            number = listing.after(rank)
            if number and listing.ranks[number - 1] == rank:
                return number, place
        number = 0
        if place.given > len(place.tail):
            numbers = listing.numbers(place.tail)
            if len(numbers) < _STAYED or broken:
                return None
            number = numbers[_STAYED - 1] + 1
        ahead = [each for each in listing.numbers((*place.tail, *place.had)) if each >= number]
        if len(ahead) > _MOST_HAD:
            return None
        return number, replace(place, had=tuple(map(listing.id, ahead)))

    def _must_scan(self) -> bool:
        """Whether completing even one page would take the whole list of some source that is not asked by id."""
        rules = self.question.rules
        listing = {stream.source for stream in self.question.streams}
        if rules.resource.window:  # without a call by id, only the lists of a period tell what others have
            return not rules.resource.get and len(listing) > 1
        return any(
            not by_id(self.operation, source, self.question.resource, self.first + 1)
            for source in (*rules.heard(self.shown_columns), *rules.population)
            if listing - {source}
        )

    def streamed(self, place: _Place) -> Step[_Shown | None]:
        """A page, asked for page by page of the sources; None if the page that the cursor stands on has changed,
        or is known to its source no more."""
        shown, calls = _Shown(), self.question.streams
        shown.places = trail = _Trail(place)
        settled, take = self.question.rules.settled, self._taking()
        shown.taken = take is not None
        began, at, token, offset = place.at, place.at, place.token, place.offset
        resumed = goes_on = place.given > 0
        given: set[EntityId] = set(map(EntityId, place.had))
        failed: set[int] = set()
        beside = self._read_whole() if not goes_on else []
        whole: dict[str, Answer] = {}
        while at < len(calls):
            stream = calls[at]
            page = Page(stream.query, token)
            fetch = Fetch(stream.source, self.question.resource, page, self._shape, alone=take is not None)
            answer = whole.get(stream.source, Answer())
            if not answer.slabs:
                answer, *lists = yield [fetch, *beside]
                self.operation.absorb_all(beside, lists, self.gaps)
                whole |= {each.source: listed for each, listed in zip(beside, lists, strict=True) if not listed.faults}
                beside = []
            if resumed and token is not None and not answer.slabs and _token_lost(answer):
                return None
            if take is None:
                ids = self.operation.absorb(fetch, answer, self.gaps)
            else:
                self.operation.missed(answer, self.gaps)
                ids = [EntityId(each) for slab in answer.slabs for each in slab.ids]
            if resumed and answer.slabs and ids[offset - 1 : offset] != [place.tail[-1]]:
                return None
            if answer.faults and not answer.slabs:
                if token is not None or (goes_on and at == began):
                    # Part of it was given; what is left cannot be told from what later sources have of it. The cursor
                    # stays before it, so that the walk goes on when the source is back.
                    shown.has_next = True
                    return shown
                failed.add(at)
            resumed = False
            if take is not None and answer.slabs:
                (slab,) = answer.slabs
                numbers = self._fresh(ids, self._open(slab, range(offset, len(ids))), given)
                room = self.first - len(trail)
                shown.has_next = len(numbers) > room
                numbers = numbers[:room]
                take(slab, numbers)
                new = [ids[number] for number in numbers]
                given.update(new)
                trail.add(at, token, new, (number + 1 for number in numbers))
                if shown.has_next:
                    return shown
                offset = len(ids)
            batch = self.first + 1 - len(shown.entities)
            while offset < len(ids):
                end = offset + batch
                places: dict[EntityId, int] = {}
                for number, each in enumerate(ids[offset:end], offset):
                    places.setdefault(each, number)
                new = [each for each in places if each not in given]
                earlier = [earlier.source for earlier in calls[:at]]

                def ahead(source: str, count: int, following: Sequence[EntityId] = ids[end:]) -> Sequence[EntityId]:
                    return following[:count]

                passing = yield from self.question.passing(
                    self.operation, new, self.shown_columns, self.gaps, also=earlier, ahead=ahead if goes_on else None
                )
                if not (settled and at == 0):
                    passing = [
                        entity
                        for entity in passing
                        if gives(entity, stream.source) and not self._given_before(entity, at, failed)
                    ]
                room = self.first - len(shown.entities)
                shown.has_next = len(passing) > room
                del passing[room:]
                shown.entities += passing
                new = [entity.id for entity in passing]
                given.update(new)
                trail.add(at, token, new, (places[each] + 1 for each in new))
                if shown.has_next:
                    return shown
                offset += batch
                batch *= _GROWTH
            offset, token = 0, answer.next
            if token is None:
                at += 1
            elif len(trail) == self.first:
                shown.has_next = True
                return shown
        return shown

    def _taking(self) -> Take | None:
        """Who takes over the records page by page; None where that is not to be done, or there is more to them."""
        question, rules = self.question, self.question.rules
        if self.take is None or self._shape is None or question.tests or question.selector.during is not None:
            return None
        if len(rules.servers) != 1 or not rules.population or not rules.settled or rules.scopes:
            return None
        federation, name = self.operation.federation, question.resource
        capabilities = federation.sources[rules.servers[0]].capabilities
        more = (
            len(question.streams) != 1
            or federation.policy.open(name) is None
            or bool(federation.identities.concerned(name))
            or name in capabilities.list_lacks
            or name in capabilities.list_only
        )
        return None if more else self.take

    def _open(self, slab: Slab, numbers: Sequence[int]) -> Sequence[int]:
        """Those of a slab's records that the policy shows."""
        operation, rules, policy = self.operation, self.question.rules, self.operation.federation.policy
        assert self._shape is not None
        decoded = slab.columns(self._shape)
        for column, values in (policy.open(self.question.resource) or {}).items():
            said = [*map(attrgetter(column), decoded)]
            doubtful = [number for number in numbers if said[number] not in values]
            if not doubtful:
                continue
            own = operation.aside()
            rows = own.rows(slab.source, slab.resource)
            rows.update((EntityId(slab.ids[number]), Row(slab, number)) for number in doubtful)
            hidden = {
                number
                for number in doubtful
                if policy.verdict(Entity(own, rules, EntityId(slab.ids[number]))) is Verdict.HIDE
            }
            numbers = [number for number in numbers if number not in hidden]
        return numbers

    def _fresh(self, ids: Sequence[EntityId], numbers: Sequence[int], given: set[EntityId]) -> Sequence[int]:
        """Those of a page's records that were not given before, each once."""
        if len({*map(ids.__getitem__, numbers)}) == len(numbers) and given.isdisjoint(ids):
            return numbers
        new = {ids[number]: number for number in reversed(numbers)}
        return [number for number in numbers if ids[number] not in given and new[ids[number]] == number]

    def _read_whole(self) -> list[Fetch]:
        """The lists that are read at once beside the first stream, because the page is so long that looking its
        records up in their sources would take more calls."""
        rules, federation, calls = self.question.rules, self.operation.federation, self.question.streams
        resource = rules.resource
        if not calls or any(call.pushed for call in calls) or resource.window or rules.scopes:
            return []
        found: dict[str, Fetch] = {}
        for source in (*rules.heard(self.shown_columns), *rules.population):
            capabilities = federation.sources[source].capabilities
            lookups = -(-(self.first + 1) // capabilities.chunk)
            fewer = federation.pages_seen.get((source, resource.name), UNKNOWN_PAGES) < lookups
            if fewer and source != calls[0].source and resource.name not in capabilities.list_lacks:
                found[source] = Fetch(source, resource.name, List(Query()), self._shape)
        return list(found.values())

    def _given_before(self, entity: Entity, at: int, failed: set[int]) -> bool:
        """Whether an earlier source's list already gave it: judged by that source's own version of the record.

        Where that cannot be had (there is a gap then), it may have been given, and is not given twice.
        """
        for place, stream in enumerate(self.question.streams[:at]):
            if place in failed or not gives(entity, stream.source):
                continue
            rows = self.operation.rows(stream.source, self.question.resource)
            row = rows.get(entity.id)
            if entity.id not in rows or (row is not None and would_give(stream, row, self.operation)):
                return True
        return False


def _listing_key(operation: Operation, question: Question, further: Sequence[str]) -> str:
    """What a listing is kept under: all that decides which records are in it, and in which order."""
    rules, tests = question.rules, question.tests
    below, extents = operation.subtrees, operation.extents
    roots = sorted({each for clause in tests for each in clause.organisations})
    known = (operation.identified(each) for each in operation.federation.identities.concerned(question.resource))
    what = (
        _binding(operation, rules, question.selector).hex(),
        [(each, sorted(below[each])) for each in roots],
        [(each, sorted(extents[each])) for each in rules.organisations],
        [[(column, sorted(ids)) for column, ids in clause.named] for clause in tests],
        [repr((stream.source, stream.query, stream.lookup)) for stream in question.streams],
        further,
        sorted(each.serial for each in known if each is not None),
        id(operation.federation.policy),
    )
    return hashlib.sha256(orjson.dumps(what)).hexdigest()


def _behind(position: list[object]) -> Behind:
    if len(position) in (2, 4) and isinstance(position[1], str):
        rank = base64.b64decode(position[1])
        token, given = position[2:] or (None, 0)
        if isinstance(given, int) and (token is None or isinstance(token, str)):
            return Behind(rank, token, given)
    raise InvalidCursor(Code.INVALID_CURSOR, "The cursor is not one of this list.")


def _place(position: list[object], streams: int) -> _Place:
    if len(position) == 7:
        _, at, token, offset, tail, given, had = position
        if (
            isinstance(at, int)
            and at < streams
            and isinstance(offset, int)
            and isinstance(tail, list)
            and isinstance(given, int)
            and isinstance(had, list)
            and (token is None or isinstance(token, str))
        ):
            return _Place(at, token, offset, tuple(map(str, tail)), given, tuple(map(str, had)))
    raise InvalidCursor(Code.INVALID_CURSOR, "The cursor is not one of this list.")


def _expired(stream: Stream) -> InvalidCursor:
    return InvalidCursor(
        Code.CURSOR_EXPIRED,
        f"The source {stream.source} no longer knows the page that the cursor stands on; start again from the first "
        "page.",
    )


def _token_lost(answer: Answer) -> bool:
    return any(str(fault.code) in _LOST_TOKEN for fault in answer.faults)
