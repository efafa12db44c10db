"""What the gateway should answer over the third party's records: computed from the JSON in plain Python.

Knows the standard's declarations (sources.standard) and nothing of the gateway or its resolvers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sources.standard import RESOURCES
from sources.standard.model import (
    Enumeration,
    Parameter,
    Property,
    Reference,
    Resource,
    Scalar,
    SortKey,
    Structure,
    Test,
)

from .server import Records, moment

Json = dict[str, Any]

OPEN = "Ingen"
"""The marking of persons that are shown."""
UNITED = {"enrolments", "responsibles", "emails", "phoneNumbers", "externalIdentifiers", "eduPersonPrincipalNames"}
STOCKHOLM = ZoneInfo("Europe/Stockholm")
SERVED = ("Organisation", "Person", "Duty", "Group", "Activity", "CalendarEvent")
UNSERVED = tuple(name for name in RESOURCES if name not in SERVED)


# GraphQL's spelling of the standard's words


def enum_name(text: str) -> str:
    """Upper case; å ä → A, ö → O; everything else ``_``."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.sub("[^A-Z0-9]+", "_", plain.upper()).strip("_")


def order_name(key: SortKey) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", key.name).upper()


def selection(properties: Iterable[Property]) -> str:
    """Everything of a record or structure; of references the id."""
    found = []
    for each in properties:
        if isinstance(each.type, Enumeration):
            found.append(f"{each.name} {each.name}Text")
        elif isinstance(each.type, Reference):
            found.append(f"{each.name} {{ id }}")
        elif isinstance(each.type, Structure):
            more = " person { id }" if each.type.name == "DutyAssignment" else ""
            found.append(f"{each.name} {{ {selection(each.type.properties)}{more} }}")
        else:
            found.append(each.name)
    return " ".join(found)


def everything(resource: Resource) -> str:
    names = selection(resource.properties)
    return names if "displayName" in resource.columns else f"{names} displayName"


def literal(value: object, kind: Scalar | Enumeration) -> str:
    """A value of a filter as GraphQL writes it."""
    if isinstance(kind, Enumeration):
        return enum_name(str(value))
    return f'"{value}"'


def with_instants(answer: Any) -> Any:
    """An answer with its date-times as instants. Fails on one without an offset."""
    if isinstance(answer, dict):
        return {key: with_instants(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [with_instants(value) for value in answer]
    if isinstance(answer, str) and re.match(r"\d{4}-\d\d-\d\dT", answer):
        found = datetime.fromisoformat(answer)
        assert found.tzinfo is not None, f"a date-time without offset: {answer}"
        return found
    return answer


class Oracle:
    """The records, and what may be seen of them."""

    def __init__(self, records: Records) -> None:
        self.sent: dict[str, list[Json]] = {
            name: [dict(record) for record in records[RESOURCES[name].plural]] for name in SERVED
        }
        self.by_id = {name: {record["id"]: record for record in sent} for name, sent in self.sent.items()}
        self.hidden = {person["id"] for person in self.sent["Person"] if person["securityMarking"] != OPEN}
        self._parents = {each["id"]: each.get("parentOrganisation", {}).get("id") for each in self.sent["Organisation"]}

    def shown(self, name: str) -> list[Json]:
        """The records of a resource that may be seen, in the source's order."""
        return [record for record in self.sent[name] if name != "Person" or record["id"] not in self.hidden]

    # A record as the answer has it

    def record(self, resource: Resource, record: Mapping[str, Any]) -> Json:
        """What ``everything`` selects of a record."""
        found = self.project(resource.properties, record)
        if "displayName" not in resource.columns:
            parts = [record[column] for column in resource.display_name if record.get(column)]
            found["displayName"] = " ".join(parts) or None
        return found

    def project(self, properties: Iterable[Property], record: Mapping[str, Any]) -> Json:
        """What ``selection`` selects of a record or an entry."""
        found: Json = {}
        for each in properties:
            sent = record.get(each.name)
            if isinstance(each.type, Enumeration):
                found[f"{each.name}Text"] = sent
            found[each.name] = self._value(each, sent)
        return found

    def _value(self, declared: Property, sent: Any) -> Any:
        if sent is None:
            return None
        if not declared.many:
            return self._one(declared, sent)
        if isinstance(declared.type, Reference):
            return [self._one(declared, each) for each in sent if self.visible(declared.type.target, each["id"])]
        if isinstance(declared.type, Structure):
            return [self._one(declared, each) for each in self.entries(declared, sent)]
        return [self._one(declared, each) for each in sent]

    def _one(self, declared: Property, sent: Any) -> Any:
        kind = declared.type
        if isinstance(kind, Enumeration):
            return enum_name(sent) if sent in kind.values else "UNRECOGNISED"
        if isinstance(kind, Reference):
            return {"id": sent["id"]} if self.visible(kind.target, sent["id"]) else None
        if isinstance(kind, Structure):
            found = self.project(kind.properties, sent)
            if kind.name == "DutyAssignment":
                found["person"] = self.teacher(sent)
            return found
        return moment(sent) if kind is Scalar.DATE_TIME else sent

    def visible(self, target: str, identity: str) -> bool:
        return target != "Person" or identity not in self.hidden

    def entries(self, declared: Property, sent: Sequence[Json]) -> list[Json]:
        """The entries of a list that may be seen; of a united list each entry once."""
        structure = declared.type
        assert isinstance(structure, Structure)
        if declared.name in UNITED:
            once: dict[object, Json] = {}
            for entry in sent:
                once.setdefault(str([list(leaves(entry, path)) for path in structure.entry_key or ()] or entry), entry)
            sent = list(once.values())
        return [entry for entry in sent if not self._names_hidden(structure, entry)]

    def _names_hidden(self, structure: Structure, entry: Json) -> bool:
        keys = {path.split(".")[0] for path in structure.entry_key}
        return any(
            each.name in keys
            and isinstance(each.type, Reference)
            and each.type.target == "Person"
            and entry.get(each.name, {}).get("id") in self.hidden
            for each in structure.properties
        )

    def teacher(self, assignment: Json) -> Json | None:
        """The person of an activity's teacher, sent as such or through a duty."""
        person = assignment.get("person") or self.by_id["Duty"].get(assignment.get("duty", {}).get("id"), {}).get(
            "person"
        )
        return {"id": person["id"]} if person and person["id"] not in self.hidden else None

    # Filters

    def test(self, given: Sequence[tuple[Parameter, Any]]) -> Callable[[Json], bool]:
        """Whether a record passes parameters with their values."""
        relation = [(p, v) for p, v in given if p.test is Test.RELATION]
        identifier = [(p, v) for p, v in given if p.test is Test.IDENTIFIER]
        others = [(p, v) for p, v in given if p.test not in (Test.RELATION, Test.IDENTIFIER)]

        def passes(record: Json) -> bool:
            return (
                all(self._single(parameter, value, record) for parameter, value in others)
                and (not relation or self._related(record, relation))
                and (
                    not identifier
                    or any(
                        all(each[p.name.split(".")[1]] == value for p, value in identifier)
                        for each in record["externalIdentifiers"]
                    )
                )
            )

        return passes

    def _single(self, parameter: Parameter, value: Any, record: Json) -> bool:
        found = [leaf for column in parameter.columns for leaf in leaves(record, column)]
        values = value if isinstance(value, list) else [value]
        if parameter.name == "organisation" and parameter.test is not Test.UNSHOWN:
            return any(above in values for leaf in found for above in self.above(leaf))
        match parameter.test:
            case Test.EQUAL | Test.ANY:
                return any(leaf in values for leaf in found)
            case Test.CONTAINS_ALL:
                return all(any(term.lower() in name.lower() for name in found) for term in values)
            case Test.UNSHOWN:
                return bool(self._elsewhere(parameter.name, record) & {*values})
        if not found:
            return parameter.test in (Test.ON_OR_BEFORE_OR_OPEN, Test.ON_OR_AFTER_OR_OPEN)
        compared = moment if parameter.type is Scalar.DATE_TIME else date.fromisoformat
        leaf, bound = compared(found[0]), compared(values[0])
        if parameter.test is Test.AFTER:
            return bool(leaf > bound)
        if parameter.test in (Test.ON_OR_BEFORE, Test.ON_OR_BEFORE_OR_OPEN):
            return bool(leaf <= bound)
        return bool(leaf >= bound)

    def _elsewhere(self, name: str, record: Json) -> set[str]:
        """What an activity, or an event by its activity, is found by; whatever the dates of what is between."""
        activity = (
            self.by_id["Activity"].get(next(leaves(record, "activity"), ""), {}) if "activity" in record else record
        )
        if name == "organisation":
            return {above for at in leaves(activity, "organisation") for above in self.above(at)}
        if name == "group":
            return {*leaves(activity, "groups")}
        if name == "teacher":
            return {*leaves(activity, "teachers.duty"), *leaves(record, "teacherExceptions.duty")}
        groups = [self.by_id["Group"].get(id, {}) for id in leaves(activity, "groups")]
        members = {person for group in groups for person in leaves(group, "groupMemberships.person")}
        return (members | {*leaves(record, "studentExceptions.student")}) - self.hidden

    def _related(self, person: Json, given: Sequence[tuple[Parameter, Any]]) -> bool:
        """Whether one relation of the person fits all; the kinds are those of which there are records."""
        kind = next((value for p, value in given if p.name == "relationship.entity.type"), None)
        return any(
            self._fits(at, dates, given) for of, at, dates in self._relations(person) if kind is None or of == kind
        )

    def _fits(self, at: Json, dates: Json, given: Sequence[tuple[Parameter, Any]]) -> bool:
        for parameter, value in given:
            part = parameter.name.removeprefix("relationship.")
            if part == "organisation":
                if value not in self.above(at.get("id", "")):
                    return False
            elif part != "entity.type":
                column, bound = part.split(".")
                day = dates.get(column)
                if day is not None and not (day <= value if bound == "onOrBefore" else day >= value):
                    return False
        return True

    def _relations(self, person: Json) -> Iterator[tuple[str, Json, Json]]:
        """The kind of each relation of a person, the organisation it is to, and what holds its dates."""
        me = person["id"]
        for entry in person.get("enrolments", ()):
            yield "enrolment", entry["enroledAt"], entry
        duties = [duty for duty in self.sent["Duty"] if me in leaves(duty, "person")]
        for duty in duties:
            yield "duty", duty["dutyAt"], duty
        for child in self.shown("Person"):
            if me in leaves(child, "responsibles.person"):
                for entry in child.get("enrolments", ()):
                    yield "responsibleFor.enrolment", entry["enroledAt"], entry
        for group in self.sent["Group"]:
            roles = [
                role for duty in duties for role in duty.get("assignmentRole", ()) if role["group"]["id"] == group["id"]
            ]
            mine = [entry for entry in group.get("groupMemberships", ()) if entry["person"]["id"] == me]
            for entry in (*mine, *roles):
                yield "groupMembership", group["organisation"], entry

    def above(self, organisation: str) -> Iterator[str]:
        """The organisation and all above it."""
        here: str | None = organisation
        while here is not None:
            yield here
            here = self._parents.get(here)

    # Order

    def ordered(self, resource: Resource, records: Iterable[Json], keys: Sequence[SortKey]) -> list[Json]:
        """By the keys, most important first; missing values last, ties by id."""
        found = sorted(records, key=lambda record: str(record["id"]))
        for key in reversed(keys):
            values = {record["id"]: self._sort_value(resource, record, key) for record in found}
            there = [record for record in found if values[record["id"]] is not None]
            there.sort(key=lambda record: values[record["id"]], reverse=key.descending)
            found = there + [record for record in found if values[record["id"]] is None]
        return found

    def _sort_value(self, resource: Resource, record: Json, key: SortKey) -> Any:
        if key.column == "displayName":
            return swedish(str(self.record(resource, record)["displayName"]))
        found = next(leaves(record, key.column), None)
        if found is None or key.column.endswith("Date"):
            return found
        return moment(found) if key.column in ("meta.modified", "startTime") else swedish(found)


_ALPHABET = " -0123456789abcdefghijklmnopqrstuvwxyzåäö"


def swedish(text: str) -> list[int]:
    """Where a text stands in a Swedish dictionary: å ä ö after z, other accents and case ignored."""
    plain = "".join(c if c in "åäö" else unicodedata.normalize("NFD", c)[0] for c in text.lower())
    return [_ALPHABET.index(c) for c in plain]


def leaves(record: Any, path: str) -> Iterator[Any]:
    """The values at a path, through objects and lists; of a reference its id."""
    if isinstance(record, list):
        for each in record:
            yield from leaves(each, path)
    elif path and isinstance(record, dict):
        head, _, rest = path.partition(".")
        yield from leaves(record.get(head), rest)
    elif isinstance(record, dict):
        yield record["id"]
    elif record is not None:
        yield record


def holds(dated: Json, first: str | None, last: str | None) -> bool:
    """Whether what has a startDate and an endDate holds on at least one day of a period, ends inclusive."""
    start, end = dated.get("startDate"), dated.get("endDate")
    return not ((last and start and start > last) or (first and end and end < first))


def begins_in(event: Json, first: str, last: str) -> bool:
    """Whether an event begins on a local day of the period."""
    day = moment(event["startTime"]).astimezone(STOCKHOLM).date().isoformat()
    return first <= day <= last
