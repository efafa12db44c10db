"""Puts together what is known of ids, when an operation needs it: once for all operations, again after a while."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from sources.canonical import NAMESPACE
from sources.errors import Fault
from sources.records import Answer
from sources.requests import Query
from sources.standard import RESOURCES
from sources.standard.model import Reference
from sources.standard.values import references

from ..contracts import EntityId, LocalId, SourcePort
from ..policy import OPEN_MARKING
from .clusters import Clusters, Node, Place, clusters
from .keys import KINDS, SAME_TIME, IdentityRule, keys
from .known import Known
from .store import Remembered, Store
from .translate import Met, incoming

REFRESH = 600.0
"""Seconds until the sources' lists are read again for ids that appeared or were linked since."""
RETRY = 30.0
"""The same, where a source could not be read."""

NOTHING = Known()


class Identities:
    """The identities of one federation. ``servers``: per resource its sources, first authority first."""

    def __init__(
        self,
        rules: Mapping[str, IdentityRule],
        sources: Mapping[str, SourcePort],
        servers: Mapping[str, Sequence[str]],
        store: Store | None = None,
        refresh: float = REFRESH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = {
            resource: rule
            for resource, rule in rules.items()
            if any(resource in sources[name].capabilities.own_ids for name in servers[resource])
        }
        self._sources = sources
        self._servers = servers
        self._store = store or Store()
        self._refresh = refresh
        self._clock = clock
        self._known: dict[str, Known] = {}
        self._until: dict[str, float] = {}
        self._building: dict[str, asyncio.Lock] = {}
        self._serials = itertools.count(1)

    def concerned(self, resource: str, expand: Iterable[str] = ()) -> frozenset[str]:
        """The resources whose ids differ between sources, of those that records of this one hold ids of.

        ``expand`` names what is embedded in them.
        """
        if not self._rules:
            return frozenset()
        named = (resource, *(RESOURCES[resource].expand[name].resource for name in expand))
        return frozenset(each for name in named for each in _mentioned(name) if each in self._rules)

    def rules(self, resource: str) -> bool:
        """Whether ids of this very resource differ between sources."""
        return resource in self._rules

    def unread(self, resource: str) -> tuple[str, ...]:
        """The sources that will be read, of those of the resource, when next its ids must be known."""
        return () if self._fresh(resource) else self._readers(resource)

    async def known(self, resource: str, deadline: float) -> Known:
        """What is known of a resource's ids; its sources are read where that is too long ago.

        ``deadline`` is a time of the running loop: a source that has not answered by then is among the ``faults``.
        """
        if self._fresh(resource):
            return self._known[resource]
        lock = self._building.setdefault(resource, asyncio.Lock())
        try:
            async with asyncio.timeout_at(deadline):
                await lock.acquire()
        except TimeoutError:
            return self._known.get(resource, NOTHING)
        try:
            if not self._fresh(resource):
                self._known[resource] = found = await self._build(resource, deadline)
                self._until[resource] = self._clock() + (min(RETRY, self._refresh) if found.faults else self._refresh)
        finally:
            lock.release()
        return self._known[resource]

    def _fresh(self, resource: str) -> bool:
        return resource in self._known and self._until[resource] > self._clock()

    async def note(self, resource: str, places: Iterable[Place]) -> None:
        """Remember that records, met before their source's list was read again, were shown under their own ids."""
        links = {place: place[1] for place in places}
        await asyncio.to_thread(self._store.write, resource, links.values(), links, None)

    async def _build(self, resource: str, deadline: float) -> Known:
        columns = self._columns(resource)
        own = frozenset(n for n in self._servers[resource] if resource in self._sources[n].capabilities.own_ids)
        others = {
            each: await self.known(each, deadline)
            for each in _mentioned(resource) & self._rules.keys() - {resource}
            if any(_refers(resource, column, each) for column in columns)
        }
        readers = self._readers(resource)
        answers = await asyncio.gather(*(self._read(name, resource, columns, deadline) for name in readers))
        remembered = await asyncio.to_thread(self._store.read, resource)
        nodes: list[Node] = []
        faults: list[Fault] = []
        for name, answer in zip(readers, answers, strict=True):
            seen = dict.fromkeys(self._nodes(resource, incoming(answer, others, Met()), name))
            nodes += seen
            faults += answer.faults
            if answer.faults:  # what is linked there stays so
                there = {node.local for node in seen}
                nodes += (Node(*place) for place in remembered.links if place[0] == name and place[1] not in there)
        single = {kind.name for kind in KINDS[resource].values() if kind.single}
        before = _before(nodes, own, remembered)
        found = await asyncio.to_thread(clusters, nodes, single, before)
        named = _Named(resource, own, remembered, before)
        named.name(found)
        await asyncio.to_thread(self._store.write, resource, named.taken, named.links, named.aliases)
        return replace(named.known(found, tuple(faults)), serial=next(self._serials))

    def _readers(self, resource: str) -> tuple[str, ...]:
        columns = self._columns(resource)
        return tuple(
            name
            for name in self._servers[resource]
            if resource in self._sources[name].capabilities.own_ids or self._holds(name, resource, columns)
        )

    async def _read(self, name: str, resource: str, columns: frozenset[str], deadline: float) -> Answer:
        source = self._sources[name]
        answer = await source.walk(resource, Query(), deadline)
        if not columns & source.capabilities.list_lacks.get(resource, frozenset()):
            return answer
        ids = [each for slab in answer.slabs for each in slab.ids]
        whole = await source.lookup(resource, "ids", ids, (), deadline)
        return Answer(whole.slabs, (*answer.faults, *whole.faults))

    def _columns(self, resource: str) -> frozenset[str]:
        kinds = (KINDS[resource][name] for name in self._rules[resource].keys)
        return frozenset(column for kind in kinds for column in kind.columns)

    def _holds(self, name: str, resource: str, columns: frozenset[str]) -> bool:
        holds = self._sources[name].capabilities.holds.get(resource)
        return holds is None or bool(holds & columns)

    def _nodes(self, resource: str, answer: Answer, source: str) -> Iterable[Node]:
        rule = self._rules[resource]
        dates = SAME_TIME.get(resource)
        for slab in answer.slabs:
            for local, record in zip(slab.ids, slab.records, strict=True):
                yield Node(
                    source,
                    local,
                    keys(resource, rule, record, weak=False),
                    keys(resource, rule, record, weak=True),
                    None if dates is None else (_day(record.get(dates[0])), _day(record.get(dates[1]))),
                    record.get("securityMarking") not in (None, OPEN_MARKING),
                )


def _day(value: object) -> str | None:
    return None if value is None else str(value)


@cache
def _mentioned(resource: str) -> frozenset[str]:
    return frozenset({resource, *(each.target for each in references() if each.resource == resource)})


def _refers(resource: str, column: str, target: str) -> bool:
    return RESOURCES[resource].columns[column].type == Reference(target)


def _before(nodes: Sequence[Node], own: frozenset[str], remembered: Remembered) -> dict[Place, str]:
    """The id that each record was shown under so far. A shared id is its own, once it was seen."""
    found: dict[Place, str] = {}
    for node in nodes:
        id = remembered.links.get(node.place)
        if id is None and node.source not in own and node.local in remembered.things:
            id = node.local
        if id is not None:
            found[node.place] = remembered.aliases.get(id, id)
    return found


class _Named:
    """Gives each thing its id: the oldest that one of its records had, else one that its records bring along."""

    def __init__(self, resource: str, own: frozenset[str], remembered: Remembered, before: Mapping[Place, str]) -> None:
        self.taken: dict[str, None] = {}
        self.links: dict[Place, str] = {}
        self.aliases: dict[str, str] = {}
        self._resource = resource
        self._own = own
        self._remembered = remembered
        self._before = before

    def name(self, found: Clusters) -> None:
        claims = [(self._claims(group), group) for group in found.groups]
        # After a split several things claim one id: it belongs to the one that brought it along.
        claims.sort(key=lambda claim: not any(node.local in claim[0] for node in claim[1]))
        unnamed = []
        for claimed, group in claims:
            id = next((each for each in claimed if each not in self.taken), None)
            if id is None:
                unnamed.append((claimed, group))
            else:
                self._give(id, claimed, group)
        for claimed, group in unnamed:
            self._give(self._new(group), claimed, group)
        for old, id in self._remembered.aliases.items():
            if old not in self.taken:
                self.aliases.setdefault(old, self.aliases.get(id, id))

    def _claims(self, group: Sequence[Node]) -> list[str]:
        ids = dict.fromkeys(self._before[node.place] for node in group if node.place in self._before)
        return sorted(ids, key=lambda id: self._remembered.things.get(id, len(self._remembered.things)))

    def _new(self, group: Sequence[Node]) -> str:
        shared = [node.local for node in group if node.source not in self._own]
        for id in (*shared, *(node.local for node in group)):
            if id not in self.taken:
                return id
        return str(uuid.uuid5(NAMESPACE, " ".join((self._resource, *group[0].place))))

    def _give(self, id: str, claimed: Sequence[str], group: Sequence[Node]) -> None:
        self.taken[id] = None
        for node in group:
            if node.source in self._own or node.local != id or node.place in self._remembered.links:
                self.links[node.place] = id
            if node.source not in self._own and node.local != id:
                self.aliases[node.local] = id
        self.aliases.update((old, id) for old in claimed if old != id and old not in self.taken)

    def known(self, found: Clusters, faults: tuple[Fault, ...]) -> Known:
        locals_: dict[str, dict[EntityId, LocalId]] = {}
        for (source, local), id in self.links.items():
            locals_.setdefault(source, {})[EntityId(id)] = LocalId(local)
        return Known(
            self._own,
            {place: EntityId(id) for place, id in self.links.items()},
            locals_,
            {EntityId(old): EntityId(id) for old, id in self.aliases.items() if old not in self.taken},
            frozenset(self.taken) | frozenset(self._remembered.things),
            found.matched,
            found.conflicts,
            found.splits,
            faults,
        )
