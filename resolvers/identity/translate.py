"""Requests and answers across the border between the gateway's ids and one source's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

from sources.canonical import synthetic_id
from sources.errors import Fault
from sources.records import Answer, Embedded, Record, Slab
from sources.requests import Query
from sources.standard import RESOURCES
from sources.standard.model import Resource
from sources.standard.values import looks_up, references, refers_to
from sources.walks import Reader

from ..contracts import EntityId, Fetch, List, Lookup, Page, Scan
from .clusters import Place
from .known import Known

Knowns = Mapping[str, Known]
"""Per resource whose ids differ between sources, what is known of them."""

_FURTHER: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]] = {"Activity": ((("teachers", "person"), "Person"),)}
"""References that the standard does not have, and that are read all the same."""


@dataclass(slots=True)
class Met:
    """The ids met in an answer that deserve a word."""

    unresolved: dict[str, dict[Place, None]] = field(default_factory=dict)
    """Per resource, own ids of a source that no list has shown yet."""
    conflicts: dict[str, dict[Place, None]] = field(default_factory=dict)
    splits: dict[str, dict[Place, None]] = field(default_factory=dict)
    unlinked: dict[str, None] = field(default_factory=dict)
    """Resources of which a record is linked to nothing, while not all sources could be read for links."""
    unasked: dict[Fault, None] = field(default_factory=dict)
    """Why a source is not asked for things that it may have: what links its own ids to them could not be read."""


def outgoing(fetch: Fetch, knowns: Knowns, met: Met) -> Fetch | None:
    """The fetch in the source's ids; None where the source has nothing of what it asks for."""
    op = fetch.op
    if isinstance(op, Lookup):
        known = knowns.get(looks_up(fetch.resource, op.key) or "")
        if known is None:
            return fetch
        values = _locals(known, fetch.source, op.values, met)
        ahead = _locals(known, fetch.source, op.ahead, met)
        return replace(fetch, op=replace(op, values=values, ahead=ahead)) if values else None
    if not isinstance(op, List | Page | Scan):
        return fetch
    query = _query(fetch, op.query, knowns, met)
    if query is None:
        return None
    known = knowns.get(fetch.resource)
    if isinstance(op, Scan):
        if known is not None:
            convert = partial(_id, fetch.source, fetch.resource, known, met)
            return replace(fetch, op=Scan(query, _Translating(op.read, convert)))
        if not RESOURCES[fetch.resource].has_id:
            return replace(fetch, op=Scan(query, op.read, partial(_key, fetch.source, fetch.resource, knowns, met)))
    return replace(fetch, op=replace(op, query=query))


@dataclass(frozen=True, slots=True)
class _Translating:
    """A reader of a source's ids for one that reads the gateway's."""

    inner: Reader
    convert: Callable[[str], str]

    def begin(self) -> None:
        self.inner.begin()

    def restart(self) -> None:
        self.inner.restart()

    def read(self, ids: Sequence[str]) -> bool:
        return self.inner.read([self.convert(each) for each in ids])


def _locals(known: Known, source: str, ids: Sequence[str], met: Met) -> tuple[str, ...]:
    found = [known.local(source, EntityId(id)) for id in ids]
    if source in known.own and any(not known.linked(source, EntityId(id)) for id in ids):
        met.unasked.update((fault, None) for fault in known.faults)
    return tuple(dict.fromkeys(id for id in found if id is not None))


def _query(fetch: Fetch, query: Query, knowns: Knowns, met: Met) -> Query | None:
    declared = RESOURCES[fetch.resource].parameter
    parameters: dict[str, tuple[str, ...]] = {}
    for name, values in query.parameters:
        parameter = declared.get(name)
        known = knowns.get(refers_to(parameter) or "") if parameter is not None else None
        parameters[name] = values if known is None else _locals(known, fetch.source, values, met)
        if values and not parameters[name]:
            return None
    return Query.of(parameters, query.expand, query.sortkey)


def incoming(answer: Answer, knowns: Knowns, met: Met) -> Answer:
    """The answer in the gateway's ids."""
    return replace(answer, slabs=tuple(_slab(slab, knowns, met) for slab in answer.slabs)) if knowns else answer


def _slab(slab: Slab, knowns: Knowns, met: Met) -> Slab:
    resource = RESOURCES[slab.resource]
    paths = _translated(slab.resource, knowns)
    known = knowns.get(slab.resource)
    embedded = {name: _embedded(slab, name, each, knowns, met) for name, each in slab.embedded.items()}
    if known is None and not paths:
        return slab.translated(slab.ids, slab.records, embedded) if embedded else slab
    ids: list[str] = []
    records: list[Record] = []
    for local, sent in zip(slab.ids, slab.records, strict=True):
        record = _referring(slab.source, sent, paths, knowns, met)
        id = _id(slab.source, slab.resource, known, met, local) if known else _made(resource, local, sent, record)
        ids.append(id)
        records.append(record if id == local else {**record, "id": id})
    return slab.translated(ids, records, embedded)


def _key(source: str, resource: str, knowns: Knowns, met: Met, sent: Record) -> str:
    """The id that a record of a resource without ids has among the gateway's."""
    record = _referring(source, sent, _translated(resource, knowns), knowns, met)
    return _made(RESOURCES[resource], str(sent["id"]), sent, record)


_Paths = Sequence[tuple[tuple[str, ...], str]]


def _translated(resource: str, knowns: Knowns) -> _Paths:
    """Where a record holds ids that differ between sources, and what they are ids of."""
    return [(path, target) for path, target in _paths(resource) if target in knowns]


def _referring(source: str, record: Record, paths: _Paths, knowns: Knowns, met: Met) -> Record:
    """The record with what it refers to in the gateway's ids."""
    for path, target in paths:
        record = _at(record, path, partial(_id, source, target, knowns[target], met))
    return record


def _embedded(parent: Slab, name: str, embedded: Embedded, knowns: Knowns, met: Met) -> Embedded:
    slab = _slab(embedded.slab, knowns, met)
    path = RESOURCES[parent.resource].expand[name].path
    if slab is embedded.slab:
        return embedded
    elements = [
        {**element, path: record} if path else record
        for element, record in zip(embedded.elements, slab.records, strict=True)
    ]
    return replace(embedded, slab=slab, elements=elements)


def _id(source: str, resource: str, known: Known, met: Met, local: str) -> str:
    place = (source, local)
    if place in known.conflicts:
        met.conflicts.setdefault(resource, {})[place] = None
    if place in known.splits:
        met.splits.setdefault(resource, {})[place] = None
    if known.unresolved(source, local):
        met.unresolved.setdefault(resource, {})[place] = None
    id = known.canonical(known.entity(source, local))
    if known.faults and source in known.own and id == local:
        met.unlinked[resource] = None
    return id


def _made(resource: Resource, local: str, sent: Record, record: Record) -> str:
    """The id of a record whose resource has none: it is made of the key, which holds other records' ids."""
    if resource.has_id or record is sent or local != synthetic_id(resource, sent):
        return local
    return synthetic_id(resource, record) or local


@cache
def _paths(resource: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    found = [(each.path, each.target) for each in references() if each.resource == resource]
    return (*found, *_FURTHER.get(resource, ()))


def _at(record: Record, path: tuple[str, ...], convert: Callable[[str], str]) -> Record:
    """The record with the ids at a path converted; the same object where nothing changes."""
    changed = _within(record, path, convert)
    return changed if isinstance(changed, Mapping) else record


def _within(value: object, path: tuple[str, ...], convert: Callable[[str], str]) -> object:
    if isinstance(value, list):
        items = [_within(item, path, convert) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if not isinstance(value, Mapping):
        return value
    if not path:
        id = value.get("id")
        new = convert(id) if isinstance(id, str) else id
        return value if new == id else {**value, "id": new}
    inner = value.get(path[0])
    if inner is None:
        return value
    new = _within(inner, path[1:], convert)
    return value if new is inner else {**value, path[0]: new}
