"""Random questions about a world: GraphQL documents that in their sum ask for everything that can be asked.

A question is a tree of fields, so that it can be made smaller while something is wrong with its answer. What may be
selected is read from the schema; what of it the oracle can answer stands here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
)

from gateway.app import schema
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Resource, Structure
from sources.standard.values import structures
from tests.official_relations import BACKWARDS, OFFICIAL, OfficialRelation
from tests.oracle import STOCKHOLM, kind_at, values_at
from tests.oracle_query import LEADING_BACK, enum_name

from .oracle import JOINED, UNRECOGNISED, column_of, knows
from .worlds import DAYS, NOBODY, World

NOTHING = "nothing has this"
BY_SOURCE = ("presentIn", "absentFrom")
"""Fields of filters that name sources."""


@dataclass(frozen=True)
class Field:
    """A field of a query; ``arguments`` are literals."""

    name: str
    alias: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    inner: tuple[Field, ...] = ()

    @property
    def key(self) -> str:
        return self.alias or self.name

    def __str__(self) -> str:
        given = f"({', '.join(f'{name}: {value}' for name, value in self.arguments.items())})" * bool(self.arguments)
        alias = f"{self.alias}: " if self.alias else ""
        below = f" {{ {' '.join(map(str, self.inner))} }}" * bool(self.inner)
        return f"{alias}{self.name}{given}{below}"


@dataclass(frozen=True)
class Question:
    """Root fields asked together. ``walk``: a list to be read to its end, so many records at a time."""

    fields: tuple[Field, ...]
    walk: int | None = None
    asked: frozenset[str] = frozenset()
    """What of the standard the question is about, as ``TARGETS`` name it."""

    def __str__(self) -> str:
        return f"{{ {' '.join(map(str, self.fields))} }}"


PROVENANCE = Field(
    "provenance",
    inner=(
        Field("sources", inner=(Field("name"), Field("id"), Field("matchedBy"))),
        Field("fields", inner=(Field("name"), Field("source"))),
        Field("conflicts", inner=(Field("field"), Field("source"))),
    ),
)


# What can be asked


@dataclass(frozen=True)
class _Possible:
    """A field that may be selected on a type."""

    name: str
    type: str | None
    """The name of the type below it; None for a leaf."""
    arguments: frozenset[str]


_LISTED = {"on", "during", "filter", "orderBy", "first"}


def _types() -> Mapping[str, Any]:
    return schema()._schema.type_map


@cache
def possible(type_name: str) -> tuple[_Possible, ...]:
    """The fields of a type that the oracle can answer."""
    declared = RESOURCES.get(type_name) or next((each for each in structures() if each.name == type_name), None)
    known = {"id", "meta", "displayName"} if isinstance(declared, Resource) else set()
    known |= {relation.inverse for relation in OFFICIAL if relation.target == type_name}
    known |= {"calendarEvents"} if type_name in ("Duty", "Group") else set()
    known |= LEADING_BACK if declared is None or isinstance(declared, Structure) else set()
    known |= {"person"} if type_name == "DutyAssignment" else set()
    if declared is None:  # an entry with a name of its own
        declared = next(each for each in structures() if each.name == "Responsible")
    for prop in declared.properties:
        known |= {prop.name, f"{prop.name}Text"} if isinstance(prop.type, Enumeration) else {prop.name}
    found = []
    for name, made in _types()[type_name].fields.items():
        kind = get_named_type(made.type)
        if name in known:
            below = kind.name if isinstance(kind, GraphQLObjectType) else None
            found.append(_Possible(name, below, frozenset(made.args)))
    return tuple(found)


def _required(type_name: str, name: str) -> bool:
    """Whether the field must be asked for a period."""
    during = _types()[type_name].fields[name].args.get("during")
    return during is not None and isinstance(during.type, GraphQLNonNull)


@dataclass(frozen=True)
class Leaf:
    """A field of a filter: its name with dots, its GraphQL type, and whether it takes several values."""

    name: str
    kind: str
    many: bool
    choices: tuple[str, ...] = ()


@cache
def filters(resource: str) -> Mapping[str, Leaf]:
    """The filter's fields of a resource that the oracle can answer, by name; ``subtree`` goes with another."""
    return {leaf.name: leaf for leaf in leaves(resource) if knows(resource, leaf.name)}


@cache
def leaves(resource: str) -> tuple[Leaf, ...]:
    """All fields of a resource's filter, as the schema has them, without ``subtree``."""
    made = _types()["Query"].fields[RESOURCES[resource].plural].args.get("filter")
    return () if made is None else tuple(_leaves(get_named_type(made.type)))


def _leaves(of: Any, prefix: str = "") -> Iterator[Leaf]:
    for name, made in of.fields.items():
        kind = get_named_type(made.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from _leaves(kind, f"{prefix}{name}.")
        elif name != "subtree":
            many = isinstance(get_nullable_type(made.type), GraphQLList)
            values = kind.values if isinstance(kind, GraphQLEnumType) else ()
            choices = tuple(each for each in values if each != UNRECOGNISED)
            yield Leaf(f"{prefix}{name}".replace("entityType", "entity.type"), kind.name, many, choices)


def joined(resource: str, parameter: str) -> bool:
    """Whether only other records than the record itself show whether it is selected."""
    return (resource, parameter.removesuffix("Text")) in JOINED or parameter.startswith(("relationship.", "memberOf."))


def _relation_of(type_name: str, name: str) -> OfficialRelation | None:
    """The reference that a field of a type is."""
    for relation in OFFICIAL:
        holder = kind_at(RESOURCES[relation.owner], relation.path[:-1])
        if getattr(holder, "name", "") == type_name and relation.path[-1] == name:
            return relation
    return None


@cache
def targets() -> tuple[str, ...]:
    """Everything that a run has to have asked for."""
    found = []
    for resource in RESOURCES.values():
        found.append(f"list {resource.name}")
        found.append(f"walk {resource.name}")
        if resource.get:
            found += [f"id {resource.name}", f"ids {resource.name}"]
        found += [f"filter {resource.name}.{name}" for name in filters(resource.name)]
        found += [f"sort {resource.name}.{key.name}" for key in resource.sort_keys]
    found += [f"forwards {relation}" for relation in OFFICIAL]
    found += [f"backwards {relation}" for relation in OFFICIAL]
    return tuple(found)


# Values


def pool(world: World, resource: str, parameter: str) -> list[str]:
    """What the records of all sources have for a parameter."""
    path = column_of(resource, parameter).split(".")
    found: set[str] = set()
    for served in world.records.values():
        for record in served.get(resource, ()):
            for value in values_at(record, path):
                found.add(value["id"] if isinstance(value, Mapping) else str(value))
    return sorted(found)


def _value(world: World, resource: str, leaf: Leaf, rng: Random) -> str:
    """One value, as a GraphQL literal: one that something has, one close to it, or one that nothing has."""
    name = leaf.name
    had = _seen(world, resource, name)
    if leaf.choices:
        known = [enum_name(each) for each in had if enum_name(each) in leaf.choices]
        return rng.choice(known if known and rng.random() < 0.8 else leaf.choices)
    match leaf.kind:
        case "Boolean":
            return rng.choice(("true", "false"))
        case "Int":
            return rng.choice([*had, "7"])
        case "Date":
            return json.dumps(_near(rng.choice(had or DAYS), rng))
        case "DateTime":
            return json.dumps(_near(rng.choice(had or ("2026-03-29T00:00:00Z",)), rng))
    if name in BY_SOURCE:
        return json.dumps(rng.choice([source for source, served in world.records.items() if resource in served]))
    if name == "nameContains":
        text = rng.choice([text for text in had if text] or ["a"])
        start = rng.randrange(len(text))
        return json.dumps(rng.choice((str.upper, str.lower, str))(text[start : start + rng.randint(1, 3)]))
    if not had or rng.random() < 0.1:
        return json.dumps(NOBODY if leaf.kind == "ID" else NOTHING)
    value = rng.choice(had)
    if leaf.kind == "ID" and rng.random() < 0.1:
        value = f"{{{value.upper()}}}"
    return json.dumps(value)


_JOINS = {
    "member": "Person", "student": "Person", "teacher": "Duty", "organisation": "Organisation", "group": "Group",
}  # fmt: skip


def _seen(world: World, resource: str, name: str) -> list[str]:
    """What a filter's field may be compared with."""
    if name == "nameContains":
        return [each for part in ("givenName", "middleName", "familyName") for each in pool(world, resource, part)]
    last = name.rpartition(".")[2]
    if (resource, name.removesuffix("Text")) in JOINED:
        return pool(world, "Group", "schoolType") if last.startswith("schoolType") else list(world.ids(_JOINS[last]))
    if name.startswith("relationship."):
        return list(world.ids("Organisation")) if last == "organisation" else []
    if name in ("memberOf.group", *BY_SOURCE):
        return list(world.ids("Group")) if name == "memberOf.group" else []
    if last == "on" or name == "activeOn":
        return []
    found = pool(world, resource, name.replace("enrolment.", "enrolments.").removesuffix("Text"))
    return [*found, *world.ids("Organisation")] if last in ("organisation", "enroledAt") else found


def _near(value: str, rng: Random) -> str:
    """A date or date-time, or one just beside it, or the same instant written otherwise."""
    lot = rng.random()
    if "T" not in value:
        return (date.fromisoformat(value) + timedelta(rng.choice((-1, 1)))).isoformat() if lot < 0.4 else value
    if lot < 0.3:
        return (datetime.fromisoformat(value) + timedelta(milliseconds=rng.choice((-1, 1, -86_400_000)))).isoformat()
    if lot < 0.6:
        return datetime.fromisoformat(value).astimezone(UTC if lot < 0.45 else STOCKHOLM).isoformat()
    return value


# Making questions


class Asker:
    """Makes questions about one world."""

    def __init__(self, world: World, rng: Random, *, provenance: bool = False, deletions: bool = False) -> None:
        self.world = world
        self.provenance = provenance
        self.deletions = deletions
        self.rng = rng
        self.asked: Counter[str] = Counter()
        self._aliases = 0

    def question(self, target: str) -> Question:
        """A question that is about the target, and about whatever else chance brings."""
        self.asked = Counter()
        kind, _, what = target.partition(" ")
        if kind == "walk":
            walked = replace(self.root_list(what, depth=0), inner=())
            return Question((walked,), self.rng.randint(1, 4), frozenset(self.asked | Counter([target])))
        fields = [self.about(kind, what)]
        if self.rng.random() < 0.25:
            fields.append(self.about(*self.rng.choice(targets()).partition(" ")[::2]))
        if self.deletions and self.rng.random() < 0.1:
            fields.append(self.deleted())
        return Question(tuple(fields), None, frozenset(self.asked))

    def about(self, kind: str, what: str) -> Field:
        resource, _, name = what.partition(".")
        if kind == "walk":
            kind = "list"
        match kind:
            case "list":
                return self.root_list(resource, depth=2)
            case "id":
                return self.root_id(resource)
            case "ids":
                return self.root_ids(resource, self.selection(resource, 2))
            case "filter":
                return self.root_list(resource, depth=1, by=name)
            case "sort":
                return self.root_list(resource, depth=1, order=name)
        relation = next(each for each in OFFICIAL if str(each) == what)
        if kind == "forwards":
            return self.root(relation.owner, self.along(relation))
        inverse = next(each for each in possible(relation.target) if each.name == relation.inverse)
        return self.root(relation.target, self.field(relation.target, inverse, 1))

    # Root fields

    def root(self, resource: str, field: Field) -> Field:
        """A root field whose records are asked for the field, and for something else."""
        inner = (field, *self.selection(resource, 1, few=True))
        if RESOURCES[resource].get and self.rng.random() < 0.6:
            return self.root_ids(resource, inner)
        return self.root_list(resource, depth=0, inner=inner)

    def root_id(self, resource: str) -> Field:
        self._count(f"id {resource}")
        name = resource[:1].lower() + resource[1:]
        return Field(name, self.alias(), {"id": json.dumps(self._id(resource))}, self.selection(resource, 2))

    def root_ids(self, resource: str, inner: tuple[Field, ...]) -> Field:
        self._count(f"ids {resource}")
        some = [self._id(resource) for _ in range(self.rng.randint(1, 5))]
        return Field(f"{RESOURCES[resource].plural}ByIds", self.alias(), {"ids": json.dumps(some)}, _once(inner))

    def _id(self, resource: str) -> str:
        id = self.rng.choice((*self.world.ids(resource), NOBODY))
        return f"{{{id.upper()}}}" if self.rng.random() < 0.1 else id

    def root_list(
        self,
        resource: str,
        *,
        depth: int,
        by: str | None = None,
        order: str | None = None,
        inner: tuple[Field, ...] = (),
    ) -> Field:
        self._count(f"list {resource}")
        of, rng = RESOURCES[resource], self.rng
        arguments = self.window(of)
        made = self.filter(of, by) if by is not None or rng.random() < 0.25 else None
        if made is not None:
            arguments["filter"] = made
        if order is not None or (of.sort_keys and rng.random() < 0.25):
            arguments["orderBy"] = self.order(of, order)
        given = _types()["Query"].fields[of.plural].args
        if not of.window and "on" in given and rng.random() < 0.2:
            arguments |= self.period(resource)
        if rng.random() < 0.4:
            arguments["first"] = str(rng.randint(1, 6))
        below = inner or self.selection(resource, depth)
        parts = (
            Field("nodes", inner=_once((Field("id"), *below))),
            Field("complete"),
            Field("gaps", inner=(Field("source"), Field("code"))),
            Field("pageInfo", inner=(Field("hasNextPage"), Field("endCursor"))),
        )
        return Field(of.plural, self.alias(), arguments, parts)

    def window(self, of: Resource) -> dict[str, str]:
        """The arguments that the list requires."""
        if of.name == "CalendarEvent":
            first, last = sorted(
                (datetime.fromisoformat(self.rng.choice(self._moments())) for _ in range(2)), key=datetime.timestamp
            )
            if self.rng.random() < 0.5:
                first, last = first - timedelta(2), last + timedelta(2)
            return {"startTime": f'{{onOrAfter: "{first.isoformat()}", onOrBefore: "{last.isoformat()}"}}'}
        if of.window:
            first_day, last_day = sorted(_near(self.rng.choice(DAYS), self.rng) for _ in range(2))
            return {"startDate": json.dumps(first_day), "endDate": json.dumps(last_day)}
        return {}

    def _moments(self) -> list[str]:
        return pool(self.world, "CalendarEvent", "startTime") or ["2026-03-29T12:00:00+02:00"]

    def deleted(self) -> Field:
        self._count("deletedEntities")
        arguments = {}
        if self.rng.random() < 0.5:
            kinds = [each for each in RESOURCES if RESOURCES[each].deleted]
            some = self.rng.sample(kinds, self.rng.randint(1, 9))
            arguments["entities"] = f"[{', '.join(enum_name(each) for each in some)}]"
        if self.rng.random() < 0.5:
            arguments["after"] = json.dumps("2026-02-01T00:00:00Z")
        node = (Field("source"), Field("resource"), Field("id"))
        return Field("deletedEntities", self.alias(), arguments, (Field("nodes", inner=node), Field("complete")))

    # Arguments

    def filter(self, of: Resource, by: str | None, *, nested: bool = False) -> str | None:
        possible = [name for name in filters(of.name) if not (nested and joined(of.name, name))]
        if not any(of.name in served for served in self.world.records.values()):
            possible = [name for name in possible if name not in BY_SOURCE]  # a source that is named must serve it
            by = None if by in BY_SOURCE else by
        if by is None:
            if not possible:
                return None
            by = self.rng.choice(possible)
        names = {by}
        if possible and self.rng.random() < 0.4:
            names.add(self.rng.choice(possible))
        if by.startswith("relationship.") and self.rng.random() < 0.6:
            names |= {name for name in possible if name.startswith("relationship.") and self.rng.random() < 0.4}
        root: dict[str, Any] = {}
        for name in sorted(names):
            self._count(f"filter {of.name}.{name}")
            leaf = filters(of.name)[name]
            here = root
            *way, last = name.replace("entity.type", "entityType").split(".")
            for step in way:
                here = here.setdefault(step, {})
            if leaf.many:
                some = [_value(self.world, of.name, leaf, self.rng) for _ in range(self.rng.choice((0, 1, 1, 2)))]
                here[last] = f"[{', '.join(some)}]"
            else:
                here[last] = _value(self.world, of.name, leaf, self.rng)
            if last in ("organisation", "enroledAt") and self.rng.random() < 0.3:
                here["subtree"] = self.rng.choice(("true", "false"))
        return _written(root)

    def order(self, of: Resource, first: str | None) -> str:
        keys = [each.name for each in of.sort_keys]
        chosen = [first or self.rng.choice(keys)]
        if self.rng.random() < 0.4:
            chosen.append(self.rng.choice(keys))
        for name in chosen:
            self._count(f"sort {of.name}.{name}")
        return f"[{', '.join(re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).upper() for name in chosen)}]"

    def period(self, about: str, *, closed: bool = False) -> dict[str, str]:
        first, last = sorted(_near(self.rng.choice(DAYS), self.rng) for _ in range(2))
        if not closed and self.rng.random() < 0.4:
            self._count(f"on {about}")
            return {"on": json.dumps(first)}
        self._count(f"during {about}")
        ends = [f'from: "{first}"', f'to: "{last}"']
        if not closed and self.rng.random() < 0.4:
            ends.pop(self.rng.randrange(2))
        return {"during": f"{{{', '.join(ends)}}}"}

    # Selections

    def selection(self, type_name: str, depth: int, *, few: bool = False) -> tuple[Field, ...]:
        """Some fields of a type: leaves, and what lies below it as deep as ``depth``."""
        every = possible(type_name)
        leaves = [each for each in every if each.type is None]
        below = [each for each in every if each.type is not None] if depth > 0 else []
        chosen = self.rng.sample(leaves, min(len(leaves), self.rng.randint(1, 2 if few else 5)))
        chosen += self.rng.sample(below, min(len(below), self.rng.choice((0, 1) if few else (0, 1, 1, 2, 3))))
        if not few and chosen and self.rng.random() < 0.2:
            chosen.append(self.rng.choice(chosen))
        if not chosen:
            return (Field("__typename"),)
        fields = [self.field(type_name, each, depth - 1) for each in chosen]
        if self.provenance and type_name in RESOURCES and self.rng.random() < 0.25:
            self._count("provenance")
            fields.append(PROVENANCE)
        return _once(fields)

    def field(self, type_name: str, of: _Possible, depth: int, inner: tuple[Field, ...] = ()) -> Field:
        if of.type is None:
            return Field(of.name, self.alias() if self.rng.random() < 0.1 else None)
        arguments: dict[str, str] = {}
        relation = BACKWARDS.get((type_name, of.name))
        if relation is not None:
            self._count(f"backwards {relation}")
        elif (forwards := _relation_of(type_name, of.name)) is not None:
            self._count(f"forwards {forwards}")
        required = _required(type_name, of.name)
        if required or ({"on", "during"} <= of.arguments and self.rng.random() < 0.3):
            arguments |= self.period(f"{type_name}.{of.name}", closed=required)
        resource = RESOURCES.get(of.type)
        if resource is not None and "filter" in of.arguments and self.rng.random() < 0.25:
            made = self.filter(resource, None, nested=True)
            if made is not None:
                arguments["filter"] = made
        if resource is not None and "orderBy" in of.arguments and self.rng.random() < 0.3:
            arguments["orderBy"] = self.order(resource, None)
        if "first" in of.arguments and self.rng.random() < 0.2:
            arguments["first"] = str(self.rng.randint(1, 3))
        alias = self.alias() if arguments or self.rng.random() < 0.2 else None
        return Field(of.name, alias, arguments, inner or self.selection(of.type, max(depth, 0)))

    def along(self, relation: OfficialRelation) -> Field:
        """The fields that lead from the relation's owner to what it refers to."""
        self._count(f"forwards {relation}")
        inner = self.selection(relation.target, 0, few=True)
        for place in range(len(relation.path) - 1, -1, -1):
            inner = (Field(relation.path[place], inner=inner),)
        return inner[0]

    def alias(self) -> str:
        self._aliases += 1
        return f"f{self._aliases}"

    def _count(self, what: str) -> None:
        self.asked[what] += 1


def _once(fields: Sequence[Field]) -> tuple[Field, ...]:
    """No two fields of one key, which GraphQL would take for one."""
    found: dict[str, Field] = {}
    for each in fields:
        found.setdefault(each.key, each)
    return tuple(found.values())


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_written(each)}" for name, each in value.items()) + "}"
    return str(value)


# What a question is about


def touched(question: Question) -> frozenset[str]:
    """The resources of which something must be known to answer."""
    found: set[str] = set()
    for root in question.fields:
        if root.name == "deletedEntities":
            continue
        kind = get_named_type(_types()["Query"].fields[root.name].type).name
        _touch(kind.removesuffix("Connection"), root, found)
    return frozenset(found)


def _touch(type_name: str, at: Field, found: set[str]) -> None:
    """Note what a field of the given type touches."""
    if type_name in RESOURCES:
        found.add(type_name)
    given = " ".join(at.arguments.values())
    if "filter" in at.arguments or "startTime" in at.arguments:
        found |= {"Person"} if any(f"{name}:" in given for name in (*_JOINS, *_PERSONS)) else set()
        found |= {"Organisation"} if "organisation:" in given or "enroledAt:" in given else set()
        if "relationship:" in given:
            found |= {"Duty", "Placement", "Group"}
        found |= {"Group"} if "memberOf:" in given else set()
        found |= {"CalendarEvent"} if "activeOn:" in given and type_name == "Attendance" else set()
        if any(f"{name}:" in given for name in (*_JOINS, "schoolType", "schoolTypeText")):
            found |= _JOINED_OVER.get(type_name, set())
    if type_name == "Attendance" and {"on", "during"} & at.arguments.keys():
        found.add("CalendarEvent")
    for each in at.inner:
        if type_name in RESOURCES and each.name in ("nodes", "node", "edges"):
            _touch(type_name, Field(each.name, inner=each.inner), found)
        elif type_name not in RESOURCES or each.name not in ("complete", "gaps", "pageInfo"):
            _touch_field(type_name, each, found)


_PERSONS = ("child", "owner", "person", "student", "registeredBy", "gradingTeacher")
_JOINED_OVER = {
    "Activity": {"Group"},
    "CalendarEvent": {"Activity", "Group"},
    "Attendance": {"CalendarEvent", "Activity"},
    "AttendanceSchedule": {"Placement"},
    "AggregatedAttendance": {"Activity", "Group"},
}


def _touch_field(type_name: str, each: Field, found: set[str]) -> None:
    made = _types()[type_name].fields.get(each.name)
    kind = get_named_type(made.type) if made is not None else None
    if not isinstance(kind, GraphQLObjectType):
        return
    if kind.name in ("Responsible", "ResponsibleFor", "GroupMembership", "StudentException"):
        found.add("Person")  # entries about protected persons are left out
    if type_name == "DutyAssignment" and each.name == "person":
        found.add("Duty")
    if type_name in ("Duty", "Group") and each.name == "calendarEvents":
        found.add("Activity")
    relation = BACKWARDS.get((type_name, each.name))
    if relation is not None:
        found.add(relation.owner)
    _touch(kind.name, each, found)
