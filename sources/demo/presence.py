"""What is reported about pupils' presence in school: attendances of past lessons, sums of them, and absences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta

from .world import Human, Record, World, dated, zoned

SCHOOL_DAYS = 2
"""How many of the latest school days have attendances: every pupil has some, and a big municipality stays bounded."""
DAY_START, DAY_END = time(8, 0), time(16, 0)


def add_presence(world: World) -> None:
    _absences(world)
    _attendances(world, world.past_school_days[:SCHOOL_DAYS], "Attendance")
    _sums(world)


def _absences(world: World) -> None:
    """One pupil in nine has an absence: ended, going on today, or coming; some reported, some granted."""
    for pupil in world.children:
        choice = world.number("absence", pupil.id)
        if pupil.unit is None or pupil.year is None or choice % 9:
            continue
        kind = choice // 9 % 4
        first, last = (
            (world.today - timedelta(days=5), world.today - timedelta(days=4)),
            (world.today, world.today),
            (world.today - timedelta(days=1), world.today + timedelta(days=1)),
            (world.today + timedelta(days=6), world.today + timedelta(days=10)),
        )[kind]
        granted = kind == 3 or choice % 5 == 0
        record: Record = {
            "id": world.id("absence", pupil.id),
            "meta": world.meta("absence", pupil.id),
            "startTime": zoned(first, DAY_START).isoformat(),
            "endTime": zoned(last, DAY_END).isoformat(),
            "type": "Beviljad ledighet" if granted else "Anmäld frånvaro",
            "student": world.ref(pupil.id),
            "organisation": world.ref(pupil.unit.id),
        }
        if choice % 7:
            record["registeredBy"] = world.ref(pupil.guardians[0].id)
        world.records["Absence"].append(record)


def add_own_attendances(world: World, resource: str) -> None:
    """Attendances of the school day before those that everybody reports, for a learning platform to hold alone."""
    _attendances(world, world.past_school_days[SCHOOL_DAYS : SCHOOL_DAYS + 1], resource, share=11)


def _attendances(world: World, days: Sequence[date], resource: str, share: int = 1) -> None:
    wanted = set(days)
    absent = {str(a["student"]["id"]) for a in world.records["Absence"] if isinstance(a["student"], dict)}
    for lesson in world.lessons:
        if lesson.start.date() not in wanted or lesson.cancelled or lesson.course.subject in ("MÖTE", "DAG"):
            continue
        choice = world.number("reported", lesson.id)
        if choice % share:
            continue
        event = world.ref(lesson.id)
        teacher = lesson.course.posts[0].human
        reported = choice % 17 != 0
        stamp = (lesson.end + timedelta(minutes=choice % 50)).isoformat()
        for pupil, first, last in lesson.course.team.members:
            if first > lesson.start.date() or (last is not None and last < lesson.start.date()):
                continue
            id = world.id("attendance", lesson.id, pupil.id)
            record: Record = {"id": id, "meta": world.meta("attendance", lesson.id), "calendarEvent": event}
            record["student"] = world.ref(pupil.id)
            record["isReported"] = reported
            if reported:
                record |= _minutes(world, pupil, lesson.id, pupil.id in absent)
                record["reportedTimestamp"] = stamp
                if teacher is not None:
                    record["reporter"] = world.ref(teacher.id)
            world.records[resource].append(record)


def _minutes(world: World, pupil: Human, lesson: str, known_absent: bool) -> Record:
    choice = world.number("minutes", lesson, pupil.id) % 40
    if known_absent:
        return {
            "attendanceMinutes": 0,
            "validAbsenceMinutes": 50,
            "invalidAbsenceMinutes": 0,
            "absenceReason": "Anmäld",
        }
    if choice == 0:
        return {"attendanceMinutes": 0, "validAbsenceMinutes": 0, "invalidAbsenceMinutes": 50}
    if choice in (1, 2):
        late = 5 * choice
        return {"attendanceMinutes": 50 - late, "validAbsenceMinutes": 0, "invalidAbsenceMinutes": late}
    if choice == 3:
        return {"attendanceMinutes": 20, "otherAttendanceMinutes": 30, "absenceReason": "Elevråd"}
    return {"attendanceMinutes": 50, "validAbsenceMinutes": 0, "invalidAbsenceMinutes": 0}


def _sums(world: World) -> None:
    """Per pupil and activity, the last month and this one until today; every third activity of a big municipality."""
    this = world.today.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    periods = [dated(last, this - timedelta(days=1)), dated(this, world.today)]
    every = 1 if world.pupils <= 3000 else 3
    for i, course in enumerate(world.courses):
        if i % every or course.subject in ("MÖTE", "DAG", "PROV"):
            continue
        activity = world.ref(course.id)
        for pupil in {p.id: p for p in course.team.pupils}.values():
            for n, period in enumerate(periods):
                choice = world.number("sum", course.id, pupil.id, n)
                offered = 50 * course.lessons * 4
                invalid = 50 * (choice % 6) if choice % 5 == 0 else 0
                valid = 50 * (choice // 7 % 3)
                record: Record = {
                    "activity": activity,
                    "student": world.ref(pupil.id),
                    **period,
                    "attendanceSum": max(0, offered - valid - invalid),
                }
                if choice % 23:
                    record |= {"validAbsenceSum": valid, "invalidAbsenceSum": invalid, "otherAttendanceSum": 0}
                    record |= {"reportedSum": offered - 50, "offeredSum": offered}
                world.records["AggregatedAttendance"].append(record)
