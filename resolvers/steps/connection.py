"""A list at the root: one page of what several sources know, as if it were one list (design: *Order*, *Cursors*)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from sources.records import Answer

from ..authority import Rules
from ..completeness import Gaps
from ..contracts import EntityId, Fetch, Gap, Page, Selector, Step, Want
from ..entity import Entity
from ..errors import Code, InvalidCursor
from ..filters import SOURCES
from ..operation import Operation
from ..order import rank, sort_value
from ..predicates import Clause, clauses
from .complete import complete, shown
from .joined import refuse, resolve
from .permitted import permitted
from .select import holds, in_period, needed, prepare
from .streams import Stream, candidates, streams, would_give
from .tree import subtrees

_LOST_TOKEN = frozenset({"SOURCE_LIST_CHANGED", "SOURCE_REQUEST_REFUSED", "SOURCE_ENDPOINT_MISSING"})
"""What a source answers to a page token that it no longer knows."""
_GROWTH = 4
"""How much the next batch of candidates grows when the last one gave too few."""


@dataclass(slots=True)
class Listed:
    """One page: records with their cursors, whether more follow (False only if proven), and what is missing."""

    entities: list[Entity] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    has_next: bool = False
    gaps: tuple[Gap, ...] = ()


def connection(
    operation: Operation, resource: str, selector: Selector, after: str | None, want: Want
) -> Step[Listed | None]:
    """A page of at most ``selector.first`` records after the cursor; None where nobody serves the resource.

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
    gaps = Gaps()
    selector = yield from permitted(operation, selector, gaps)
    if any(condition.values == () for condition in selector.conditions):
        return Listed()
    if rules.organisations:
        yield from subtrees(operation, rules.organisations, gaps)
    tests = yield from resolve(operation, rules, clauses(selector.conditions), gaps)
    if any(clause.impossible for clause in tests):
        return Listed(has_next=bool(gaps.all()), gaps=gaps.all())
    calls = streams(operation, rules, tests)
    run = _Run(operation, rules, selector, tests, calls, bound_to, want, gaps)
    if selector.order or not _streamable(rules, tests, calls):
        listed = yield from run.indexed(position)
    else:
        listed = yield from run.streamed(position)
    listed.gaps = gaps.all()
    listed.has_next = listed.has_next or bool(listed.gaps)
    return listed


def _streamable(rules: Rules, tests: Sequence[Clause], calls: Sequence[Stream]) -> bool:
    """Whether the calls can be read page by page: each of a source of its own, and it is known what each gives."""
    if any(call.lookup or call.ids is not None for call in calls):
        return False
    if any(clause.test in SOURCES for clause in tests) and not rules.resource.get:
        return False  # only the whole lists tell who has a record
    return len(calls) == 1 or (len({call.source for call in calls}) == len(calls) and all(c.exact for c in calls))


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


@dataclass(slots=True)
class _Run:
    """Everything that the two ways of listing share."""

    operation: Operation
    rules: Rules
    selector: Selector
    tests: Sequence[Clause]
    streams: Sequence[Stream]
    bound_to: bytes
    want: Want
    gaps: Gaps

    @property
    def first(self) -> int:
        assert self.selector.first is not None
        return self.selector.first

    def test_columns(self) -> Want:
        return Want(needed(self.rules.resource, self.selector))

    def passing(self, ids: Sequence[EntityId], want: Want, also: Sequence[str] = ()) -> Step[list[Entity]]:
        """Complete candidates; those that exist, may be shown, pass the filter and lie in the period."""
        resource = self.rules.resource
        yield from complete(self.operation, resource.name, ids, want, self.gaps, also=(*self.rules.population, *also))
        yield from prepare(self.operation, resource, ids, self.selector, self.gaps)
        return [
            entity
            for entity in shown(self.operation, resource.name, ids)
            if entity is not None
            and holds(self.operation, entity, self.tests)
            and in_period(self.operation, entity, self.selector.during)
        ]

    def seal(self, *position: object) -> str:
        return self.operation.federation.sealer.seal(position, self.bound_to)

    # Ordered: an index of (sort key, id) over all candidates; records are completed when they are shown.

    def indexed(self, position: list[object] | None) -> Step[Listed]:
        keys = self.selector.order
        found = yield from candidates(self.operation, self.rules.resource.name, self.streams, self.gaps)
        passing = yield from self.passing(list(found), self.test_columns())
        values = {entity.id: [sort_value(entity, key) for key in keys] for entity in passing}
        places = {each: rank(values[each], keys, each) for each in values}
        if position is not None:
            start = rank(_sort_values(position, len(keys)), keys, str(position[-1]))
            passing = [entity for entity in passing if places[entity.id] > start]
        passing.sort(key=lambda entity: places[entity.id])
        page = passing[: self.first]
        yield from complete(
            self.operation, self.rules.resource.name, [entity.id for entity in page], self.want, self.gaps
        )
        cursors = [self.seal(*values[entity.id], entity.id) for entity in page]
        return Listed(page, cursors, len(passing) > len(page))

    # Unordered: sources in authority order, each in its own order, without what an earlier source already gave.

    def streamed(self, position: list[object] | None) -> Step[Listed]:
        listed = Listed()
        at, token, offset = _place(position, len(self.streams))
        resumed = position is not None
        given: set[EntityId] = set()
        failed: set[int] = set()
        while at < len(self.streams):
            stream = self.streams[at]
            fetch = Fetch(stream.source, self.rules.resource.name, Page(stream.query, token))
            answer: Answer = (yield [fetch])[0]
            if resumed and token is not None and not answer.slabs and _token_lost(answer):
                raise InvalidCursor(
                    Code.CURSOR_EXPIRED,
                    f"The source {stream.source} no longer knows the page that the cursor stands on; "
                    "start again from the first page.",
                )
            resumed = False
            ids = self.operation.absorb(fetch, answer, self.gaps)
            if answer.faults:
                failed.add(at)
            batch = self.first + 1 - len(listed.entities)
            while offset < len(ids):
                places = {each: offset + place for place, each in enumerate(ids[offset : offset + batch])}
                new = [each for each in places if each not in given]
                earlier = [earlier.source for earlier in self.streams[:at]]
                for entity in (yield from self.passing(new, self.want | self.test_columns(), also=earlier)):
                    if entity.row(stream.source) is None or self._given_before(entity, at, failed):
                        continue
                    if len(listed.entities) == self.first:
                        listed.has_next = True
                        return listed
                    given.add(entity.id)
                    listed.entities.append(entity)
                    listed.cursors.append(self.seal(at, token, places[entity.id] + 1))
                offset += batch
                batch *= _GROWTH
            offset, token = 0, answer.next
            if token is None:
                at += 1
            elif len(listed.entities) == self.first:
                listed.has_next = True
                return listed
        return listed

    def _given_before(self, entity: Entity, at: int, failed: set[int]) -> bool:
        """Whether an earlier source's list already gave it: judged by that source's own version of the record."""
        for place, stream in enumerate(self.streams[:at]):
            row = entity.row(stream.source)
            if place not in failed and row is not None and would_give(stream, row.record, self.operation):
                return True
        return False


def _sort_values(position: list[object], keys: int) -> list[str | float | None]:
    values = [value for value in position[:-1] if value is None or isinstance(value, str | float | int)]
    if len(position) != keys + 1 or len(values) != keys:
        raise InvalidCursor(Code.INVALID_CURSOR, "The cursor is not one of this list.")
    return values


def _place(position: list[object] | None, streams: int) -> tuple[int, str | None, int]:
    if position is None:
        return 0, None, 0
    if len(position) == 3:
        at, token, offset = position
        if (
            isinstance(at, int)
            and at < streams
            and isinstance(offset, int)
            and (token is None or isinstance(token, str))
        ):
            return at, token, offset
    raise InvalidCursor(Code.INVALID_CURSOR, "The cursor is not one of this list.")


def _token_lost(answer: Answer) -> bool:
    return any(str(fault.code) in _LOST_TOKEN for fault in answer.faults)
