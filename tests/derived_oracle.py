"""Who takes part in what, and who stays when: computed one person, one event and one day at a time from merged records.

A second reading of docs/queries.md, *Derived answers*, over ``tests.oracle``: nothing of the gateway's own is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property
from typing import Any

from .oracle import Oracle, Record, instant, local_day

WEEKDAYS = ("Måndag", "Tisdag", "Onsdag", "Torsdag", "Fredag", "Lördag", "Söndag")
Taking = tuple[str, str | None, str | None, int | None]
"""Why, from when, until when, and for how many minutes of teaching."""


@dataclass(eq=False)
class View:
    """The merged records, with an index for each reference that is asked backwards."""

    oracle: Oracle
    _referring: dict[tuple[str, str], dict[str, list[Record]]] = field(default_factory=dict)

    def record(self, resource: str, id: str) -> Record:
        return self.oracle.record(resource, id)

    def follow(self, target: str, reference: Any) -> Record | None:
        return self.oracle.follow(target, reference)

    @cached_property
    def events(self) -> list[Record]:
        return [each for each in self.oracle.all("CalendarEvent") if each["startTime"] is not None]

    def referring(self, resource: str, column: str, id: str) -> list[Record]:
        """The records whose reference names ``id``, in the order of their ids."""
        found = self._referring.get((resource, column))
        if found is None:
            found = self._referring[resource, column] = {}
            for record in sorted(self.oracle.all(resource), key=lambda record: record.id):
                if record[column] is not None:
                    found.setdefault(record[column]["id"], []).append(record)
        return found.get(id, [])


def holds(day: str | None, *dated: Any) -> bool:
    """Whether each of these has begun and has not ended on the day, if it is known; ISO days compare as text."""
    return day is not None and all(
        (of["startDate"] or day) <= day <= (of["endDate"] or day) for of in map(_Dates, dated)
    )


class _Dates(dict[str, Any]):
    """The two dates of a raw entry or a merged record."""

    def __init__(self, of: Any) -> None:
        read = of.get if isinstance(of, Mapping) else of.__getitem__
        super().__init__({name: read(name) for name in ("startDate", "endDate")})


def _taking(event: Record, usual: str | None, exception: Mapping[str, Any] | None, length: str) -> Taking | None:
    said = exception or {}
    if said.get("participates") is False:
        return None
    if usual is None and said.get("participates") is not True:
        return None
    times = [event[c] if said.get(c) is None else said[c] for c in ("startTime", "endTime")]
    minutes = event[length] if said.get("teachingLength") is None else said["teachingLength"]
    return usual or "EXCEPTION", times[0], times[1], minutes


def _exception(event: Record, entries: str, name: str, id: str) -> Mapping[str, Any] | None:
    return next((each for each in event[entries] or () if each[name]["id"] == id), None)


def _day(event: Record) -> str | None:
    return None if event["startTime"] is None else local_day(event["startTime"])


def _activity(view: View, event: Record) -> Record | None:
    return None if event["activity"] is None else view.record("Activity", event["activity"]["id"])


def as_pupil(view: View, person: str, event: Record) -> Taking | None:
    activity, day = _activity(view, event), _day(event)
    groups = [view.record("Group", each["id"]) for each in (activity and activity["groups"]) or ()]
    member = any(
        entry["person"]["id"] == person and holds(day, entry, group)
        for group in groups
        for entry in group["groupMemberships"] or ()
    )
    exception = _exception(event, "studentExceptions", "student", person)
    return _taking(event, "GROUP" if member else None, exception, "teachingLengthStudent")


def as_duty(view: View, duty: str, event: Record, *, named: bool = False) -> Taking | None:
    activity, day = _activity(view, event), _day(event)
    assigned = any(
        entry.get("duty") is not None and entry["duty"]["id"] == duty and holds(day, entry, view.record("Duty", duty))
        for entry in (activity and activity["teachers"]) or ()
    )
    exception = _exception(event, "teacherExceptions", "duty", duty)
    usual = "DUTY" if assigned or (named and exception is not None) else None
    return _taking(event, usual, exception, "teachingLengthTeacher")


def named(view: View, event: Record) -> dict[str, Any]:
    """The references to teachers whom the activity names as persons, without a duty, on the day of the event."""
    activity, day = _activity(view, event), _day(event)
    return {
        entry["person"]["id"]: entry["person"]
        for entry in (activity and activity["teachers"]) or ()
        if entry.get("duty") is None and entry.get("person") is not None and holds(day, entry)
    }


def duties_of(view: View, person: str) -> list[str]:
    return [duty.id for duty in view.referring("Duty", "person", person)]


def as_teacher(view: View, person: str, event: Record) -> Taking | None:
    duties, by_name = duties_of(view, person), person in named(view, event)
    found = [taking for duty in duties if (taking := as_duty(view, duty, event, named=by_name)) is not None]
    excepted = [duty for duty in duties if _exception(event, "teacherExceptions", "duty", duty) is not None]
    if by_name and not excepted and not found:
        return _taking(event, "DUTY", None, "teachingLengthTeacher")
    return next((taking for taking in found if taking[0] == "DUTY"), found[0] if found else None)


def schedule(view: View, person: str, first: date, last: date) -> list[dict[str, Any]]:
    """The person's schedule, with ids for what is referred to."""
    found = []
    for event in view.events:
        if not near(event, first, last):
            continue
        taking = as_teacher(view, person, event) or as_pupil(view, person, event)
        if taking is None or not first.isoformat() <= local_day(str(taking[1])) <= last.isoformat():
            continue
        via, start, end, minutes = taking
        found.append(
            {
                "start": start,
                "end": end,
                "teachingLength": minutes,
                "cancelled": event["cancelled"] is True,
                "via": via,
                "event": {"id": event.id},
                "activity": None if event["activity"] is None else {"id": event["activity"]["id"]},
                "rooms": None if event["rooms"] is None else [{"id": room["id"]} for room in event["rooms"]],
                "attendance": attendance(view, person, event.id),
                "absences": absences(view, person, str(start), end or str(start)),
            }
        )
    return sorted(found, key=lambda entry: (instant(entry["start"]), entry["event"]["id"]))


def near(event: Record, first: date, last: date) -> bool:
    """Whether the event begins in the period or on the day before or after it: from further away nothing is moved."""
    day = date.fromisoformat(local_day(event["startTime"]))
    return first - timedelta(1) <= day <= last + timedelta(1)


def attendance(view: View, person: str, event: str) -> dict[str, str] | None:
    found = [
        (record["isReported"] is True, _seconds(record["reportedTimestamp"]), record.id)
        for record in view.referring("Attendance", "student", person)
        if (record["calendarEvent"] or {}).get("id") == event
    ]
    return {"id": max(found)[2]} if found else None


def _seconds(text: str | None) -> float:
    return instant(text).timestamp() if text else 0.0


def absences(view: View, person: str, start: str, end: str) -> list[dict[str, str]]:
    first, last = instant(start), instant(end)
    return [
        {"id": record.id}
        for record in view.referring("Absence", "student", person)
        if record["startTime"] is not None
        if instant(record["startTime"]) < last or instant(record["startTime"]) <= first
        if record["endTime"] is None or instant(record["endTime"]) > first
    ]


def _shown(who: dict[str, Any], taking: Taking) -> dict[str, Any]:
    return who | dict(zip(("via", "start", "end", "teachingLength"), taking, strict=True))


def participants(view: View, event: Record) -> list[dict[str, Any]]:
    activity = _activity(view, event)
    groups = [view.record("Group", each["id"]) for each in (activity and activity["groups"]) or ()]
    people = {
        **{e["person"]["id"]: e["person"] for group in groups for e in group["groupMemberships"] or ()},
        **{e["student"]["id"]: e["student"] for e in event["studentExceptions"] or ()},
    }
    return [
        _shown({"person": {"id": id}}, taking)
        for id in sorted(people)
        if view.follow("Person", people[id]) is not None and (taking := as_pupil(view, id, event)) is not None
    ]


def teachers(view: View, event: Record) -> list[dict[str, Any]]:
    activity = _activity(view, event)
    assigned = [e["duty"]["id"] for e in (activity and activity["teachers"]) or () if e.get("duty") is not None]
    excepted = [e["duty"]["id"] for e in event["teacherExceptions"] or ()]
    by_name = named(view, event)
    found, told = [], set()
    for duty in sorted({*assigned, *excepted}):
        reference = view.record("Duty", duty)["person"]
        person = None if reference is None else reference["id"]
        taking = as_duty(view, duty, event, named=person in by_name)
        if taking is not None or duty in excepted:
            told.add(person)
        if taking is None or (reference is not None and view.follow("Person", reference) is None):
            continue
        found.append(_shown({"duty": {"id": duty}, "person": reference and {"id": person}}, taking))
    for person in sorted(by_name):
        taking = _taking(event, "DUTY", None, "teachingLengthTeacher")
        if taking is not None and person not in told and view.follow("Person", by_name[person]) is not None:
            found.append(_shown({"duty": None, "person": {"id": person}}, taking))
    return found


def members(view: View, group: Record, first: date, last: date) -> list[dict[str, str]]:
    """Those who are members on one of the days, each day tried by itself."""
    days = [(first + timedelta(n)).isoformat() for n in range((last - first).days + 1)]
    return [
        {"id": id}
        for id in sorted({entry["person"]["id"] for entry in group["groupMemberships"] or ()})
        if any(
            entry["person"]["id"] == id
            and view.follow("Person", entry["person"]) is not None
            and any(holds(day, entry, group) for day in days)
            for entry in group["groupMemberships"]
        )
    ]


# Stays


def summer(utc: datetime) -> bool:
    """Whether an instant (naive, in UTC) lies in summer time: from the last Sunday of March to that of October."""
    begins, ends = (max(datetime(utc.year, m, d, 1) for d in range(25, 32) if _sunday(utc.year, m, d)) for m in (3, 10))
    return begins <= utc < ends


def _sunday(year: int, month: int, day: int) -> bool:
    return date(year, month, day).weekday() == 6


def moment(day: date, clock: str) -> str:
    """A clock time of a day in Sweden, with its offset; the first of two, moved on where the clock skips it."""
    hours, minutes = map(int, clock.split(":"))
    shown = datetime(day.year, day.month, day.day) + timedelta(hours=hours, minutes=minutes)
    in_summer, in_winter = shown - timedelta(hours=2), shown - timedelta(hours=1)
    utc = in_summer if summer(in_summer) else in_winter
    return utc.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=2 if summer(utc) else 1))).isoformat()


def state(schedule: Record) -> str | None:
    """The state that was registered last."""
    found = [
        (_seconds(each.get("registeredAt")), place, each["state"])
        for place, each in enumerate(schedule["state"] or ())
        if each.get("state") is not None
    ]
    return max(found)[2] if found else None


def _counting(schedules: list[Record], day: str) -> Record | None:
    """The schedule that counts on a day: agreed before asked for, temporary before usual, then the later start."""
    covering = [each for each in schedules if holds(day, each) and state(each) != "Nekat"]
    agreed = [each for each in covering if state(each) in ("Godkänt", None)] or covering
    temporary = [each for each in agreed if each["temporary"] is True] or agreed
    return max(temporary, key=lambda each: (each["startDate"] or "", each.id), default=None)


def attendance_times(view: View, placement: Record, first: date, last: date) -> list[dict[str, Any]]:
    schedules = view.referring("AttendanceSchedule", "placement", placement.id)
    found = []
    for day in (first + timedelta(n) for n in range((last - first).days + 1)):
        schedule = _counting(schedules, day.isoformat()) if holds(day.isoformat(), placement) else None
        if schedule is not None:
            found += sorted(_stays(schedule, placement, day), key=lambda s: (s["start"] is None, s["start"] or ""))
    return found


def _stays(schedule: Record, placement: Record, day: date) -> Iterator[dict[str, Any]]:
    entries = schedule["scheduleEntries"] or ()
    weeks = schedule["numberOfWeeks"] or 0
    if weeks < 1:
        weeks = max([(entry.get("weekOffset") or 0) + 1 for entry in entries], default=1)
    begun = schedule["startDate"] or placement["startDate"]
    if begun is None and weeks > 1:
        return
    week = (day.toordinal() - 1) // 7 - ((date.fromisoformat(begun) if begun else day).toordinal() - 1) // 7
    for entry in entries:
        if entry.get("dayOfWeek") != WEEKDAYS[day.weekday()] or ((entry.get("weekOffset") or 0) - week) % weeks:
            continue
        start, end = entry.get("startTime"), entry.get("endTime")
        last = day + timedelta(1) if start and end and end <= start else day
        yield {
            "date": day.isoformat(),
            "start": start and moment(day, start),
            "end": end and moment(last, end),
            "stateText": state(schedule),
            "schedule": {"id": schedule.id},
        }
