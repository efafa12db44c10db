"""For every parameter: records that pass and records that do not, as the standard's text has it.

The expectation follows from the parameter's name and type, by the text of the standard (field guide, 6.1 to 6.3); it is
not taken from how the gateway declares the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.filters import own
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Parameter, Property, Reference, Resource, Scalar, Structure

ID = "00000000-0000-4000-8000-{:012x}"
UNIT, OTHER = ID.format(1), ID.format(2)
DAY, BEFORE, AFTER = "2026-08-15", "2026-08-14", "2026-08-16"
NOON = "2026-08-15T12:00:00+02:00"
SAME, EARLIER, LATER = "2026-08-15T10:00:00Z", "2026-08-15T09:59:59.999Z", "2026-08-15T10:00:00.001Z"
"""The instant itself with another offset, and around it."""

COLUMNS = {
    ("Organisation", "parent"): "parentOrganisation", ("Organisation", "type"): "organisationType",
    ("Placement", "organisation"): "placedAt", ("Placement", "owner"): "owners", ("Group", "schoolTypes"): "schoolType",
    ("SchoolUnitOffering", "organisation"): "offeredAt", ("Activity", "teacher"): "teachers.duty",
    ("Activity", "group"): "groups", ("Resource", "organisation"): "owner", ("Room", "organisation"): "owner",
    ("Duty", "organisation"): "dutyAt",
    ("Person", "nameContains"): "familyName",
    ("Person", "civicNo"): "civicNo.value", ("Person", "eduPersonPrincipalName"): "eduPersonPrincipalNames",
    ("Person", "identifier.value"): "externalIdentifiers.value",
    ("Person", "identifier.context"): "externalIdentifiers.context",
    ("Person", "relationship.entity.type"): "enrolments.schoolType",
    ("Person", "relationship.organisation"): "enrolments.enroledAt",
    ("Person", "enrolment.on"): "enrolments.startDate",
}  # fmt: skip
"""The property that a parameter is about, where it does not have the property's name."""
ELSEWHERE = {
    ("Group", "member"), ("Activity", "member"), ("CalendarEvent", "student"), ("CalendarEvent", "teacher"),
    ("CalendarEvent", "group"), ("CalendarEvent", "organisation"), ("Attendance", "organisation"),
    ("AttendanceSchedule", "group"), ("AggregatedAttendance", "organisation"), ("AggregatedAttendance", "schoolType"),
    ("AggregatedAttendance", "schoolTypeText"), ("Person", "memberOf.group"), ("Person", "memberOf.on"),
}  # fmt: skip
"""What no record of its own shows."""
OF_SOURCES = ("presentIn", "absentFrom", "activeOn")


@dataclass(frozen=True)
class Case:
    """A value in the record (None: it has none), the value asked for, and whether the record is selected."""

    value: object
    asked: str
    selected: bool


def every() -> Iterator[tuple[str, Parameter]]:
    """Every parameter that the record itself shows, with its resource; the gateway's own among them."""
    for resource in RESOURCES.values():
        for parameter in (*resource.parameters, *own(resource.name)):
            if (resource.name, parameter.name) not in ELSEWHERE and parameter.name not in OF_SOURCES:
                yield resource.name, parameter


def column_of(resource: str, parameter: str) -> str:
    name = parameter.removesuffix("Text")
    if (resource, name) in COLUMNS:
        return COLUMNS[resource, name]
    if resource == "AggregatedAttendance" and name in ("startDate", "endDate"):
        return {"startDate": "endDate", "endDate": "startDate"}[name]  # it must share a day with the window
    head, _, last = name.rpartition(".")
    path = head if last in ("onOrBefore", "onOrAfter", "before", "after") else name
    return path.replace("relationship.", "enrolments.").replace("enrolment.", "enrolments.")


def cases(resource: str, parameter: Parameter) -> list[Case]:
    """On the boundary, on both sides of it, and without a value."""
    bound = parameter.name.rpartition(".")[2]
    if resource == "AggregatedAttendance" and parameter.name in ("startDate", "endDate"):
        bound = "onOrAfter" if parameter.name == "startDate" else "onOrBefore"
    if parameter.name == "enrolment.on":
        return [Case(DAY, DAY, True), Case(BEFORE, DAY, True), Case(AFTER, DAY, False)]
    if bound in ("onOrBefore", "onOrAfter", "before", "after"):
        at = column_of(resource, parameter.name)
        # Records without an endDate are always included, in both directions; of organisations and study plans (and
        # relations) also those without a startDate. Nothing else is included for want of a value.
        open_ = at.endswith("endDate") or at.startswith("enrolments.")
        open_ = (open_ or (at == "startDate" and resource in ("Organisation", "StudyPlan"))) and not parameter.required
        exclusive = bound == "after" or (resource == "Absence" and bound == "onOrAfter")
        before = bound in ("onOrBefore", "before")
        same, earlier, later, asked = DAY, BEFORE, AFTER, DAY
        if parameter.type is Scalar.DATE_TIME:
            same, earlier, later, asked = SAME, EARLIER, LATER, NOON
        return [
            Case(same, asked, not exclusive),
            Case(earlier, asked, before),
            Case(later, asked, not before),
            Case(None, asked, open_),
        ]
    if parameter.name == "nameContains":
        return [Case("Öberg", "ÖBE", True), Case("Öberg", "obe", False), Case(None, "a", False)]
    if parameter.name == "relationship.entity.type":
        return [Case("GR", "enrolment", True), Case(None, "enrolment", False)]
    if isinstance(parameter.type, Enumeration):
        one, other = parameter.type.values[:2]
        return [Case(one, one, True), Case(other, one, False), Case(None, one, False)]
    if parameter.name.endswith("Text"):
        kind = parameter_of_text(resource, parameter.name)
        return [Case(kind.values[0], kind.values[0], True), Case("Påhittad", "Påhittad", True),
                Case("Påhittad", kind.values[0], False), Case(None, "Påhittad", False)]  # fmt: skip
    if parameter.type is Scalar.BOOLEAN:
        return [
            Case(True, "true", True),
            Case(False, "true", False),
            Case(False, "false", True),
            Case(None, "false", False),
        ]
    if parameter.type is Scalar.INTEGER:
        return [Case(7, "7", True), Case(0, "0", True), Case(8, "7", False), Case(None, "0", False)]
    one, other = (UNIT, OTHER) if _is_reference(resource, column_of(resource, parameter.name)) else ("abc", "ABC")
    return [Case(one, one, True), Case(other, one, False), Case(None, one, False)]


def parameter_of_text(resource: str, name: str) -> Enumeration:
    known = {p.name: p for p in (*RESOURCES[resource].parameters, *own(resource))}
    kind = known[name.removesuffix("Text")].type
    assert isinstance(kind, Enumeration)
    return kind


def record(resource: str, path: str, value: object) -> dict[str, Any]:
    """A record with a value at a path: in lists and objects where these are declared, a reference by its id."""
    return {} if value is None else _built(RESOURCES[resource], path.split("."), value)


def _built(of: Resource | Structure, path: list[str], value: object) -> dict[str, Any]:
    prop = _property(of, path[0])
    if isinstance(prop.type, Structure):
        inner: object = _built(prop.type, path[1:], value)
    else:
        inner = {"id": value} if isinstance(prop.type, Reference) else value
    return {prop.name: [inner] if prop.many else inner}


def _property(of: Resource | Structure, name: str) -> Property:
    return next(prop for prop in of.properties if prop.name == name)


def _is_reference(resource: str, path: str) -> bool:
    of: Any = RESOURCES[resource]
    for name in path.split("."):
        of = _property(of, name).type
    return isinstance(of, Reference)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two halves of a record; entries of the same list become one entry."""
    found = dict(one)
    for name, value in other.items():
        mine = found.get(name)
        if isinstance(mine, dict) and isinstance(value, dict):
            found[name] = merged(mine, value)
        elif isinstance(mine, list) and isinstance(value, list) and isinstance(mine[0], dict):
            found[name] = [merged(mine[0], value[0])]
        else:
            found[name] = value
    return found
