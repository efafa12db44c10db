"""What each list filter of the standard selects, on raw records.

Written from the standard's text and not from ``sources.standard``, which says the same in its own way: so the gateway's
tests hold one against the other.

Source: SS 12000:2020 version 2.1.0, the parameter descriptions of the list endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .store import Store, Table, seconds, values
from .world import Record

_T = TypeVar("_T", str, float)

Filters = Mapping[str, Sequence[str]]
"""Parameter name → the values given, in order."""

EQUAL: Mapping[tuple[str, str], str] = {
    ("Organisation", "parent"): "parentOrganisation.id",
    ("Organisation", "schoolUnitCode"): "schoolUnitCode",
    ("Organisation", "organisationCode"): "organisationCode",
    ("Organisation", "municipalityCode"): "municipalityCode",
    ("Organisation", "type"): "organisationType",
    ("Organisation", "schoolTypes"): "schoolTypes",
    ("Person", "civicNo"): "civicNo.value",
    ("Person", "eduPersonPrincipalName"): "eduPersonPrincipalNames",
    ("Placement", "organisation"): "placedAt.id",
    ("Placement", "group"): "group.id",
    ("Placement", "child"): "child.id",
    ("Placement", "owner"): "owners.id",
    ("Duty", "dutyRole"): "dutyRole",
    ("Duty", "person"): "person.id",
    ("Group", "groupType"): "groupType",
    ("Group", "schoolTypes"): "schoolType",
    ("Group", "organisation"): "organisation.id",
    ("Programme", "schoolType"): "schoolType",
    ("Programme", "code"): "code",
    ("Programme", "parentProgramme"): "parentProgramme.id",
    ("StudyPlan", "student"): "student.id",
    ("SchoolUnitOffering", "organisation"): "offeredAt.id",
    ("Activity", "teacher"): "teachers.duty.id",
    ("Activity", "group"): "groups.id",
    ("CalendarEvent", "activity"): "activity.id",
    ("Attendance", "student"): "student.id",
    ("Attendance", "calendarEvent"): "calendarEvent.id",
    ("AttendanceEvent", "group"): "group.id",
    ("AttendanceEvent", "person"): "person.id",
    ("AttendanceSchedule", "placement"): "placement.id",
    ("Grade", "organisation"): "organisation.id",
    ("Grade", "student"): "student.id",
    ("Grade", "registeredBy"): "registeredBy.id",
    ("Grade", "gradingTeacher"): "gradingTeacher.id",
    ("Absence", "organisation"): "organisation.id",
    ("Absence", "student"): "student.id",
    ("Absence", "registeredBy"): "registeredBy.id",
    ("Absence", "type"): "type",
    ("AggregatedAttendance", "student"): "student.id",
    ("Resource", "organisation"): "owner.id",
    ("Room", "organisation"): "owner.id",
}
"""The value at the path is one of those given."""


def _duties_in(store: Store, ids: Sequence[str]) -> set[int]:
    return store.tables["Duty"].where("dutyAt.id", [o for id in ids for o in store.subtree(id)])


def _activities_in(store: Store, ids: Sequence[str]) -> set[int]:
    return store.tables["Activity"].where("organisation.id", [o for id in ids for o in store.subtree(id)])


def _activities_of_member(store: Store, ids: Sequence[str]) -> set[int]:
    return store.tables["Activity"].where("groups.id", _ids(store, "Group", "groupMemberships.person.id", ids))


def _events_in(store: Store, ids: Sequence[str]) -> set[int]:
    return _events_of(store, "organisation.id", [o for id in ids for o in store.subtree(id)])


def _events_of_group(store: Store, ids: Sequence[str]) -> set[int]:
    return _events_of(store, "groups.id", ids)


def _events_of_student(store: Store, ids: Sequence[str]) -> set[int]:
    groups = _ids(store, "Group", "groupMemberships.person.id", ids)
    exceptions = store.tables["CalendarEvent"].where("studentExceptions.student.id", ids)
    return _events_of(store, "groups.id", groups) | exceptions


def _events_of_teacher(store: Store, ids: Sequence[str]) -> set[int]:
    exceptions = store.tables["CalendarEvent"].where("teacherExceptions.duty.id", ids)
    return _events_of(store, "teachers.duty.id", ids) | exceptions


def _events_of(store: Store, path: str, wanted: Sequence[str]) -> set[int]:
    """The events of the activities with one of the values at the path."""
    return store.tables["CalendarEvent"].where("activity.id", _ids(store, "Activity", path, wanted))


def _attendances_in(store: Store, ids: Sequence[str]) -> set[int]:
    return _attendances_of(store, "organisation.id", [o for id in ids for o in store.subtree(id)])


def _attendances_of_activity(store: Store, ids: Sequence[str]) -> set[int]:
    return store.tables["Attendance"].where("calendarEvent.id", _ids(store, "CalendarEvent", "activity.id", ids))


def _attendances_of(store: Store, path: str, wanted: Sequence[str]) -> set[int]:
    return _attendances_of_activity(store, _ids(store, "Activity", path, wanted))


def _schedules_of_group(store: Store, ids: Sequence[str]) -> set[int]:
    return store.tables["AttendanceSchedule"].where("placement.id", _ids(store, "Placement", "group.id", ids))


def _sums_at(store: Store, ids: Sequence[str]) -> set[int]:
    return store.tables["AggregatedAttendance"].where("activity.id", _ids(store, "Activity", "organisation.id", ids))


def _sums_of_school_type(store: Store, kinds: Sequence[str]) -> set[int]:
    groups = _ids(store, "Group", "schoolType", kinds)
    return store.tables["AggregatedAttendance"].where("activity.id", _ids(store, "Activity", "groups.id", groups))


def _placements_of_person(store: Store, ids: Sequence[str]) -> set[int]:
    table = store.tables["Placement"]
    return table.where("child.id", ids) | table.where("owners.id", ids)


def _ids(store: Store, resource: str, path: str, wanted: Sequence[str]) -> list[str]:
    table = store.known(resource)
    return [str(table.records[position]["id"]) for position in table.where(path, wanted)]


FOUND: Mapping[tuple[str, str], Callable[[Store, Sequence[str]], set[int]]] = {
    ("Duty", "organisation"): _duties_in,
    ("Activity", "organisation"): _activities_in,
    ("Activity", "member"): _activities_of_member,
    ("CalendarEvent", "organisation"): _events_in,
    ("CalendarEvent", "group"): _events_of_group,
    ("CalendarEvent", "student"): _events_of_student,
    ("CalendarEvent", "teacher"): _events_of_teacher,
    ("Attendance", "organisation"): _attendances_in,
    ("AttendanceSchedule", "group"): _schedules_of_group,
    ("AggregatedAttendance", "organisation"): _sums_at,
    ("AggregatedAttendance", "schoolType"): _sums_of_school_type,
}
"""The record itself does not tell: the way goes over other records."""

LOOKUP: Mapping[tuple[str, str], Callable[[Store, Sequence[str]], set[int]]] = {
    ("Activity", "members"): _activities_of_member,
    ("CalendarEvent", "student"): _events_of_student,
    ("CalendarEvent", "teacher"): _events_of_teacher,
    ("Attendance", "activities"): _attendances_of_activity,
    ("Placement", "personIds"): _placements_of_person,
}
LOOKUP_EQUAL: Mapping[tuple[str, str], str] = {
    ("Organisation", "schoolUnitCodes"): "schoolUnitCode",
    ("Organisation", "organisationCodes"): "organisationCode",
    ("Person", "civicNos"): "civicNo.value",
    ("Activity", "teachers"): "teachers.duty.id",
    ("CalendarEvent", "activities"): "activity.id",
    ("Attendance", "students"): "student.id",
    ("Attendance", "calendareEvents"): "calendarEvent.id",
    ("AttendanceEvent", "person"): "person.id",
    ("AttendanceEvent", "group"): "group.id",
    ("AttendanceSchedule", "placement"): "placement.id",
}


@dataclass(frozen=True, slots=True)
class Range:
    """A bound on a column. ``open``: records without a value are always selected; ``inclusive``: the bound counts."""

    column: str
    before: bool
    open: bool = False
    inclusive: bool = True
    instant: bool = False


def _dates(column: str, *, open: bool) -> dict[str, Range]:
    return {
        f"{column}.onOrBefore": Range(column, before=True, open=open),
        f"{column}.onOrAfter": Range(column, before=False, open=open),
    }


_START, _START_OPEN, _END = (
    _dates("startDate", open=False),
    _dates("startDate", open=True),
    _dates("endDate", open=True),
)
_META = {
    f"meta.{which}.{side}": Range(f"meta.{which}", side == "before", inclusive=side == "before", instant=True)
    for which in ("created", "modified")
    for side in ("before", "after")
}


def _times(column: str, *, after_inclusive: bool) -> dict[str, Range]:
    return {
        f"{column}.onOrBefore": Range(column, before=True, instant=True),
        f"{column}.onOrAfter": Range(column, before=False, inclusive=after_inclusive, instant=True),
    }


RANGES: Mapping[str, Mapping[str, Range]] = {
    "Organisation": _START_OPEN | _END,
    "StudyPlan": _START_OPEN | _END,
    "Placement": _START | _END,
    "Duty": _START | _END,
    "Group": _START | _END,
    "Activity": _START | _END,
    "AttendanceSchedule": _START | _END,
    "Grade": _dates("registeredDate", open=False),
    "CalendarEvent": _times("startTime", after_inclusive=True) | _times("endTime", after_inclusive=True),
    # of absences the standard says "exkluderande" about onOrAfter, whatever the name
    "Absence": _times("startTime", after_inclusive=False) | _times("endTime", after_inclusive=False),
    # a row's period belongs to the window when they share a day
    "AggregatedAttendance": {"startDate": Range("endDate", before=False), "endDate": Range("startDate", before=True)},
}


def select(store: Store, resource: str, filters: Filters) -> list[int]:
    """The positions that all the filters select, in the source's order. The values are well-formed."""
    table = store.tables[resource]
    found: set[int] | None = None
    ranges: list[tuple[Range, str]] = []
    for name, given in filters.items():
        hits: set[int] | None = None
        if (resource, name) in EQUAL:
            hits = table.where(EQUAL[resource, name], given)
        elif (resource, name) in FOUND:
            hits = FOUND[resource, name](store, given)
        elif name == "nameContains":
            hits = _named(table, given)
        elif name.split(".")[0] not in ("relationship", "identifier"):
            ranges.append((_META.get(name) or RANGES[resource][name], given[0]))
        if hits is not None:
            found = hits if found is None else found & hits
    for group, test in (("identifier.", _identified), ("relationship.", _related)):
        part = {name: given[0] for name, given in filters.items() if name.startswith(group)}
        if part:
            hits = test(store, part)
            found = hits if found is None else found & hits
    positions: Iterable[int] = range(len(table.records)) if found is None else sorted(found)
    for bound, value in ranges:
        positions = _within(table, positions, bound, value)
    return list(positions)


def looked_up(store: Store, resource: str, keys: Filters) -> list[int]:
    """The positions that any of the lookup's arrays names, in the source's order."""
    table = store.tables[resource]
    found: set[int] = set()
    for name, given in keys.items():
        if name == "ids":
            found |= {table.positions[id] for id in given if id in table.positions}
        elif (resource, name) in LOOKUP_EQUAL:
            found |= table.where(LOOKUP_EQUAL[resource, name], given)
        else:
            found |= LOOKUP[resource, name](store, given)
    return sorted(found)


def _within(table: Table, positions: Iterable[int], bound: Range, value: str) -> list[int]:
    """Those whose column lies within the bound. ISO dates compare as text, date-times as instants."""
    if bound.instant:
        return _kept(positions, table.instants(bound.column), seconds(value), bound)
    return _kept(positions, table.first(bound.column), value, bound)


def _kept(positions: Iterable[int], column: Sequence[_T | None], limit: _T, bound: Range) -> list[int]:
    kept = []
    for position in positions:
        here = column[position]
        if bound.open if here is None else _meets(here, limit, bound):
            kept.append(position)
    return kept


def _meets(here: _T, limit: _T, bound: Range) -> bool:
    if here == limit:
        return bound.inclusive
    return here < limit if bound.before else here > limit


def _named(table: Table, terms: Sequence[str]) -> set[int]:
    """Every term is part of at least one of the three names, whatever the case."""
    folded = [t.casefold() for t in terms]
    found = set()
    for position, record in enumerate(table.records):
        names = [str(record[n]).casefold() for n in ("givenName", "middleName", "familyName") if record.get(n)]
        if all(any(term in name for name in names) for term in folded):
            found.add(position)
    return found


def _identified(store: Store, part: Mapping[str, str]) -> set[int]:
    """One and the same external identifier has the value and the context given."""
    table = store.tables["Person"]
    found = set()
    for position, record in enumerate(table.records):
        identifiers = record.get("externalIdentifiers")
        for identifier in identifiers if isinstance(identifiers, list) else ():
            if all(identifier.get(name.removeprefix("identifier.")) == value for name, value in part.items()):
                found.add(position)
    return found


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of a person: with which organisation, and from when until when."""

    organisation: str | None
    start: str | None
    end: str | None


def _related(store: Store, part: Mapping[str, str]) -> set[int]:
    """One and the same relation, of the kind given or of any, has the organisation and the dates given."""
    kind = part.get("relationship.entity.type")
    kinds = [kind] if kind else list(RELATIONS)
    positions = store.tables["Person"].positions
    return {
        positions[person]
        for kind in kinds
        for person, relation in RELATIONS[kind](store)
        if person in positions and _matches(relation, part)
    }


def _matches(relation: Relation, part: Mapping[str, str]) -> bool:
    for name, value in part.items():
        side = name.removeprefix("relationship.")
        if side == "organisation" and relation.organisation != value:
            return False
        if side in ("startDate.onOrBefore", "endDate.onOrBefore"):
            day = relation.start if side.startswith("start") else relation.end
            if day is not None and day > value:
                return False
        if side in ("startDate.onOrAfter", "endDate.onOrAfter"):
            day = relation.start if side.startswith("start") else relation.end
            if day is not None and day < value:
                return False
    return True


def _relation(entry: Record, organisation: str) -> Relation:
    def one(path: str) -> str | None:
        return next(values(entry, path.split(".")), None)

    return Relation(one(organisation), one("startDate"), one("endDate"))


def _enrolments(store: Store) -> Iterable[tuple[str, Relation]]:
    table = store.tables["Person"] if store.keeps_enrolments else store.background["Person"]
    for record in table.records:
        entries = record.get("enrolments")
        for entry in entries if isinstance(entries, list) else ():
            yield str(record["id"]), _relation(entry, "enroledAt.id")


def _of(resource: str, person: str, organisation: str) -> Callable[[Store], Iterable[tuple[str, Relation]]]:
    def relations(store: Store) -> Iterable[tuple[str, Relation]]:
        for record in store.served(resource).records:
            relation = _relation(record, organisation)
            for id in values(record, person.split(".")):
                yield id, relation

    return relations


def _responsible_for(
    kind: Callable[[Store], Iterable[tuple[str, Relation]]],
) -> Callable[[Store], Iterable[tuple[str, Relation]]]:
    def relations(store: Store) -> Iterable[tuple[str, Relation]]:
        persons = store.tables["Person"] if store.keeps_enrolments else store.background["Person"]
        for child, relation in kind(store):
            record = persons.get(child)
            for adult in values(record, ["responsibles", "person", "id"]) if record is not None else ():
                yield adult, relation

    return relations


def _memberships(store: Store) -> Iterable[tuple[str, Relation]]:
    groups = store.served("Group")
    for group in groups.records:
        organisation = next(values(group, ["organisation", "id"]), None)
        entries = group.get("groupMemberships")
        for entry in entries if isinstance(entries, list) else ():
            yield entry["person"]["id"], Relation(organisation, entry.get("startDate"), entry.get("endDate"))
    for duty in store.served("Duty").records:
        roles = duty.get("assignmentRole")
        person = next(values(duty, ["person", "id"]), None)
        for role in roles if isinstance(roles, list) and person is not None else ():
            found = groups.get(role["group"]["id"])
            if found is not None:
                organisation = next(values(found, ["organisation", "id"]), None)
                yield str(person), Relation(organisation, role.get("startDate"), role.get("endDate"))


_PLACED = _of("Placement", "child.id", "placedAt.id")

RELATIONS: Mapping[str, Callable[[Store], Iterable[tuple[str, Relation]]]] = {
    "enrolment": _enrolments,
    "duty": _of("Duty", "person.id", "dutyAt.id"),
    "placement.child": _PLACED,
    "placement.owner": _of("Placement", "owners.id", "placedAt.id"),
    "responsibleFor.enrolment": _responsible_for(_enrolments),
    "responsibleFor.placement": _responsible_for(_PLACED),
    "groupMembership": _memberships,
}
"""The relations of persons by relationship.entity.type: (person, relation)."""
