"""What happens in a period, over random sources that disagree about when, against an oracle.

The period is the Sunday on which the clock is put forward: 23 hours, of which the boundaries are given in UTC. A source
that has the reference and another that has the authority over the time must both be heard.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings

from .oracle import Oracle
from .worlds import ACTIVITIES, IDS, PERSONS, World, answer, fakes, federation, worlds

DAY = "2026-03-29"
START, END = datetime.fromisoformat("2026-03-28T23:00:00Z"), datetime.fromisoformat("2026-03-29T22:00:00Z")

COLUMNS = {"Activity": ("displayName",), "Person": ("givenName", "securityMarking")}

DURING = f'during: {{from: "{DAY}", to: "{DAY}"}}'
WINDOW = f'startTime: {{onOrAfter: "{START.isoformat()}", onOrBefore: "{END.isoformat()}"}}'
QUERY = f"""query($persons: [ID!]!, $activities: [ID!]!) {{
    calendarEvents({WINDOW}) {{ nodes {{ id }} }}
    attendances({DURING}) {{ nodes {{ id }} }}
    absences(on: "{DAY}") {{ nodes {{ id }} }}
    grades({DURING}) {{ nodes {{ id }} }}
    activitiesByIds(ids: $activities) {{ id calendarEvents({DURING}) {{ id }} }}
    personsByIds(ids: $persons) {{
        id
        attendances({DURING}) {{ id }}
        absences({DURING}) {{ id }}
        grades(on: "{DAY}") {{ id }}
        studentExceptions({DURING}) {{ participates calendarEvent {{ id }} }}
    }}
}}"""


def moment(oracle: Oracle, resource: str, id: str, column: str) -> datetime | None:
    value = oracle.value(resource, id, column)
    return None if value is None else datetime.fromisoformat(value)


def happens(oracle: Oracle, resource: str, id: str) -> bool:
    """Whether a merged record is of the day."""
    if resource == "Grade":
        value = oracle.value("Grade", id, "registeredDate")
        return value is not None and date.fromisoformat(value) == date.fromisoformat(DAY)
    if resource == "Attendance":
        event = oracle.value("Attendance", id, "calendarEvent")
        start = None
        if event is not None and oracle.serves("CalendarEvent"):
            start = moment(oracle, "CalendarEvent", event["id"], "startTime")
        start = start or moment(oracle, "Attendance", id, "reportedTimestamp")
        return start is not None and START <= start < END
    start = moment(oracle, resource, id, "startTime")
    if start is None or start >= END:
        return False
    if resource == "CalendarEvent":
        return start >= START
    end = moment(oracle, "Absence", id, "endTime")
    return start >= START or end is None or end > START


def of_the_day(oracle: Oracle, resource: str) -> list[str]:
    """The records of the day, in the order of their ids."""
    return [
        each for each in sorted(IDS[resource]) if oracle.visible(resource, each) and happens(oracle, resource, each)
    ]


def referring(oracle: Oracle, resource: str, column: str, to: str) -> list[dict[str, str]]:
    references = ((each, oracle.value(resource, each, column)) for each in of_the_day(oracle, resource))
    return [{"id": each} for each, reference in references if reference is not None and reference["id"] == to]


def exceptions(oracle: Oracle, student: str) -> list[dict[str, Any]]:
    return [
        {"participates": entry["participates"], "calendarEvent": {"id": each}}
        for each in of_the_day(oracle, "CalendarEvent")
        for entry in oracle.value("CalendarEvent", each, "studentExceptions") or ()
        if entry["student"]["id"] == student
    ]


def listed(oracle: Oracle, resource: str) -> list[str] | None:
    return of_the_day(oracle, resource) if oracle.serves(resource) else None


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(worlds("CalendarEvent", "Attendance", "Absence", "Grade", "Activity", "Person", columns=COLUMNS))
def test_what_happens_on_the_day_the_clock_changes(world: World) -> None:
    oracle = Oracle(world)
    over = federation(world, fakes(world))
    data = answer(over, QUERY, {"persons": PERSONS, "activities": ACTIVITIES})["data"]
    for resource, field in (("Attendance", "attendances"), ("Absence", "absences"), ("Grade", "grades")):
        assert sorted(node["id"] for node in data[field]["nodes"]) == listed(oracle, resource), field
    in_window = [
        each
        for each in sorted(IDS["CalendarEvent"])
        if oracle.visible("CalendarEvent", each)
        and (start := moment(oracle, "CalendarEvent", each, "startTime")) is not None
        and START <= start <= END
    ]
    assert sorted(node["id"] for node in data["calendarEvents"]["nodes"]) == in_window
    assert data["activitiesByIds"] == [
        {"id": each, "calendarEvents": referring(oracle, "CalendarEvent", "activity", each)}
        if oracle.visible("Activity", each)
        else None
        for each in ACTIVITIES
    ]
    assert data["personsByIds"] == [
        {
            "id": each,
            "attendances": referring(oracle, "Attendance", "student", each),
            "absences": referring(oracle, "Absence", "student", each),
            "grades": referring(oracle, "Grade", "student", each),
            "studentExceptions": exceptions(oracle, each),
        }
        if oracle.visible("Person", each)
        else None
        for each in PERSONS
    ]
