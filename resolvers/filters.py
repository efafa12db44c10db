"""The filters: the standard's query parameters, and the gateway's own beside them, which no source is ever sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from sources.standard import RESOURCES
from sources.standard.common import SCHOOL_TYPE
from sources.standard.grade import SEMESTER
from sources.standard.model import Enumeration, Parameter, Resource, Scalar, Test

from .dated import dated

TEXT = "Text"
"""What is appended to an enumeration's parameter for the one that compares the spelling."""
SOURCES = (Test.PRESENT_IN, Test.ABSENT_FROM)

REACH: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Group", "member"): ("id",),
    ("Activity", "member"): ("groups",),
    ("CalendarEvent", "student"): ("activity", "studentExceptions.student"),
    ("CalendarEvent", "teacher"): ("activity", "teacherExceptions.duty"),
    ("CalendarEvent", "group"): ("activity",),
    ("CalendarEvent", "organisation"): ("activity",),
    ("Attendance", "organisation"): ("calendarEvent/activity",),
    ("AttendanceSchedule", "group"): ("placement",),
    ("AggregatedAttendance", "organisation"): ("activity",),
    ("AggregatedAttendance", "schoolType"): ("activity",),
    ("AggregatedAttendance", "schoolTypeText"): ("activity",),
}
"""Where a record meets the other records that decide a parameter: a column that names one of them.

``calendarEvent/activity`` is the activity of the record's calendar event; ``id`` is the record itself.
"""

_OWN: Mapping[str, tuple[Parameter, ...]] = {
    "Person": (
        Parameter("enrolment.schoolYear", Scalar.INTEGER, Test.ENROLMENT, ("enrolments.schoolYear",),
                  "In one of these school years.", many=True),
        Parameter("enrolment.schoolType", SCHOOL_TYPE, Test.ENROLMENT, ("enrolments.schoolType",),
                  "In one of these forms of schooling.", many=True),
        Parameter("enrolment.enroledAt", Scalar.ID, Test.ENROLMENT, ("enrolments.enroledAt",),
                  "At one of these organisations, or below.", many=True),
        Parameter("enrolment.programme", Scalar.ID, Test.ENROLMENT, ("enrolments.programme",),
                  "In one of these programmes.", many=True),
        Parameter("enrolment.on", Scalar.DATE, Test.ENROLMENT, ("enrolments",), "That holds on this day."),
        Parameter("memberOf.group", Scalar.ID, Test.MEMBER_OF, (), "Of one of these groups; without it, of any.",
                  many=True),
        Parameter("memberOf.on", Scalar.DATE, Test.MEMBER_OF, (),
                  "On this day; without it, whatever the dates of the membership."),
    ),
    "Group": (
        Parameter("displayName", Scalar.STRING, Test.EQUAL, ("displayName",), "With exactly one of these names.",
                  many=True),
        Parameter("member", Scalar.ID, Test.UNSHOWN, (),
                  "With this person as a member, whatever the dates of the membership."),
    ),
    "Grade": (
        Parameter("syllabus", Scalar.ID, Test.EQUAL, ("syllabus",), "In one of these subjects or courses.", many=True),
        Parameter("semester", SEMESTER, Test.EQUAL, ("semester",), "For one of these terms.", many=True),
        Parameter("year", Scalar.INTEGER, Test.EQUAL, ("year",), "For one of these years.", many=True),
        Parameter("finalGrade", Scalar.BOOLEAN, Test.EQUAL, ("finalGrade",), "Final grades, or those that are not."),
    ),
}  # fmt: skip


@cache
def own(resource_name: str) -> tuple[Parameter, ...]:
    """The gateway's own filters of a resource."""
    resource = RESOURCES[resource_name]
    found = [*_OWN.get(resource_name, ()), *_texts((*resource.parameters, *_OWN.get(resource_name, ())))]
    found += _of_all(resource)
    return tuple(replace(each, doc=f"{each.doc} (Not in the standard.)") for each in found)


def parameters(resource_name: str) -> tuple[Parameter, ...]:
    """All filters of a resource: the standard's, then its own."""
    return (*RESOURCES[resource_name].parameters, *own(resource_name))


def takes_subtree(parameter: Parameter) -> bool:
    """Whether a parameter names organisations that stand for everything below them too."""
    return parameter.type is Scalar.ID and parameter.name.rpartition(".")[2] in ("organisation", "enroledAt")


def _texts(of: tuple[Parameter, ...]) -> Iterator[Parameter]:
    for each in of:
        if isinstance(each.type, Enumeration) and each.test is not Test.RELATION:
            doc = f"As {each.name.rpartition('.')[2]}, by the standard's spelling, or what a source sent."
            yield Parameter(each.name + TEXT, Scalar.STRING, each.test, each.columns, doc, many=each.many)


def _of_all(resource: Resource) -> Iterator[Parameter]:
    how = dated(resource)
    if how is not None:
        columns = tuple(column for column in (how.start, how.end, how.by) if column is not None)
        verb = "Holds" if how.end is not None else "Happens"
        yield Parameter("activeOn", Scalar.DATE, Test.ACTIVE_ON, columns, f"{verb} on this day.")
    for name, test, doc in (
        ("presentIn", Test.PRESENT_IN, "All of these sources have the record, by their names in the configuration."),
        ("absentFrom", Test.ABSENT_FROM, "None of these sources has the record, by their names in the configuration."),
    ):
        yield Parameter(name, Scalar.STRING, test, (), doc, many=True)
