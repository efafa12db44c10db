"""What a filter selects, in plain Python over the oracle's merged records: the standard's text written once more.

A parameter's meaning follows from its name where the standard's own text does; otherwise it stands here by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .oracle import Oracle, Record, ids_at, instant, local_day, values_at

Given = Mapping[str, Sequence[str]]
"""Parameters and the values asked for; all of them must hold, each by any of its values."""
BOUNDS = ("onOrBefore", "onOrAfter", "before", "after")

COLUMNS = {
    ("Organisation", "parent"): "parentOrganisation", ("Organisation", "type"): "organisationType",
    ("Placement", "organisation"): "placedAt", ("Placement", "owner"): "owners", ("Group", "schoolTypes"): "schoolType",
    ("SchoolUnitOffering", "organisation"): "offeredAt", ("Activity", "teacher"): "teachers.duty",
    ("Activity", "group"): "groups", ("Resource", "organisation"): "owner", ("Room", "organisation"): "owner",
    ("Duty", "organisation"): "dutyAt",
    ("Person", "civicNo"): "civicNo.value", ("Person", "eduPersonPrincipalName"): "eduPersonPrincipalNames",
    ("Person", "identifier.value"): "externalIdentifiers.value",
    ("Person", "identifier.context"): "externalIdentifiers.context",
}  # fmt: skip
"""The property that a parameter is about, where it does not have the property's name."""
KINDS = (
    "enrolment", "duty", "placement.child", "placement.owner", "responsibleFor.enrolment", "responsibleFor.placement",
    "groupMembership",
)  # fmt: skip


@dataclass(frozen=True)
class Relation:
    """A relation of a person: where, and from when until when."""

    organisation: str | None
    startDate: str | None
    endDate: str | None


@dataclass(eq=False)
class Filters:
    """The filters over one oracle. ``subtree``: whether organisations stand for what lies below them."""

    oracle: Oracle
    subtree: bool = True
    _relations: dict[str, dict[str, list[Relation]]] = field(default_factory=dict)

    # The tree

    def above(self, organisation: str) -> set[str]:
        """The organisations by which something at this one is found: itself, and with ``subtree`` all above it."""
        found: set[str] = set()
        waiting = [organisation]
        while waiting:
            found.add(each := waiting.pop())
            parent = self.oracle.record("Organisation", each)["parentOrganisation"]
            waiting += (set(ids_at(parent, ())) - found) if self.subtree else ()
        return found

    # What a record shows

    def reach(self, record: Record, column: str, resource: str) -> list[Record]:
        """The records that a record refers to."""
        return [self.oracle.record(resource, id) for id in ids_at(record[column], ())]

    def activities(self, record: Record) -> list[Record]:
        """The activity itself, or that of an event, of an attendance, of a sum."""
        if record.resource.name == "Activity":
            return [record]
        if record.resource.name == "Attendance":
            return [a for event in self.reach(record, "calendarEvent", "CalendarEvent") for a in self.activities(event)]
        found = self.reach(record, "activity", "Activity")
        return [activity for activity in found if activity.values is not None]

    def groups(self, record: Record) -> list[Record]:
        return [group for activity in self.activities(record) for group in self.reach(activity, "groups", "Group")]

    def values(self, record: Record, parameter: str) -> set[str]:
        """The values that a record has for a parameter; a reference's value is its id."""
        name = record.resource.name
        joined = self._joined(record, name, parameter)
        if joined is not None:
            return joined
        column, _, bound = parameter.rpartition(".")
        path = (column if bound in BOUNDS else COLUMNS.get((name, parameter), parameter)).split(".")
        found = {str(each["id"] if isinstance(each, dict) else each) for each in values_at(record.values, path)}
        if parameter == "organisation":
            return {above for each in found for above in self.above(each)}
        return found

    def _joined(self, record: Record, name: str, parameter: str) -> set[str] | None:
        """What only other records show, whatever the dates of what is between."""
        match name, parameter:
            case ("CalendarEvent" | "Attendance" | "AggregatedAttendance", "organisation"):
                at = [id for activity in self.activities(record) for id in ids_at(activity["organisation"], ())]
                return {above for each in at for above in self.above(each)}
            case ("CalendarEvent", "group"):
                return {id for activity in self.activities(record) for id in ids_at(activity["groups"], ())}
            case ("CalendarEvent", "teacher"):
                teachers = {id for a in self.activities(record) for id in ids_at(a["teachers"], ("duty",))}
                return teachers | {*ids_at(record["teacherExceptions"], ("duty",))}
            case ("CalendarEvent" | "Activity", "student" | "member"):
                members = {id for g in self.groups(record) for id in ids_at(g["groupMemberships"], ("person",))}
                exceptions = record["studentExceptions"] if name == "CalendarEvent" else None
                return members | {*ids_at(exceptions, ("student",))}
            case ("AttendanceSchedule", "group"):
                return {id for p in self.reach(record, "placement", "Placement") for id in ids_at(p["group"], ())}
            case ("AggregatedAttendance", "schoolType"):
                return {str(group["schoolType"]) for group in self.groups(record) if group["schoolType"]}
        return None

    # Whether a record is selected

    def selects(self, record: Record, given: Given) -> bool:
        """Whether all parameters hold; those of an identifier for one identifier, of a relation for one relation."""
        parts = {
            group: {n.removeprefix(group): values[0] for n, values in given.items() if n.startswith(group)}
            for group in ("identifier.", "relationship.")
        }
        identifiers = record["externalIdentifiers"] or () if parts["identifier."] else ()
        if parts["identifier."] and not any(
            all(entry[name] == value for name, value in parts["identifier."].items()) for entry in identifiers
        ):
            return False
        if parts["relationship."] and not self._related(record, parts["relationship."]):
            return False
        alone = {n: values for n, values in given.items() if not n.startswith(tuple(parts))}
        return all(self.holds(record, name, values) for name, values in alone.items())

    def holds(self, record: Record, parameter: str, values: Sequence[str]) -> bool:
        """Whether a record is selected by one parameter. The id of somebody who is not shown selects nothing."""
        name = record.resource.name
        if parameter == "nameContains":
            names = [str(record[each]).lower() for each in ("givenName", "middleName", "familyName") if record[each]]
            return bool(values) and all(any(term.lower() in each for each in names) for term in values)
        if name == "AggregatedAttendance" and parameter == "startDate":  # a row that shares a day with the window
            return bool(record["endDate"] >= values[0])
        if name == "AggregatedAttendance" and parameter == "endDate":
            return bool(record["startDate"] <= values[0])
        column, _, bound = parameter.rpartition(".")
        found = self.values(record, parameter)
        if bound not in BOUNDS:
            return any(not self.oracle.hidden(self.oracle.record("Person", value)) for value in found & {*values})
        if not found:
            return column == "endDate" or (column == "startDate" and name in ("Organisation", "StudyPlan"))
        is_time = "T" in values[0]
        here, limit = (instant(each) if is_time else each for each in (*found, values[0]))
        if bound == "after" or (name == "Absence" and bound == "onOrAfter"):
            return bool(here > limit)
        return bool(here <= limit if bound in ("onOrBefore", "before") else here >= limit)

    # Relations of persons

    def _related(self, person: Record, part: Mapping[str, str]) -> bool:
        kind = part.get("entity.type")
        relations = [r for each in ([kind] if kind else KINDS) for r in self.relations(each).get(person.id, ())]
        return any(self._fits(relation, part) for relation in relations)

    def _fits(self, relation: Relation, part: Mapping[str, str]) -> bool:
        for name, value in part.items():
            column, _, bound = name.partition(".")
            if column == "organisation":
                if relation.organisation is None or value not in self.above(relation.organisation):
                    return False
            elif bound in ("onOrBefore", "onOrAfter"):
                date = getattr(relation, column)
                if date is not None and not (date <= value if bound == "onOrBefore" else date >= value):
                    return False
        return True

    def relations(self, kind: str) -> dict[str, list[Relation]]:
        """The relations of a kind, by person; those through somebody who is not shown are not there."""
        if kind not in self._relations:
            found: dict[str, list[Relation]] = {}
            for person, relation in self._find(kind):
                found.setdefault(person, []).append(relation)
            self._relations[kind] = found
        return self._relations[kind]

    def _find(self, kind: str) -> Iterator[tuple[str, Relation]]:
        match kind:
            case "enrolment":
                for person in self.oracle.all("Person"):
                    for entry in person["enrolments"] or ():
                        yield person.id, _relation(entry, entry.get("enroledAt"))
            case "duty":
                for duty in self.oracle.all("Duty"):
                    for person_id in ids_at(duty["person"], ()):
                        yield person_id, _relation(duty.values, duty["dutyAt"])
            case "placement.child" | "placement.owner":
                for placement in self.oracle.all("Placement"):
                    for person_id in ids_at(placement["child" if kind == "placement.child" else "owners"], ()):
                        yield person_id, _relation(placement.values, placement["placedAt"])
            case "responsibleFor.enrolment" | "responsibleFor.placement":
                of = "enrolment" if kind == "responsibleFor.enrolment" else "placement.child"
                for child in self.oracle.all("Person"):
                    for adult in ids_at(child["responsibles"], ("person",)):
                        for relation in self.relations(of).get(child.id, ()):
                            yield adult, relation
            case "groupMembership":
                groups = {group.id: group for group in self.oracle.all("Group")}
                for group in groups.values():
                    for entry in group["groupMemberships"] or ():
                        for person_id in ids_at(entry["person"], ()):
                            yield person_id, _relation(entry, group["organisation"])
                for duty in self.oracle.all("Duty"):
                    for role in duty["assignmentRole"] or ():
                        for group_id in set(ids_at(role["group"], ())) & set(groups):
                            for person_id in ids_at(duty["person"], ()):
                                yield person_id, _relation(role, groups[group_id]["organisation"])

    # The gateway's own

    def enrolled(self, person: Record, wanted: Mapping[str, Any]) -> bool:
        """``enrolment: {...}``: one enrolment is all that is wanted."""
        return any(self._enrolment(entry, wanted) for entry in person["enrolments"] or ())

    def _enrolment(self, entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        at = {above for id in ids_at(entry.get("enroledAt"), ()) for above in self.above(id)}
        found = {
            "schoolYear": {entry.get("schoolYear")},
            "schoolType": {entry.get("schoolType")},
            "enroledAt": at,
            "programme": set(ids_at(entry.get("programme"), ())),
        }
        if "on" in wanted and not _holds_on(entry, wanted["on"]):
            return False
        return all(found[name] & {*values} for name, values in wanted.items() if name != "on")

    def member(self, person: Record, groups: Sequence[str], on: str | None) -> bool:
        """``memberOf: {group, on}``."""
        return any(
            person.id in ids_at(entry["person"], ()) and (on is None or _holds_on(entry, on))
            for id in groups
            for entry in self.oracle.record("Group", id)["groupMemberships"] or ()
        )

    def present(self, record: Record, source: str) -> bool:
        return record.id in self.oracle.tables.get((source, record.resource.name), {})

    def active(self, record: Record, day: str) -> bool:
        """Whether a record with startDate and endDate, or with a moment, holds on the day."""
        if "startTime" in (record.values or {}):
            return record["startTime"] is not None and local_day(record["startTime"]) == day
        return _holds_on(record.values or {}, day)


def _relation(entry: Mapping[str, Any] | None, at: Any) -> Relation:
    assert entry is not None
    return Relation(next(iter(ids_at(at, ())), None), entry.get("startDate"), entry.get("endDate"))


def _holds_on(entry: Mapping[str, Any], day: str) -> bool:
    return (entry.get("startDate") or day) <= day <= (entry.get("endDate") or day)
