"""One operation: its deadline, clock, gaps, and the one version of every row that it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sources.errors import Fault
from sources.records import Answer, Row, View
from sources.requests import Query
from sources.standard.model import Expand
from sources.standard.model import View as Whole
from sources.walks import Walk

from .authority import Rules
from .completeness import Gaps
from .contracts import EntityId, Fetch, Gap, Identify, Kept, List, Lookup, Page, Received, Scan
from .errors import GapCode
from .federation import Federation
from .identity import Known
from .identity.translate import Knowns, Met, incoming, outgoing


class Operation:
    """The state of answering one GraphQL operation over a federation.

    ``deadline`` is a time of the running loop; ``now`` and ``today`` are read once.
    """

    def __init__(self, federation: Federation, deadline: float | None = None) -> None:
        self.federation = federation
        self.deadline = (
            asyncio.get_running_loop().time() + federation.limits.operation_timeout if deadline is None else deadline
        )
        self.now: datetime = federation.clock()
        self.today: date = self.now.astimezone(federation.timezone).date()
        self.gaps = Gaps()
        self.not_served: dict[str, None] = {}
        self.by_members: dict[tuple[str, str], None] = {}
        """Per resource and source that attaches it to the school above: where members decided which unit it is of."""
        self.asked = False
        """Whether records of sources were asked for, be it that they were still kept."""
        self.calls = 0
        """How many fetches were asked of sources; one may be several HTTP calls."""
        self.subtrees: dict[str, frozenset[str]] = {}
        """Per organisation that a filter names, itself and all below it in the merged tree."""
        settled = federation.rules["Organisation"].settled
        self.extents = self.subtrees if settled else dict[str, frozenset[str]]()
        """The same for organisations that a scope or a ``when`` names, by what all sources say: who is heard of an
        organisation cannot depend on who is heard of it."""
        self.levels: dict[str, dict[str, str]] = {}
        """Per organisationType, and organisation that a filter needs it of: the nearest of that type, upwards."""
        self.applied: dict[str, dict[EntityId, Rules]] = {}
        """Per resource, the rules for its records as far as they are settled by the rows in hand."""
        self._rows: dict[tuple[str, str], dict[EntityId, Row | None]] = {}
        self._walked: set[tuple[str, str]] = set()
        self.lost: set[tuple[str, str]] = set()
        """The sources and resources of which something did not come."""
        self._failed: dict[tuple[str, str], tuple[Fault, ...]] = {}
        """Whole lists that were asked for and did not come: asking again would only cost time."""
        self._known: dict[str, Known] = {}
        self._under_way: dict[tuple[str, str], dict[str, asyncio.Future[Answer]]] = {}
        """Per source and resource, the lookups that are not answered yet, by the ids they are for."""
        self._reading: dict[tuple[str, str, Query], asyncio.Future[Answer]] = {}
        self._asking: dict[tuple[str, str], _Asking] = {}

    def aside(self) -> Operation:
        """An operation of the same moment and deadline that has seen no rows, for work whose rows are soon dropped."""
        other = Operation(self.federation, self.deadline)
        other.now, other.today = self.now, self.today
        other.subtrees, other.extents, other.levels = self.subtrees, self.extents, self.levels
        other._known = self._known
        other.lost, other._failed = self.lost, self._failed
        return other

    def rows(self, source: str, resource: str) -> dict[EntityId, Row | None]:
        """The rows seen of a source's resource, by id; None: the source said that it has no such record."""
        return self._rows.setdefault((source, resource), {})

    def walked(self, source: str, resource: str) -> bool:
        """Whether all of the source's records of the resource were read, so that a missing one is not there."""
        return (source, resource) in self._walked

    def absorb(self, fetch: Fetch, answer: Answer, gaps: Gaps | None = None) -> list[EntityId]:
        """Take in an answer: keep the first version of each row, note what is missing. Gives the ids, in order."""
        self.missed(answer, gaps)
        return self.keep(fetch, answer)

    def missed(self, answer: Answer, gaps: Gaps | None = None) -> None:
        """Note what is missing of an answer, or uncertain."""
        for noted in (self.gaps,) if gaps is None else (self.gaps, gaps):
            noted.take(answer)
        self.lost.update((fault.source, fault.resource) for fault in answer.faults)

    def keep(self, fetch: Fetch, answer: Answer) -> list[EntityId]:
        """Keep the first version of each row of an answer. Gives the ids, in order.

        A view that lacks columns by its source's profile gives candidates but no rows: they are completed by another.
        """
        source, resource = fetch.source, fetch.resource
        seen = self.rows(source, resource)
        self.applied.pop(resource, None)
        capabilities = self.federation.sources[source].capabilities
        ids: list[EntityId] = []
        for slab in answer.slabs:
            lacking = capabilities.list_lacks if slab.view is View.LIST else capabilities.list_only
            keep = resource not in lacking
            for index, found in enumerate(map(EntityId, slab.ids)):
                ids.append(found)
                if keep and seen.get(found) is None:
                    seen[found] = Row(slab, index)
        if answer.faults:
            if isinstance(fetch.op, List | Scan) and not fetch.op.query.parameters:
                self._failed[source, resource] = answer.faults
            return ids
        if isinstance(fetch.op, Scan) and answer.walk is not None and not fetch.op.query.parameters:
            self.federation.pages_seen[source, resource] = max(1, len(answer.walk.tokens))
        if isinstance(fetch.op, Lookup) and fetch.op.key == "ids":
            self.absent(source, resource, map(EntityId, fetch.op.values))
        elif isinstance(fetch.op, List) and not fetch.op.query.parameters:
            if resource not in capabilities.list_lacks:
                self._walked.add((source, resource))
            self.federation.pages_seen[source, resource] = max(1, len(answer.slabs))
        return ids

    def absorb_embedded(self, answer: Answer, expand: Expand, found: dict[EntityId, None]) -> set[EntityId]:
        """Take in what an expand put into an answer's records: their ids into ``found``, and whole records as rows.

        Gives the parents that the source told of. A fragment or a reference is no row: it lacks columns.
        """
        told: set[EntityId] = set()
        for slab in answer.slabs:
            embedded = slab.embedded.get(expand.name)
            if embedded is None:
                continue
            for index, parent in enumerate(slab.ids):
                rows = embedded.of(index)
                if rows is None:
                    continue
                told.add(EntityId(parent))
                for row, _ in rows:
                    child = EntityId(row.id)
                    found[child] = None
                    seen = self.rows(slab.source, expand.resource)
                    self.applied.pop(expand.resource, None)
                    if expand.view is Whole.FULL and seen.get(child) is None:
                        seen[child] = row
        return told

    def absent(self, source: str, resource: str, ids: Iterable[EntityId]) -> None:
        """Remember that the source has none of these, unless a row was seen."""
        seen = self.rows(source, resource)
        for found in ids:
            seen.setdefault(found, None)

    def absorb_all(
        self, fetches: Sequence[Fetch], answers: Sequence[Answer], gaps: Gaps | None = None
    ) -> list[list[EntityId]]:
        return [self.absorb(fetch, answer, gaps) for fetch, answer in zip(fetches, answers, strict=True)]

    async def known(self, resource: str) -> Known | None:
        """What is known of a resource's ids, the same for the whole operation; None where all sources share them."""
        identities = self.federation.identities
        if not identities.rules(resource):
            return None
        found = self._known.get(resource)
        return found or self._known.setdefault(resource, await identities.known(resource, self.deadline))

    def identified(self, resource: str) -> Known | None:
        """The same, once something of the resource was fetched (``Identify``, if nothing else)."""
        return self._known.get(resource)

    def named_by(self, source: str, resource: str, ids: Sequence[EntityId]) -> Sequence[EntityId]:
        """Those of the things that the source has an id for, so that its records can refer to them."""
        known = self._known.get(resource)
        return ids if known is None else [each for each in ids if known.local(source, each) is not None]

    async def fetch(self, fetch: Fetch) -> Answer:
        """Ask the source, in its own ids."""
        self.asked = True
        knowns: dict[str, Known] = {}
        expand = fetch.op.expand if isinstance(fetch.op, Lookup) else ()
        for each in self.federation.identities.concerned(fetch.resource, expand):
            known = await self.known(each)
            if known is not None:
                knowns[each] = known
        if isinstance(fetch.op, Identify):
            return Answer()
        if not knowns:
            return await self._ask(fetch)
        met = Met()
        sent = outgoing(fetch, knowns, met)
        if sent is None:
            scanned = Walk(fetch.source, fetch.resource, fetch.op.query) if isinstance(fetch.op, Scan) else None
            return await self._received(fetch, Answer(walk=scanned), knowns, met)
        return await self._received(fetch, await self._ask(sent), knowns, met)

    async def _received(self, fetch: Fetch, answer: Answer, knowns: Knowns, met: Met) -> Received:
        answer = incoming(answer, knowns, met)
        uncertain = {GapCode.IDENTITY_CONFLICT: met.conflicts, GapCode.IDENTITY_SPLIT: met.splits}
        gaps = [
            Gap(source, resource, code, retryable=False)
            for code, found in uncertain.items()
            for resource, places in found.items()
            for source in dict.fromkeys(source for source, _ in places)
        ]
        for resource, places in met.unresolved.items():
            await self.federation.identities.note(resource, places)
        gaps += (_gap(fault) for resource in met.unlinked for fault in knowns[resource].faults)
        gaps += (_gap(fault) for fault in met.unasked if fault.source != fetch.source)
        own = (fault for fault in met.unasked if fault.source == fetch.source)
        return Received(answer.slabs, (*answer.faults, *own), answer.next, answer.walk, tuple(dict.fromkeys(gaps)))

    async def _ask(self, fetch: Fetch) -> Answer:
        source = self.federation.sources[fetch.source]
        op = fetch.op
        if isinstance(op, Kept):
            return await source.kept(op.walk, op.places)
        if isinstance(op, List) and not op.query.parameters and (fetch.source, fetch.resource) in self._failed:
            return Answer(faults=self._failed[fetch.source, fetch.resource])
        self.calls += 1
        if isinstance(op, List):
            return await self._walked_once(fetch.source, fetch.resource, op.query)
        if isinstance(op, Scan):
            return await source.scan(fetch.resource, op.query, op.read, self.deadline, op.known_by)
        if isinstance(op, Lookup):
            by_id = op.key == "ids" and not op.expand
            if by_id and not (len(op.values) <= FEW and source.keeps(fetch.resource, op.values)):
                return await self._looked_up(fetch.source, fetch.resource, op)
            return await source.lookup(fetch.resource, op.key, op.values, op.expand, self.deadline, op.ahead)
        assert isinstance(op, Page)
        return await source.page(fetch.resource, op.query, op.token, self.deadline)

    async def _walked_once(self, source: str, resource: str, query: Query) -> Answer:
        """A list, which may be being read for another part of the operation already."""
        key = (source, resource, query)
        call = self._reading.get(key)
        if call is None:
            walk = self.federation.sources[source].walk(resource, query, self.deadline)
            call = self._reading[key] = asyncio.ensure_future(walk)
            call.add_done_callback(lambda _: self._reading.pop(key))
        return await call

    async def _looked_up(self, source: str, resource: str, op: Lookup) -> Answer:
        """Records by their ids: with what other parts of the operation ask for at the same time, in one call.

        What is being asked for already is not asked for again.
        """
        under_way = self._under_way.setdefault((source, resource), {})
        fresh = [id for id in op.values if id not in under_way]
        if fresh:
            asking = self._asking.get((source, resource))
            if asking is None:
                asking = self._asking[source, resource] = _Asking({}, {})
                asking.answer = asyncio.ensure_future(self._send(source, resource, asking))
            asking.ids.update(dict.fromkeys(fresh))
            asking.ahead.update(dict.fromkeys(op.ahead))
            assert asking.answer is not None
            under_way.update(dict.fromkeys(fresh, asking.answer))
        answers = await asyncio.gather(*dict.fromkeys(under_way[id] for id in op.values))
        faults = dict.fromkeys(fault for answer in answers for fault in answer.faults)
        return Answer(tuple(slab for answer in answers for slab in answer.slabs), tuple(faults))

    async def _send(self, source: str, resource: str, asking: _Asking) -> Answer:
        """Ask, when nothing more is about to be added: everything in memory goes first."""
        size = -1
        while size != len(asking.ids):
            size = len(asking.ids)
            for _ in range(QUIET):
                await asyncio.sleep(0)
        del self._asking[source, resource]
        ahead = [id for id in asking.ahead if id not in asking.ids]
        try:
            return await self.federation.sources[source].lookup(
                resource, "ids", [*asking.ids], (), self.deadline, ahead
            )
        finally:
            for id in asking.ids:
                del self._under_way[source, resource][id]


@dataclass(slots=True)
class _Asking:
    """A lookup that is about to be sent."""

    ids: dict[str, None]
    ahead: dict[str, None]
    answer: asyncio.Future[Answer] | None = None


FEW = 10
"""Ids of which it is worth asking whether they are kept, for then nobody need be waited for."""
QUIET = 3
"""Turns of the event loop without a further id, after which a lookup is sent."""


def _gap(fault: Fault) -> Gap:
    return Gap(fault.source, fault.resource, str(fault.code), fault.retryable)
