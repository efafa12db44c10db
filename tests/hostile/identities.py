"""Who is who where sources have ids of their own, computed in plain Python from what each source means.

Equal ids are one thing. Records that share a key are one thing, unless two records of one source or two values of a key
that a thing has once would become one: then nothing of that is linked. A thing has the id of its first record from a
source with shared ids, in the order of authority; where there is none, of its first record. Afterwards the records of
all sources are in these ids, and everything else is as if no source had ids of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sources.demo.habits import Habits
from sources.standard import RESOURCES
from sources.standard.model import Property, Reference, Structure
from tests.oracle import identity

from .worlds import Raw

Records = Mapping[str, Mapping[str, Sequence[Raw]]]
Place = tuple[str, str, str]
"""Source, resource, and the source's own id."""
ONCE = {"civicNo", "schoolUnitCode", "organisationCode"}
"""Keys of which a thing has one value."""


@dataclass
class Identified:
    """``records`` are in the gateway's ids. ``named``: the id of each thing's records; ``also``: per resource, ids that
    lead to another one. ``locals``: per source, resource and the gateway's id, the source's.
    """

    records: dict[str, dict[str, list[Raw]]] = field(default_factory=dict)
    named: dict[Place, str] = field(default_factory=dict)
    also: dict[tuple[str, str], str] = field(default_factory=dict)
    locals: dict[Place, str] = field(default_factory=dict)
    conflicts: set[Place] = field(default_factory=set)
    kinds: dict[Place, set[str]] = field(default_factory=dict)
    """The keys by which a record may have been recognised."""

    def id(self, source: str, resource: str, local: str) -> str:
        found = self.named.get((source, resource, local), local)
        return self.also.get((resource, found), found)

    def matched(self, source: str, resource: str, id: str) -> frozenset[str]:
        """What may be said of how a source's record was found to be the thing."""
        local = self.locals[source, resource, id]
        return frozenset({"id"} if local == id else self.kinds.get((source, resource, local)) or {"id"})


@dataclass(frozen=True)
class _Node:
    source: str
    local: str
    keys: frozenset[tuple[str, ...]]
    during: tuple[str, str]


def identified(
    records: Records,
    habits: Mapping[str, Habits],
    rules: Mapping[str, Sequence[str]],
    servers: Callable[[str], Sequence[str]],
    lost: Collection[tuple[str, str]],
) -> Identified:
    """``records`` are in the ids that sources without ids of their own use; ``servers``: first authority first."""
    sent = {
        source: {name: [_with_ids(name, record, habits[source].own_id) for record in of] for name, of in served.items()}
        for source, served in records.items()
    }
    found = Identified()
    for resource in ("Organisation", "Person", "Duty"):  # what duties are known by are persons and organisations
        own = {source for source in sent if resource in habits[source].own_ids and resource in sent[source]}
        if own and rules.get(resource):
            nodes = [
                _node(source, resource, record, rules[resource], found)
                for source in servers(resource)
                if (source, resource) not in lost
                for record in sent[source][resource]
            ]
            _link(resource, [*dict.fromkeys(nodes)], own, found)
    for source, served in sent.items():
        here: dict[str, list[Raw]] = {}
        for name, of in served.items():
            here[name] = []
            for record in of:
                made = _with_ids(name, record, lambda target, id, source=source: found.id(source, target, id))
                found.locals.setdefault(
                    (source, name, identity(RESOURCES[name], made)), identity(RESOURCES[name], record)
                )
                here[name].append(made)
        found.records[source] = here
    return found


def _link(resource: str, nodes: Sequence[_Node], own: Collection[str], found: Identified) -> None:
    for members in _components(nodes, _linked):
        if _sound(members):
            things = [members]
        else:
            things = list(_components(members, lambda one, other: one.local == other.local))
            if len(things) > 1:
                found.conflicts |= {(node.source, resource, node.local) for node in members}
        for thing in things:
            first = next((node for node in thing if node.source not in own), thing[0])
            for node in thing:
                found.named[node.source, resource, node.local] = first.local
                if node.source not in own and node.local != first.local:
                    found.also[resource, node.local] = first.local
                found.kinds[node.source, resource, node.local] = {
                    key[0]
                    for other in thing
                    if other is not node and _linked(node, other)
                    for key in node.keys & other.keys
                }


def _linked(one: _Node, other: _Node) -> bool:
    shared = one.keys & other.keys
    if any(key[0] == "person" for key in shared):  # of duties
        apart = one.during[0] > other.during[1] or other.during[0] > one.during[1]
        if apart or one.source == other.source:
            return one.local == other.local
    return one.local == other.local or bool(shared)


def _components(nodes: Sequence[_Node], linked: Callable[[_Node, _Node], bool]) -> Iterator[list[_Node]]:
    """The nodes that are linked, each in the order in which they came."""
    left = dict.fromkeys(nodes)
    while left:
        waiting, reached = [next(iter(left))], set()
        while waiting:
            here = waiting.pop()
            if here not in reached:
                reached.add(here)
                waiting += [each for each in left if each not in reached and linked(here, each)]
        yield [each for each in left if each in reached]
        left = {each: None for each in left if each not in reached}


def _sound(members: Sequence[_Node]) -> bool:
    per_source = {(node.source, node.local) for node in members}
    if len(per_source) != len({source for source, _ in per_source}):
        return False
    once = {key for node in members for key in node.keys if key[0] in ONCE}
    return len(once) == len({key[0] for key in once})


# Keys


def _node(source: str, resource: str, record: Raw, kinds: Sequence[str], found: Identified) -> _Node:
    keys = frozenset(key for kind in kinds for key in _KEYS[kind](record, lambda of, id: found.id(source, of, id)))
    during = (record.get("startDate") or "0000", record.get("endDate") or "9999") if resource == "Duty" else ("", "")
    return _Node(source, str(record["id"]), keys, during)


Ids = Callable[[str, str], str]


def _civic(record: Raw, ids: Ids) -> Iterator[tuple[str, ...]]:
    text = re.sub(r"\s", "", (record.get("civicNo") or {}).get("value") or "")
    if re.fullmatch(r"\d{8}-?\d{4}", text):
        yield "civicNo", text.replace("-", "")
    born = (record.get("birthDate") or "").replace("-", "")
    if re.fullmatch(r"\d{6}[-+]?\d{4}", text) and text[:6] == born[2:]:
        yield "civicNo", born + text[-4:]


def _principal(record: Raw, ids: Ids) -> Iterator[tuple[str, ...]]:
    for name in record.get("eduPersonPrincipalNames") or ():
        if name.strip():
            yield "eduPersonPrincipalName", name.strip().lower()


def _external(record: Raw, ids: Ids) -> Iterator[tuple[str, ...]]:
    for each in record.get("externalIdentifiers") or ():
        if each.get("globallyUnique") and each.get("context") and each.get("value"):
            yield "externalIdentifier", each["context"], each["value"]


def _code(name: str) -> Callable[[Raw, Ids], Iterator[tuple[str, ...]]]:
    def read(record: Raw, ids: Ids) -> Iterator[tuple[str, ...]]:
        if (record.get(name) or "").strip():
            yield name, record[name].strip().upper()

    return read


def _duty(record: Raw, ids: Ids) -> Iterator[tuple[str, ...]]:
    if record.get("person") and record.get("dutyAt"):
        person, unit = ids("Person", record["person"]["id"]), ids("Organisation", record["dutyAt"]["id"])
        yield "person", person, unit, str(record.get("dutyRole"))


_KEYS: Mapping[str, Callable[[Raw, Ids], Iterator[tuple[str, ...]]]] = {
    "civicNo": _civic,
    "eduPersonPrincipalName": _principal,
    "externalIdentifier": _external,
    "schoolUnitCode": _code("schoolUnitCode"),
    "organisationCode": _code("organisationCode"),
    "person": _duty,
}


# Ids in records


def mentioned(resource: str) -> set[str]:
    """The resources whose ids a record holds."""
    found: set[str] = {"Person"} if resource == "Activity" else set()
    waiting: list[Property] = [*RESOURCES[resource].properties]
    while waiting:
        kind = waiting.pop().type
        if isinstance(kind, Reference):
            found.add(kind.target)
        elif isinstance(kind, Structure):
            waiting += kind.properties
    return found


def _with_ids(resource: str, record: Raw, convert: Ids) -> Raw:
    made = _object(record, RESOURCES[resource].columns, convert)
    return {**made, "id": convert(resource, record["id"])} if "id" in record else made


def _object(value: Raw, columns: Mapping[str, Property], convert: Ids) -> dict[str, Any]:
    return {name: _one(columns[name], item, convert) if name in columns else item for name, item in value.items()}


def _one(prop: Property, value: Any, convert: Ids) -> Any:
    if isinstance(value, list):
        return [_one(prop, each, convert) for each in value]
    if value is None:
        return None
    if isinstance(prop.type, Reference):
        return {**value, "id": convert(prop.type.target, value["id"])}
    if isinstance(prop.type, Structure):
        made = _object(value, {each.name: each for each in prop.type.properties}, convert)
        if prop.type.name == "DutyAssignment" and value.get("person"):  # a teacher sent as a person
            made["person"] = {**value["person"], "id": convert("Person", value["person"]["id"])}
        return made
    return value
