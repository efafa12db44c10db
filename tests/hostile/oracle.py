"""What the gateway must say over a hostile world, computed in plain Python from the records as the sources mean them.

``tests.oracle`` and ``tests.oracle_query`` over random records: with filters written once more from the standard's
text, with what only random records have (unknown values, half entries, intervals that end before they begin), and
without what single sources lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, OperationDefinitionNode, parse
from graphql.utilities import value_from_ast_untyped

from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Property, Reference, Resource, Scalar, SortKey, Structure
from tests.official_relations import BACKWARDS
from tests.oracle import (
    STOCKHOLM,
    UNITED,
    Entry,
    Oracle,
    Period,
    Raw,
    Record,
    _reading,
    _united,
    identity,
    ids_at,
    instant,
    kind_at,
    swedish,
    values_at,
)
from tests.oracle_query import _Answer, _period, _sort_keys, enum_name

from .habits import meant
from .identities import Identified, identified
from .worlds import MARKINGS, Deletion

if TYPE_CHECKING:
    from .check import Case

Given = Mapping[str, Sequence[Any]]
"""Query parameters by the standard's names, and the values asked for."""
BOUNDS = ("onOrBefore", "onOrAfter", "before", "after")
UNRECOGNISED = "UNRECOGNISED"

COLUMNS = {
    ("Organisation", "parent"): "parentOrganisation", ("Organisation", "type"): "organisationType",
    ("Placement", "organisation"): "placedAt", ("Placement", "owner"): "owners", ("Group", "schoolTypes"): "schoolType",
    ("SchoolUnitOffering", "organisation"): "offeredAt", ("Activity", "teacher"): "teachers.duty",
    ("Activity", "group"): "groups", ("Resource", "organisation"): "owner", ("Room", "organisation"): "owner",
    ("Person", "civicNo"): "civicNo.value", ("Person", "eduPersonPrincipalName"): "eduPersonPrincipalNames",
    ("Person", "identifier.value"): "externalIdentifiers.value",
    ("Person", "identifier.context"): "externalIdentifiers.context",
    ("Duty", "organisation"): "dutyAt",
}  # fmt: skip
"""The property that a parameter is about, where it does not have the property's name."""
PERSONS = {"child", "owner", "person", "student", "member", "registeredBy", "gradingTeacher"}
"""Parameters that take ids of persons."""


def key_owner(records: Sequence[Record]) -> Sequence[Property]:
    return records[0].resource.properties if records else ()


OWN = {
    "Person": {
        "enrolment.schoolYear", "enrolment.schoolType", "enrolment.schoolTypeText", "enrolment.enroledAt",
        "enrolment.programme", "enrolment.on", "memberOf.group", "memberOf.on",
    },
    "Group": {"displayName", "member"},
    "Grade": {"syllabus", "semester", "semesterText", "year", "finalGrade"},
}  # fmt: skip
"""The gateway's own filters of single resources; those of all are ``activeOn``, ``presentIn`` and ``absentFrom``."""


def knows(resource: str, name: str) -> bool:
    """Whether the oracle can answer a filter's field."""
    declared = RESOURCES[resource].parameter
    return (
        name in declared
        or (name.removesuffix("Text") in declared and name.endswith("Text"))
        or name in OWN.get(resource, ())
        or name in ("activeOn", "presentIn", "absentFrom")
    )


def column_of(resource: str, parameter: str) -> str:
    """The path in the record that a parameter is about."""
    column, _, bound = parameter.rpartition(".")
    return column if bound in BOUNDS else COLUMNS.get((resource, parameter), parameter)


BELONGING = {
    "Organisation": ("", "schoolTypes", "id"), "Person": ("enrolments", "schoolType", "enroledAt"),
    "Placement": ("", "schoolType", "placedAt"), "Group": ("", "schoolType", "organisation"),
    "Programme": ("", "schoolType", ""), "Syllabus": ("", "schoolType", ""), "Duty": ("", "", "dutyAt"),
    "Activity": ("", "", "organisation"), "Grade": ("", "", "organisation"), "Absence": ("", "", "organisation"),
    "SchoolUnitOffering": ("", "", "offeredAt"), "Resource": ("", "", "owner"), "Room": ("", "", "owner"),
}  # fmt: skip
"""What says where a record belongs: the list whose entries do, the form of schooling, the organisation."""
Place = Mapping[str, set[str]]
Heard = tuple[Sequence[str], Mapping[str, Sequence[str]]]


@dataclass
class HostileOracle(Oracle):
    """An oracle over a world. ``lost`` names (source, resource) of which nothing is known."""

    lost: Collection[tuple[str, str]] = ()
    null_is_absent: Collection[str] = ()
    """Sources whose nulls say nothing."""
    who: Identified = field(default_factory=Identified)
    deleted: Mapping[str, Sequence[tuple[Deletion, str]]] = field(default_factory=dict)
    """Per source, what it deleted, and the gateway's id of that."""
    _heard: dict[tuple[str, str], Heard] = field(default_factory=dict)
    _below: dict[str, set[str]] = field(default_factory=dict)
    _parents: dict[str, str] | None = None

    @cached_property
    def tables(self) -> dict[tuple[str, str], dict[str, Raw]]:
        found: dict[tuple[str, str], dict[str, Raw]] = {}
        for source, resources in self.sources.items():
            for name, records in resources.items():
                table = found[source, name] = {}
                if (source, name) not in self.lost:
                    for raw in records:
                        table.setdefault(identity(RESOURCES[name], raw), raw)
        return found

    def said(self, resource: str, id: str, column: str) -> list[Any]:
        return [content for _, content in self.speaking(resource, id, column)]

    def speaking(self, resource: str, id: str, column: str) -> list[tuple[str, Any]]:
        """Who is heard for a property of a record, and what they say of it."""
        servers, fields = self.heard(resource, id)
        return [
            (source, self._in_scope(resource, column, source, content))
            for source, content in self._spoken(resource, id, column, servers, fields)
        ]

    def _spoken(
        self, resource: str, id: str, column: str, servers: Sequence[str], fields: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[str, Any]]:
        for source in servers if column == "meta" else fields.get(column, servers):
            raw = self.tables.get((source, resource), {}).get(id)
            if raw is None or source not in servers:
                continue
            holds = None if column == "meta" else self.configuration["sources"][source]["holds"].get(resource)
            if holds is not None:
                if column in holds:
                    yield source, raw.get(column)
            elif column in raw and not (raw[column] is None and source in self.null_is_absent):
                yield source, raw[column]

    # Where a record belongs, and who is heard of it

    def heard(self, resource: str, id: str) -> Heard:
        """The sources that are heard of a record, first authority first, and the properties that some decide."""
        found = self._heard.get((resource, id))
        if found is None:
            found = self._heard[resource, id] = self._who(resource, id)
        return found

    def _who(self, resource: str, id: str) -> Heard:
        decided, servers = self.authority(resource), self.servers(resource)
        fields = decided.get("fields", {})
        if resource not in BELONGING:
            return servers, fields
        outside = self._outside(resource, id)
        heard = [source for source in servers if source not in outside]
        entries = decided.get("when", ())
        places = self._places(resource, id, heard) if entries else []
        for entry in entries:
            if any(self._inside(place, entry, sure=True) for place in places):
                first = [source for source in entry.get("order", ()) if source in heard]
                return first + [each for each in heard if each not in first], {**fields, **entry.get("fields", {})}
        return heard, fields

    def scopes(self, resource: str) -> dict[str, Mapping[str, Sequence[str]]]:
        """The scopes that records of the resource can show, first authority first."""
        _, school_type, organisation = BELONGING.get(resource, ("", "", ""))
        found = {}
        for source in self.servers(resource):
            scope = self.configuration["sources"][source].get("scope", {})
            if (school_type and scope.get("schoolTypes")) or (organisation and scope.get("organisations")):
                found[source] = scope
        return found

    def _outside(self, resource: str, id: str) -> set[str]:
        scopes = self.scopes(resource)
        if not scopes:
            return set()
        bounds = {name for scope in scopes.values() for name in ("schoolTypes", "organisations") if scope.get(name)}
        own = {
            source: self._verdict(self._places(resource, id, [source], bounded=False), scope)
            for source, scope in scopes.items()
        }
        where = self._places(resource, id, [each for each in self.servers(resource) if each not in scopes])
        if not any(place[name] for place in where for name in bounds):
            first = next((source for source in scopes if own[source]), None)
            where = where if first is None else self._places(resource, id, [first])
        return {
            source for source, scope in scopes.items() if own[source] is False or self._verdict(where, scope) is False
        }

    def _verdict(self, places: Sequence[Place], scope: Mapping[str, Sequence[str]]) -> bool | None:
        """Whether a record belongs there by one of its places; None where nobody knows."""
        found = [self._inside(place, scope) for place in places]
        return True if True in found else False if found and None not in found else None

    def _inside(self, place: Place, scope: Mapping[str, Sequence[str]], *, sure: bool = False) -> bool | None:
        """``sure``: all that the scope names must be known to fit."""
        allowed = {
            "schoolTypes": {*scope.get("schoolTypes", ())},
            "organisations": {each for root in scope.get("organisations", ()) for each in self.tree_below(root)},
        }
        asked = [name for name in allowed if scope.get(name)]
        fits = [bool(place[name] & allowed[name]) for name in asked if sure or place[name]]
        return all(fits) if fits else None

    def _places(self, resource: str, id: str, servers: Sequence[str], *, bounded: bool = True) -> list[Place]:
        """What these sources say of where a record belongs, by the decisions for all records."""
        entries, school_type, organisation = BELONGING[resource]

        def merged(column: str) -> Any:
            said = [
                self._in_scope(resource, column, source, content) if bounded else content
                for source, content in self._spoken(
                    resource, id, column, servers, self.authority(resource).get("fields", {})
                )
            ]
            if self.unites(resource, column):
                return _united(RESOURCES[resource].columns[column], [each for each in said if each is not None])
            return said[0] if said else None

        def place(read: Callable[[str], Any]) -> Place:
            units = {id} if organisation == "id" else {*ids_at(read(organisation), ())} if organisation else set()
            types = read(school_type) if school_type else None
            return {"schoolTypes": {*values_at(types, ())}, "organisations": units}

        if not entries:
            return [place(merged)]
        return [place(entry.get) for entry in merged(entries) or ()]

    def _in_scope(self, resource: str, column: str, source: str, content: Any) -> Any:
        """What is said, without the enrolments outside the source's scope."""
        if column != "enrolments" or content is None or source not in self.scopes(resource):
            return content
        scope = self.scopes(resource)[source]

        def place(entry: Raw) -> Place:
            return {
                "schoolTypes": {*values_at(entry.get("schoolType"), ())},
                "organisations": {*ids_at(entry.get("enroledAt"), ())},
            }

        return [entry for entry in content if self._inside(place(entry), scope) is not False]

    def tree_below(self, root: str) -> set[str]:
        """The organisation and all below it, by what all sources say, whatever is decided for some."""
        if self._parents is None:
            self._parents = {}
            servers, fields = self.servers("Organisation"), self.authority("Organisation").get("fields", {})
            for id in {id for (_, name), table in self.tables.items() if name == "Organisation" for id in table}:
                if any(id in self.tables.get((each, "Organisation"), {}) for each in self.population("Organisation")):
                    said = [*self._spoken("Organisation", id, "parentOrganisation", servers, fields)]
                    if said and said[0][1] is not None:
                        self._parents[id] = said[0][1]["id"]
        found, waiting = {root}, {root}
        while waiting:
            waiting = {each for each, parent in self._parents.items() if parent in waiting} - found
            found |= waiting
        return found

    def unites(self, resource: str, column: str) -> bool:
        mode = self.authority(resource).get("lists", {}).get(column)
        many = RESOURCES[resource].columns[column].many
        return many and (mode == "union" or (mode is None and column in UNITED))

    def record(self, resource: str, id: str) -> Record:
        found = self._merged.get((resource, id))
        if found is None:
            of = RESOURCES[resource]
            heard, _ = self.heard(resource, id)
            population = [source for source in self.population(resource) if source in heard]
            exists = any(id in self.tables.get((source, resource), {}) for source in population)
            values = {p.name: self._value(of, id, p) for p in of.properties} if exists else None
            found = self._merged[resource, id] = Record(of, id, values)
        return found

    def all(self, resource: str) -> list[Record]:
        found = [
            id
            for source in self.population(resource)
            for id in self.tables.get((source, resource), {})
            if source in self.heard(resource, id)[0]
        ]
        return [record for id in dict.fromkeys(found) if (record := self.by_id(resource, id)) is not None]

    # Where facts come from

    def provenance(self, record: Record) -> dict[str, Any]:
        """Which sources have the record, say each of its properties, and say something else."""
        resource, id = record.resource.name, record.id
        having = [each for each in self.heard(resource, id)[0] if id in self.tables.get((each, resource), {})]
        found: dict[str, Any] = {"fields": [], "conflicts": []}
        found["sources"] = [
            {"name": each, "id": self.who.locals[each, resource, id], "matchedBy": self.who.matched(each, resource, id)}
            for each in having
        ]
        for prop in record.resource.properties:
            if prop.name == "id" or record.values is None:
                continue
            said = [each for each in self.speaking(resource, id, prop.name) if each[1] is not None]
            if record[prop.name] is not None:
                found["fields"] += [{"name": prop.name, "source": source} for source in self._from(record, prop, said)]
            if prop.name != "meta":
                others = self._disagreeing(record, prop, said)
                found["conflicts"] += [{"field": prop.name, "source": source} for source in others]
        return found

    def _from(self, record: Record, prop: Property, said: Sequence[tuple[str, Any]]) -> list[str]:
        if prop.name == "meta":
            return [source for source, _ in said]
        if prop.name == "securityMarking":
            return [source for source, content in said if content == record[prop.name]][:1]
        if self.unites(record.resource.name, prop.name):
            return [source for source, content in said if content]
        return [said[0][0]]

    def _disagreeing(self, record: Record, prop: Property, said: Sequence[tuple[str, Any]]) -> list[str]:
        if not self.unites(record.resource.name, prop.name):
            return [source for source, content in said if _plain(prop, content) != _plain(prop, record[prop.name])]
        first: dict[str, tuple[str, Any]] = {}
        found = []
        for source, entries in said:
            for entry in entries:
                keys = prop.type.entry_key if isinstance(prop.type, Structure) else ()
                key = json.dumps(
                    [[*values_at(entry, path.split("."))] for path in keys] if keys else entry, sort_keys=True
                )
                earlier, content = first.setdefault(key, (source, _plain(prop, [entry])))
                if earlier != source and content != _plain(prop, [entry]):
                    found.append(source)
        return list(dict.fromkeys(found))

    def _value(self, resource: Resource, id: str, prop: Property) -> Any:
        if prop.name == "id":
            return id
        if prop.name == "meta":
            said = [meta for meta in self.said(resource.name, id, "meta") if meta is not None]
            return _meta(said) if said else None
        if prop.name == "securityMarking":
            said = [marking for marking in self.said(resource.name, id, prop.name) if marking is not None]
            return max(said, key=_strictness, default=None)
        return super()._value(resource, id, prop)

    # Time

    def in_period(self, of: Record | Entry, period: Period) -> bool:
        kind = of.resource if isinstance(of, Record) else of.structure
        names = {prop.name for prop in kind.properties}
        if isinstance(of, Record) and kind.name == "Attendance":
            event = self.record("CalendarEvent", of["calendarEvent"]["id"]) if of["calendarEvent"] else None
            return _touches((event and event["startTime"]) or of["reportedTimestamp"], None, period)
        if isinstance(of, Record) and kind.name == "CalendarEvent":
            return _touches(of["startTime"], None, period)
        if {"startTime", "endTime"} <= names and not isinstance(of, Entry):
            return of["startTime"] is not None and _touches(of["startTime"], of["endTime"] or "open", period)
        return super().in_period(of, period)

    def ordered(self, records: Sequence[Record], keys: Sequence[SortKey]) -> list[Record]:
        """As its base, but a name that is empty is a name."""
        found = sorted(records, key=lambda record: record.id)
        for key in reversed(keys):
            if key.column != "displayName" or "displayName" not in {p.name for p in key_owner(records)}:
                found = self._by(found, key)
                continue
            there = [record for record in found if record["displayName"] is not None]
            there.sort(key=lambda record: swedish(record["displayName"]), reverse=key.descending)
            found = there + [record for record in found if record["displayName"] is None]
        return found

    def _by(self, records: Sequence[Record], key: SortKey) -> list[Record]:
        read = _reading(key)
        there = [record for record in records if read(record) is not None]
        there.sort(key=read, reverse=key.descending)
        return there + [record for record in records if read(record) is None]

    # Filters

    def below(self, organisation: str) -> set[str]:
        """The organisation and all below it, by the merged tree."""
        found = self._below.get(organisation)
        if found is None:
            found = self._below[organisation] = set()
            waiting = [organisation]
            while waiting:
                each = waiting.pop()
                if each not in found:
                    found.add(each)
                    waiting += [child.id for child in self.owners(BACKWARDS["Organisation", "children"], each)]
        return found

    def passes(self, record: Record, given: Given) -> bool:
        """Whether a record is selected: by every parameter, by any of its values."""
        groups: dict[str, dict[str, Sequence[Any]]] = {}
        alone = {}
        for name, values in given.items():
            group = name.partition(".")[0]
            if group in ("identifier", "relationship", "enrolment", "memberOf"):
                groups.setdefault(group, {})[name.partition(".")[2]] = values
            elif name != "subtree":
                alone[name] = values
        below = given.get("subtree", [True]) == [True]
        return all(self._holds(record, name, values, below=below) for name, values in alone.items()) and all(
            self._of_one(record, group, asked) for group, asked in groups.items()
        )

    def _of_one(self, record: Record, group: str, asked: Given) -> bool:
        """Whether one and the same entry, or relation, is all that is asked of it."""
        if not all(asked.values()):
            return False
        match group:
            case "identifier":
                entries = record["externalIdentifiers"] or ()
                return any(all(each.get(name) in values for name, values in asked.items()) for each in entries)
            case "relationship":
                return any(self._related(each, asked) for each in self.relations(record, asked))
            case "enrolment":
                return any(self._enroled(each, asked) for each in record["enrolments"] or ())
        on = asked.get("on", [None])[0]
        return any(
            _id(entry["person"]) == record.id and (on is None or _on(entry, on))
            for group_of in self.named(("Person", "groupMemberships"), record.id)
            if "group" not in asked or group_of.id in asked["group"]
            for entry in group_of["groupMemberships"]
        )

    def _enroled(self, entry: Raw, asked: Given) -> bool:
        kind = kind_at(RESOURCES["Person"], ("enrolments", "schoolType"))
        assert isinstance(kind, Enumeration)
        found = {
            "schoolYear": entry.get("schoolYear"),
            "schoolType": _name(kind, entry.get("schoolType")),
            "schoolTypeText": entry.get("schoolType"),
            "enroledAt": _id(entry.get("enroledAt")),
            "programme": _id(entry.get("programme")),
        }
        if "on" in asked and not _on(entry, asked["on"][0]):
            return False
        if "enroledAt" in asked and asked.get("subtree", [True]) == [True]:
            asked = {**asked, "enroledAt": [each for value in asked["enroledAt"] for each in self.below(value)]}
        return all(found[name] in values for name, values in asked.items() if name in found)

    def _holds(self, record: Record, name: str, values: Sequence[Any], *, below: bool) -> bool:
        resource = record.resource
        if name == "activeOn":
            day = date.fromisoformat(values[0])
            return self.in_period(record, (day, day))
        if name in ("presentIn", "absentFrom"):
            heard, _ = self.heard(resource.name, record.id)
            if not {*values} <= {*heard}:
                return False  # what lies outside a source's scope is neither present nor absent there
            had = [record.id in self.tables.get((source, resource.name), {}) for source in values]
            unknown = any((source, resource.name) in self.lost for source in values)  # proves nothing to be absent
            return bool(values) and (all(had) if name == "presentIn" else not any(had) and not unknown)
        if name == "nameContains":
            names = [record[part].casefold() for part in ("givenName", "middleName", "familyName") if record[part]]
            names += [""] * any(record[part] == "" for part in ("givenName", "middleName", "familyName"))
            return bool(values) and all(any(term.casefold() in each for each in names) for term in values)
        if resource.name == "AggregatedAttendance" and name in ("startDate", "endDate"):
            other = record["endDate" if name == "startDate" else "startDate"]  # a row that shares a day with the window
            return other is not None and bool(other >= values[0] if name == "startDate" else other <= values[0])
        last = name.rpartition(".")[2]
        if last in BOUNDS:
            return self._bounded(record, name, last, values[0])
        if name in PERSONS:
            values = [value for value in values if not self.hidden(self.record("Person", value))]
        if name == "organisation" and below:
            values = [each for value in values for each in self.below(value)]
        found = self.shown(record, name)
        return any(value in found for value in values)

    def shown(self, record: Record, name: str) -> set[Any]:
        """The values that a record has for a parameter; ids of what it refers to, enumerations by their names."""
        plain = name.removesuffix("Text")
        joined = _JOINED.get((record.resource.name, plain))
        kind, found = self._found(record, plain) if joined is None else joined(self, record)
        if isinstance(kind, Enumeration) and plain == name:
            return {_name(kind, each) for each in found}
        return {*found}

    def _found(self, record: Record, name: str) -> tuple[object, list[Any]]:
        path = column_of(record.resource.name, name).split(".")
        kind = kind_at(record.resource, path)
        found = [*values_at(record.values, path)]
        return kind, [each["id"] for each in found] if isinstance(kind, Reference) else found

    def _bounded(self, record: Record, name: str, bound: str, limit: str) -> bool:
        resource, column = record.resource, name.rpartition(".")[0]
        value = next(values_at(record.values, column.split(".")), None)
        if value is None:
            return column == "endDate" or (column == "startDate" and resource.name in ("Organisation", "StudyPlan"))
        is_time = kind_at(resource, column.split(".")) is Scalar.DATE_TIME
        here, there = (instant(value), instant(limit)) if is_time else (value, limit)
        if bound == "after" or (bound == "onOrAfter" and resource.name == "Absence"):
            return bool(here > there)
        return bool(here >= there) if bound == "onOrAfter" else bool(here <= there)

    # Relations of persons

    def relations(self, person: Record, asked: Given) -> Iterator[tuple[str | None, str | None, str | None]]:
        """Organisation, start and end of each of a person's relations of the kind asked for, or of any."""
        kinds = asked.get("entity.type") or tuple(_RELATIONS)
        for kind in kinds:
            yield from _RELATIONS[kind](self, person.id)

    def _related(self, relation: tuple[str | None, str | None, str | None], asked: Given) -> bool:
        organisation, start, end = relation
        if "organisation" in asked:
            places = asked["organisation"]
            if asked.get("subtree", [True]) == [True]:
                places = [each for value in places for each in self.below(value)]
            if organisation not in places:
                return False
        for column, day in (("startDate", start), ("endDate", end)):
            before, after = asked.get(f"{column}.onOrBefore"), asked.get(f"{column}.onOrAfter")
            if day is not None and ((before and day > before[0]) or (after and day < after[0])):
                return False
        return True

    def named(self, relation: tuple[str, str], id: str) -> list[Record]:
        """The records that refer to ``id``, by (target, inverse)."""
        return self.owners(BACKWARDS[relation], id)

    def at(self, resource: str, reference: Any) -> Record | None:
        """The record that a reference leads to, protected or not; None where there is none."""
        return None if reference is None else self.record(resource, reference["id"])


def _enrolments(o: HostileOracle, id: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    for entry in o.record("Person", id)["enrolments"] or ():
        yield _id(entry.get("enroledAt")), entry.get("startDate"), entry.get("endDate")


def _duties(o: HostileOracle, id: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    for duty in o.named(("Person", "duties"), id):
        yield _id(duty["dutyAt"]), duty["startDate"], duty["endDate"]


def _placed(o: HostileOracle, id: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    for placement in o.named(("Person", "placements"), id):
        yield _id(placement["placedAt"]), placement["startDate"], placement["endDate"]


def _owned(o: HostileOracle, id: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    for placement in o.named(("Person", "ownedPlacements"), id):
        yield _id(placement["placedAt"]), placement["startDate"], placement["endDate"]


def _children_enroled(o: HostileOracle, id: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    for child in o.named(("Person", "responsibleFor"), id):
        yield from _enrolments(o, child.id)


def _children_placed(o: HostileOracle, id: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    for child in o.named(("Person", "responsibleFor"), id):
        yield from _placed(o, child.id)


def _members(o: HostileOracle, id: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    for group in o.named(("Person", "groupMemberships"), id):
        for entry in group["groupMemberships"]:
            if entry["person"]["id"] == id:
                yield _id(group["organisation"]), entry.get("startDate"), entry.get("endDate")
    for duty in o.named(("Person", "duties"), id):
        for role in duty["assignmentRole"] or ():
            group = o.record("Group", role["group"]["id"])
            if group.values is not None:
                yield _id(group["organisation"]), role.get("startDate"), role.get("endDate")


_RELATIONS = {
    "ENROLMENT": _enrolments,
    "DUTY": _duties,
    "PLACEMENT_CHILD": _placed,
    "PLACEMENT_OWNER": _owned,
    "RESPONSIBLEFOR_ENROLMENT": _children_enroled,
    "RESPONSIBLEFOR_PLACEMENT": _children_placed,
    "GROUPMEMBERSHIP": _members,
}
"""By the name of relationship.entityType."""


Shown = tuple[object, list[Any]]
"""The type of what only other records show, and the values; ids of what is referred to."""


def _of_activity(path: str) -> Callable[[HostileOracle, Record], Shown]:
    def shown(o: HostileOracle, record: Record) -> Shown:
        activity = o.at("Activity", record["activity"])
        return None, [] if activity is None else ids_at(activity.values, path.split("."))

    return shown


def _groups(o: HostileOracle, activity: Record | None) -> list[Record]:
    return [] if activity is None else [o.record("Group", id) for id in ids_at(activity.values, ("groups",))]


def _group_members(o: HostileOracle, activity: Record | None) -> Shown:
    members = [id for group in _groups(o, activity) for id in ids_at(group.values, ("groupMemberships", "person"))]
    return None, members


def _members_of(o: HostileOracle, group: Record) -> Shown:
    return None, ids_at(group.values, ("groupMemberships", "person"))


def _students(o: HostileOracle, event: Record) -> Shown:
    own = ids_at(event.values, ("studentExceptions", "student"))
    return None, own + _group_members(o, o.at("Activity", event["activity"]))[1]


def _teachers(o: HostileOracle, event: Record) -> Shown:
    own = ids_at(event.values, ("teacherExceptions", "duty"))
    return None, own + _of_activity("teachers.duty")(o, event)[1]


def _attended_at(o: HostileOracle, attendance: Record) -> Shown:
    event = o.at("CalendarEvent", attendance["calendarEvent"])
    return (None, []) if event is None else _of_activity("organisation")(o, event)


def _placement_group(o: HostileOracle, schedule: Record) -> Shown:
    placement = o.at("Placement", schedule["placement"])
    return None, [] if placement is None else ids_at(placement.values, ("group",))


def _school_types(o: HostileOracle, row: Record) -> Shown:
    types = [group["schoolType"] for group in _groups(o, o.at("Activity", row["activity"]))]
    return kind_at(RESOURCES["Group"], ("schoolType",)), [each for each in types if each is not None]


_JOINED: Mapping[tuple[str, str], Callable[[HostileOracle, Record], Shown]] = {
    ("Activity", "member"): _group_members,
    ("Group", "member"): _members_of,
    ("CalendarEvent", "student"): _students,
    ("CalendarEvent", "teacher"): _teachers,
    ("CalendarEvent", "organisation"): _of_activity("organisation"),
    ("CalendarEvent", "group"): _of_activity("groups"),
    ("Attendance", "organisation"): _attended_at,
    ("AttendanceSchedule", "group"): _placement_group,
    ("AggregatedAttendance", "organisation"): _of_activity("organisation"),
    ("AggregatedAttendance", "schoolType"): _school_types,
}
"""Parameters that only other records show."""
JOINED = frozenset(_JOINED)


def _plain(prop: Property, value: Any) -> Any:
    """What a value says: whom a reference names, a list in whatever order, an instant however it is written."""
    if value is None:
        return None
    if prop.many:
        return sorted((_plain(replace(prop, many=False), each) for each in value), key=repr)
    if isinstance(prop.type, Reference):
        return value["id"]
    if isinstance(prop.type, Structure):
        return {each.name: _plain(each, value.get(each.name)) for each in prop.type.properties}
    return instant(value).isoformat() if prop.type is Scalar.DATE_TIME else value


def _id(reference: Any) -> str | None:
    return None if reference is None else str(reference["id"])


def _on(entry: Raw, day: str) -> bool:
    """Whether an entry holds on a day."""
    return bool((entry.get("startDate") or day) <= day <= (entry.get("endDate") or day))


def _name(kind: Enumeration, value: str | None) -> str:
    """The GraphQL name of an enumeration's value; what the standard does not know is none that can be asked for."""
    return enum_name(value) if value in kind.values else UNRECOGNISED


def _meta(said: Sequence[Raw]) -> Raw:
    def edge(choose: Any, name: str) -> Any:
        return choose((meta[name] for meta in said if meta.get(name) is not None), key=instant, default=None)

    return {"created": edge(min, "created"), "modified": edge(max, "modified")}


def _strictness(marking: str) -> int:
    """A marking that the standard does not know protects like the first that does."""
    known = ("Ingen", "Sekretessmarkering", "Skyddad folkbokföring")
    assert marking in MARKINGS
    return known.index(marking) if marking in known else 1


def _touches(start: str | None, end: str | None, period: Period) -> bool:
    """Whether a time shares an instant with the period's days. ``end``: None, a moment; ``open``, without end.

    What ends before it begins happens when it begins; what ends as the period begins is over.
    """
    if start is None:
        return False
    first, last = period
    begins = instant(start)
    if last is not None and begins >= _midnight(last + timedelta(1)):
        return False
    if first is None or end == "open":
        return True
    return begins >= _midnight(first) or (end is not None and instant(end) > _midnight(first))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, STOCKHOLM).astimezone(UTC)


# Queries


@dataclass
class Listing:
    """What a connection must be: all nodes that there are, of which a page is given."""

    nodes: list[tuple[str, dict[str, Any] | None]]
    """Ids and, where asked for, what is shown of them."""
    ordered: bool
    """Whether their order is settled; else any of them may come first."""
    sorted: bool
    """Whether they were asked for in an order."""
    first: int


def expected(oracle: HostileOracle, query: str) -> dict[str, Any]:
    """Per response key, what the answer must be; of a connection a ``Listing``."""
    operation = parse(query).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return _Hostile(oracle, {}, {}).root(operation.selection_set)


def _flat(given: Any, prefix: str = "") -> Iterator[tuple[str, list[Any]]]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            parameter = f"{prefix}{name}".replace("entityType", "entity.type")
            yield parameter, value if isinstance(value, list) else [value]


def _conditions(resource: Resource, given: Mapping[str, Any], who: Identified) -> Given:
    """A filter's values by the standard's names; ids in the one way of writing them."""
    found = {}
    for name, values in _flat(given):
        plain = [_canonical(each) if isinstance(each, str) and BRACES.fullmatch(each) else each for each in values]
        found[name] = [who.also.get((_target(resource, name), each), each) for each in plain]
    return found


def _target(resource: Resource, parameter: str) -> str:
    """What the ids of a parameter are ids of."""
    last = parameter.rpartition(".")[2]
    known = {"organisation": "Organisation", "enroledAt": "Organisation", "member": "Person", "student": "Person"}
    if last in known or last == "teacher":
        return known.get(last, "Duty")
    try:
        kind = kind_at(resource, column_of(resource.name, parameter).split("."))
    except (StopIteration, AssertionError):
        return ""
    return kind.target if isinstance(kind, Reference) else ""


@dataclass
class _Hostile(_Answer):
    oracle: HostileOracle

    def fields(self, selection: Any) -> Iterator[tuple[str, str, FieldNode, dict[str, Any]]]:
        for node in selection.selections:
            assert isinstance(node, FieldNode)
            given = {each.name.value: value_from_ast_untyped(each.value) for each in node.arguments or ()}
            yield (node.alias.value if node.alias else node.name.value), node.name.value, node, given

    def root_field(self, name: str, node: FieldNode, given: Mapping[str, Any]) -> Any:
        if name == "deletedEntities":
            return self.deletions(node, given)
        resource = next(
            (each.name for each in RESOURCES.values() if name in (_small(each.name), f"{each.plural}ByIds")), ""
        )
        also = self.oracle.who.also
        if "ids" in given:
            plain = [_canonical(id) for id in given["ids"]]
            given = {**given, "ids": [also.get((resource, id), id) for id in plain]}
        if "id" in given:
            plain_id = _canonical(given["id"])
            given = {**given, "id": also.get((resource, plain_id), plain_id)}
        return super().root_field(name, node, given)

    def deletions(self, node: FieldNode, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the sources deleted, in whatever order."""
        kinds = {enum_name(name): name for name in RESOURCES}
        asked = [kinds[each] for each in given["entities"]] if "entities" in given else [*RESOURCES]
        found = {
            (source, each.resource, id)
            for source, gone in self.oracle.deleted.items()
            for each, id in gone
            if each.resource in asked and ("after" not in given or instant(each.at) > instant(given["after"]))
        }
        nodes = [{"source": source, "resource": resource, "id": id} for source, resource, id in sorted(found)]
        return {
            key: {"nodes": nodes, "complete": True, "gaps": []}[name]
            for key, name, *_ in self.fields(node.selection_set)
        }

    def connection(self, resource: Resource, node: FieldNode, given: Mapping[str, Any]) -> Any:
        if not self.oracle.servers(resource.name):
            return None
        asked = self.asked(resource, given)
        period = _period(given)
        found = [
            each
            for each in self.oracle.all(resource.name)
            if (period is None or self.within(each, period)) and self.oracle.passes(each, asked)
        ]
        if given.get("orderBy"):
            found = self.oracle.ordered(found, _sort_keys(resource, given["orderBy"]))
        inner = next((inner for _, name, inner, _ in self.fields(node.selection_set) if name == "nodes"), None)
        nodes = [(record.id, None if inner is None else self.shown(record, inner)) for record in found]
        in_order = bool(given.get("orderBy"))
        return Listing(nodes, in_order or not asked, in_order, given.get("first", 50))

    def asked(self, resource: Resource, given: Mapping[str, Any]) -> Given:
        """The query parameters of a field's arguments."""
        window = {parameter.name.partition(".")[0] for parameter in resource.parameters if parameter.required}
        return {
            **_conditions(resource, given.get("filter", {}), self.oracle.who),
            **_conditions(resource, {name: of for name, of in given.items() if name in window}, self.oracle.who),
        }

    def listed(
        self, records: Sequence[Record], resource: Resource, node: FieldNode, given: Mapping[str, Any]
    ) -> list[Any]:
        asked = _conditions(resource, given.get("filter", {}), self.oracle.who)
        kept = [record for record in records if self.oracle.passes(record, asked)]
        return super().listed(kept, resource, node, {name: of for name, of in given.items() if name != "filter"})

    def value(self, of: Record | Entry, name: str, node: FieldNode, given: Mapping[str, Any]) -> Any:
        if isinstance(of, Record) and name == "displayName" and name in of.resource.columns:
            return of[name]
        if isinstance(of, Record) and name == "meta" and name not in of.resource.columns:
            return None  # the standard has none there
        if isinstance(of, Record) and name == "provenance":
            return self.facts(self.oracle.provenance(of), node)
        return super().value(of, name, node, given)

    def facts(self, found: Mapping[str, Any], node: FieldNode) -> dict[str, Any]:
        return {
            key: [{k: each[n] for k, n, *_ in self.fields(inner.selection_set)} for each in found[name]]
            for key, name, inner, _ in self.fields(node.selection_set)
        }

    def teacher(self, of: Entry) -> Record | None:
        """Of a teacher's part in an activity: the person whom the source sent instead of a duty, or the duty's."""
        return self.oracle.follow("Person", of["person"]) if of["person"] is not None else super().teacher(of)

    def property(
        self, of: Record | Entry, kind: Resource | Structure, name: str, node: FieldNode, given: Mapping[str, Any]
    ) -> Any:
        prop = next((each for each in kind.properties if each.name == name), None)
        if prop is not None and isinstance(prop.type, Enumeration):
            value, known = of[name], prop.type.values
            if value is None:
                return None
            names = [enum_name(each) if each in known else UNRECOGNISED for each in (value if prop.many else [value])]
            return names if prop.many else names[0]
        return super().property(of, kind, name, node, given)


BRACES = re.compile(r"\{[0-9A-F-]{36}\}")
"""An id in one of the ways in which it may be given."""


def _canonical(id: str) -> str:
    return id.strip("{}").lower()


def oracle_of(case: Case, lost: Collection[tuple[str, str]] | None = None) -> HostileOracle:
    """What a gateway over the case's sources must say; ``lost`` instead of what the case has lost."""
    world = case.world
    habits = {name: of.habits for name, of in case.behaviours.items()}
    records = {name: meant(served, habits[name]) for name, served in world.records.items()}
    lost = case.losses if lost is None else lost
    servers = HostileOracle(records, world.configuration).servers
    who = identified(records, habits, world.identity, servers, lost)
    return HostileOracle(
        who.records,
        world.configuration,
        show_protected=world.show_protected,
        lost=lost,
        null_is_absent=[name for name in records if habits[name].nulls],
        who=who,
        deleted={
            name: [(each, who.id(name, each.resource, habits[name].own_id(each.resource, each.id))) for each in gone]
            for name, gone in world.deleted.items()
            if name in records
        },
    )


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]
