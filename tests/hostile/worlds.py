"""Random huvudmän: one to four sources that overlap and disagree over all resources, and decisions over them.

Everything is drawn from a seed, so that a number names the same huvudman for ever. The pools are small, so that sources
often have the same record, the same entry, the same value; most of what can be missing is missing somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Property, Reference, Resource, Scalar, Structure
from tests.oracle import identity

Raw = Mapping[str, Any]
Records = Mapping[str, Mapping[str, Sequence[Raw]]]
"""Source, then resource name, then its records as it means them, in its own order."""

SOURCES = ("sis", "hr", "lms", "schema")
NOBODY = "0f0f0f0f-0000-4000-8000-000000000001"
"""An id that no source has a record of."""
DAYS = ("2025-08-18", "2026-01-31", "2026-03-28", "2026-03-29", "2026-03-30", "2026-06-12")
MOMENTS = (
    "2026-03-28T23:59:59+01:00",
    "2026-03-28T23:00:00Z",
    "2026-03-29T00:00:00+01:00",
    "2026-03-29T01:30:00+01:00",
    "2026-03-29T12:00:00+02:00",
    "2026-03-29T16:59:59-05:00",
    "2026-03-30T00:00:00+02:00",
    "2026-03-30T08:15:00.500+02:00",
    "2026-01-31T08:00:00+01:00",
)
"""Around and within the Sunday on which the clock is put forward."""
NAMES = ("9A", "9B", "adam", "Adam", "Édith", "Zeb", "Ångström", "Ängel", "Östen", "Yngve", "Ülle", "Anna Maria", "")
NAMED = {"displayName", "givenName", "middleName", "familyName", "name", "subjectName", "courseName"}
WORDS = ("alfa", "Beta", "öl", "11", "", "alfa beta")
CIVIC_NUMBERS = ("201001019999", "201212312389", "198507069805")
MARKINGS = ("Ingen", "Ingen", "Ingen", "Ingen", "Sekretessmarkering", "Skyddad folkbokföring", "Påhittad")
INVENTED = "Påhittad"
"""A value of every enumeration that the standard does not know."""

ALWAYS = {
    ("Responsible", "person"), ("Responsible", "relationType"), ("GroupMembership", "person"),
    ("AssignmentRole", "group"),
}  # fmt: skip
"""Parts of entries that are never missing: an entry without them says nothing."""
MERGED_OVER_ALL = ("id", "meta", "securityMarking")
"""Properties for which no single source can be named."""


@dataclass(frozen=True)
class Deletion:
    """What a source says it deleted: the id as if it had none of its own."""

    resource: str
    id: str
    at: str


@dataclass(frozen=True)
class World:
    """``holds``: per source and resource the properties that it declares; ``authority``: as in gateway.yaml.

    ``identity``: per resource, the keys by which records are recognised; ``scopes``: per source, the part it is for;
    ``deleted``: per source, what it says it deleted. ``known``: per resource, ids worth asking for beside the pool's.
    """

    seed: str
    records: Records
    holds: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    authority: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    show_protected: bool = False
    identity: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scopes: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    deleted: Mapping[str, Sequence[Deletion]] = field(default_factory=dict)
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def ids(self, resource: str) -> Sequence[str]:
        """What can be asked for."""
        return self.known.get(resource) or ids(resource)

    @property
    def configuration(self) -> dict[str, Any]:
        """What of gateway.yaml decides about the answer: who serves what, who holds what, who is heard."""
        return {
            "sources": {
                source: {
                    "resources": [RESOURCES[name].plural for name in served],
                    "holds": {name: list(known) for name, known in self.holds.get(source, {}).items()},
                    **({"scope": dict(self.scopes[source])} if source in self.scopes else {}),
                }
                for source, served in self.records.items()
            },
            "authority": {name: dict(rules) for name, rules in self.authority.items()},
        }


# Ids


@cache
def ids(resource: str) -> tuple[str, ...]:
    """The ids of a resource's records; the pool is in another order than that of the ids."""
    kind = list(RESOURCES).index(resource) + 0xA0
    return tuple(f"{kind:08x}-0000-4000-8000-{number:012x}" for number in (3, 1, 4, 2))


# Values

ENTRIES = 5
"""How many different entries of one kind a world has."""


class _Rng(Random):
    """A generator that knows whose world it draws."""

    def __init__(self, seed: str, world: str) -> None:
        super().__init__(seed)
        self.world = world


Maker = Callable[[Random], Any]


def _one_of(values: Sequence[Any]) -> Maker:
    return lambda rng: rng.choice(values)


def _reference(target: str) -> Maker:
    pool = (*ids(target), NOBODY)

    def make(rng: Random) -> Any:
        made = {"id": rng.choice(pool)}
        if rng.random() < 0.2:
            made["displayName"] = "a name of the reference's own"
        if target == "Person" and rng.random() < 0.2:
            made["securityMarking"] = rng.choice(MARKINGS)
        return made

    return make


def _scalar(kind: Scalar, name: str, within: str) -> Maker:
    match kind:
        case Scalar.DATE:
            return _one_of(DAYS)
        case Scalar.DATE_TIME:
            return _one_of(MOMENTS)
        case Scalar.TIME:
            return _one_of(("08:00", "15:30"))
        case Scalar.INTEGER:
            return _one_of((0, 1, 9, 100))
        case Scalar.BOOLEAN:
            return _one_of((True, False))
        case Scalar.EMAIL:
            return _one_of(("a@x.se", "b@x.se", "Å@x.se"))
        case Scalar.URI:
            return _one_of(("https://x.example/1", "https://x.example/2"))
    if within == "CivicNo" and name == "value":
        return _one_of(CIVIC_NUMBERS)
    return _one_of(NAMES if name in NAMED else WORDS)


def _enumeration(kind: Enumeration) -> Maker:
    if kind.name == "SecurityMarking":
        return _one_of(MARKINGS)
    return _one_of((*kind.values[:2], kind.values[-1], INVENTED))


def _structure(kind: Structure) -> Maker:
    parts = [(prop.name, _value(prop, kind.name), (kind.name, prop.name) in ALWAYS) for prop in kind.properties]

    def make(rng: Random) -> Any:
        # one of a few entries of this world, whoever has it, so that sources have entries in common
        assert isinstance(rng, _Rng)
        own = _Rng(f"{rng.world} {kind.name} {rng.randint(1, ENTRIES)}", rng.world)
        made: dict[str, Any] = {}
        for name, value, always in parts:
            lot = 1.0 if always else own.random()
            if lot < 0.1:
                made[name] = None
            elif lot > 0.25:
                made[name] = value(own)
        return made

    return make


def _value(prop: Property, within: str) -> Maker:
    kind = prop.type
    if isinstance(kind, Reference):
        one = _reference(kind.target)
    elif isinstance(kind, Structure):
        one = _structure(kind)
    elif isinstance(kind, Enumeration):
        one = _enumeration(kind)
    else:
        one = _scalar(kind, prop.name, within)
    return (lambda rng: [one(rng) for _ in range(rng.choice((0, 1, 2, 2, 3)))]) if prop.many else one


@cache
def _makers(resource: str) -> tuple[tuple[str, Maker, bool], ...]:
    """Per property: name, maker, and whether it is always there (what a record without id is known by)."""
    of = RESOURCES[resource]
    key = () if of.has_id else of.key
    return tuple(
        (prop.name, _value(prop, resource), prop.name in key and (prop.required or isinstance(prop.type, Reference)))
        for prop in of.properties
        if prop.name != "id"
    )


# Records


def _record(resource: Resource, id: str | None, rng: Random, missing: float) -> Raw:
    made: dict[str, Any] = {} if id is None else {"id": id}
    for name, value, always in _makers(resource.name):
        lot = 1.0 if always else rng.random()
        if lot < missing / 3:
            made[name] = None
        elif lot > missing:
            made[name] = value(rng)
    if resource.name == "AggregatedAttendance":
        # a sum over no day at all lies in no window, and in every one that is not split: nobody can say
        made["startDate"], made["endDate"] = sorted((made["startDate"], made["endDate"]))
    return made


def _records(resource: Resource, rng: Random) -> list[Raw]:
    missing = rng.choice((0.1, 0.3, 0.6))
    if resource.has_id:
        pool = ids(resource.name)
        found = [_record(resource, id, rng, missing) for id in rng.sample(pool, rng.randint(0, len(pool)))]
    else:
        found = [_record(resource, None, rng, missing) for _ in range(rng.randint(0, 4))]
        found = list({identity(resource, record): record for record in found}.values())
    if found and rng.random() < 0.15:  # a source may repeat itself, but it does not contradict itself
        found.insert(rng.randint(0, len(found)), rng.choice(found))
    return found


def world(seed: str) -> World:
    """The huvudman of a seed."""
    rng = _Rng(f"world {seed}", seed)
    names = SOURCES[: rng.choice((1, 2, 2, 3, 3, 4))]
    records: dict[str, dict[str, list[Raw]]] = {name: {} for name in names}
    for resource in RESOURCES.values():
        for name in names:
            if rng.random() < 0.75:
                records[name][resource.name] = _records(resource, rng)
    for name in names:
        if not records[name]:
            records[name]["Person"] = _records(RESOURCES["Person"], rng)
    holds = {name: _holds(records[name], rng) for name in names}
    authority = {
        resource: decided
        for resource in RESOURCES
        if (decided := _decisions(resource, [name for name in names if resource in records[name]], holds, rng))
    }
    return World(seed, records, holds, authority, rng.random() < 0.25)


# Configuration


def _holds(served: Mapping[str, Sequence[Raw]], rng: Random) -> dict[str, list[str]]:
    if rng.random() < 0.4:
        return {}
    return {
        resource: [
            column for column in RESOURCES[resource].columns if column in RESOURCES[resource].key or rng.random() < 0.7
        ]
        for resource in served
        if rng.random() < 0.4
    }


def _decisions(
    resource: str, serving: Sequence[str], holds: Mapping[str, Mapping[str, Sequence[str]]], rng: Random
) -> dict[str, Any]:
    if not serving or rng.random() < 0.2:
        return {}
    found: dict[str, Any] = {}
    if rng.random() < 0.4:
        found["exists"] = _some(serving, rng)
    if rng.random() < 0.5:
        found["order"] = _some(serving, rng)
    key = RESOURCES[resource].key  # what a record is known by is known to all who have it
    columns = [column for column in RESOURCES[resource].columns if column not in (*MERGED_OVER_ALL, *key)]
    fields = {}
    for column in rng.sample(columns, min(len(columns), rng.choice((0, 0, 1, 2)))):
        knowing = [name for name in serving if column in holds[name].get(resource, columns)]
        if knowing:
            fields[column] = _some(knowing, rng)
    if fields:
        found["fields"] = fields
    many = [column for column in columns if RESOURCES[resource].columns[column].many]
    lists = {column: rng.choice(("union", "first")) for column in many if rng.random() < 0.3}
    if lists:
        found["lists"] = lists
    return found


def _some(names: Sequence[str], rng: Random) -> list[str]:
    return rng.sample(names, rng.randint(1, len(names)))
