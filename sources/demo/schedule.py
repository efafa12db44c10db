"""Activities and their calendar events in the four weeks around today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from .syllabus import GR_SUBJECTS, GY_COURSES, courses_of, stage
from .world import Course, Lesson, Post, Record, Team, World, dated, zoned

STARTS = (time(8, 20), time(9, 30), time(10, 40), time(12, 30), time(13, 40))
LENGTH = timedelta(minutes=50)
SLOTS = tuple((day, slot) for day in range(5) for slot in range(len(STARTS)))
LANGUAGE_SLOTS = ((1, 3), (3, 1))
"""Language choice runs across classes: at the same hours in the whole unit."""
LESSONS = {"SV": 3, "MA": 3, "EN": 3, "IDH": 2, "HI": 2, "BI": 2}


def add_schedule(world: World) -> None:
    for course in _courses(world):
        world.courses.append(course)
        world.records["Activity"].append(_activity(world, course))
        if course.lessons:
            _lessons(world, course)


def _courses(world: World) -> Iterator[Course]:
    by_unit: defaultdict[str, list[Post]] = defaultdict(list)
    for post in world.posts:
        if post.teaches:
            by_unit[post.unit.id].append(post)

    def course(team: Team, subject: str, name: str, syllabus: str, lessons: int) -> Course:
        teachers = by_unit[team.unit.id]
        first = world.number("teacher", team.unit.id, subject, team.id) % len(teachers)
        posts = [teachers[first]]
        if world.number("two teachers", team.id, subject) % 4 == 0:
            posts.append(teachers[(first + 1) % len(teachers)])
        id = world.id("activity", team.id, subject)
        return Course(id, name, subject, team, posts, world.syllabuses.get(syllabus, ""), lessons)

    courses = {t.id: t for t in world.teams if t.start == world.year_start and t.kind in ("Klass", "Undervisning")}
    for team in courses.values():
        if team.kind == "Klass" and team.form == "GR":
            for short, lessons in LESSONS.items():
                name = f"{team.name} {GR_SUBJECTS[short][0]}"
                yield course(team, short, name, f"GR/{short}/{stage(team.year)}", lessons)
            for half in (0, 1):
                part = courses.get(world.id("group", f"craft/{team.id}/{half}"))
                if part is not None:
                    yield course(part, "SL", part.name, f"GR/SL/{stage(team.year)}", 2)
        elif team.kind == "Klass" and team.form == "FKLASS":
            yield course(team, "FK", f"{team.name} Förskoleklass", "FKLASS/FK", 5)
        elif team.kind == "Klass" and team.programme is not None:
            for key in courses_of(team.programme):
                part = courses[world.id("group", f"course/{team.id}/{key}")]
                yield course(part, key, f"{team.name} {GY_COURSES[key][3]}", f"GY/{key}", 3)
        elif team.unit.form == "GR" and "Slöjd" not in team.name and team.kind == "Undervisning":
            yield course(team, "M2", team.name, "GR/M2/3", 2)
    for team in world.teams:
        if team.kind == "Schema":
            yield course(team, "DAG", team.name, "", 1)
        elif team.kind == "Personalgrupp":
            yield course(team, "MÖTE", f"Arbetslagsmöte {team.unit.name}", "", 1)
        elif team.kind == "Provgrupp":
            yield course(team, "PROV", team.name, "", 0)


KINDS = {"DAG": "Elevaktivitet", "MÖTE": "Läraraktivitet", "PROV": "Provaktivitet"}


def _activity(world: World, course: Course) -> Record:
    teachers: list[Record] = [
        {"duty": world.ref(post.id), **dated(world.year_start, None), "minutesPlanned": 2000, "grader": i == 0}
        for i, post in enumerate(course.posts)
    ]
    before = next((p for p in course.team.unit.staff if p.end is not None and p.role == "Lärare"), None)
    if before is not None and before.end is not None and world.number("changed teacher", course.id) % 9 == 0:
        # the former teacher stays in the list with an end date: a filter by teacher must find the activity
        former = dated(min(world.year_start, before.end), before.end)
        teachers.append({"duty": world.ref(before.id), **former, "grader": False})
    record: Record = {
        "id": course.id,
        "meta": world.meta("activity", course.id),
        "displayName": course.name,
        "calendarEventsRequired": course.lessons > 0,
        **dated(world.year_start, world.year_end if world.number("open", course.id) % 11 else None),
        "activityType": KINDS.get(course.subject, "Undervisning"),
        "minutesPlanned": course.lessons * 50 * 36,
        "groups": [world.ref(course.team.id)],
        "organisation": world.ref(course.team.unit.id),
    }
    if course.subject != "MÖTE":
        record["teachers"] = teachers
    if course.syllabus:
        record["syllabus"] = world.ref(course.syllabus)
    if world.number("comment", course.id) % 17 == 0:
        record["comment"] = "Läromedel: se lärplattformen."
    return record


def slots(course: Course, world: World) -> Sequence[tuple[int, int]]:
    """(weekday, slot) of each lesson in a week. The lessons of one class never collide."""
    if course.subject == "M2":
        return LANGUAGE_SLOTS
    if course.subject in ("DAG", "MÖTE"):
        return ((2, -1),)
    if course.team.form == "GY":
        key, _, subject = course.team.name.partition(" ")
        at = 3 * [GY_COURSES[c][2] for c in courses_of(key[:2])].index(subject)
        free = SLOTS
    else:
        key = course.team.name.split(" ")[0]
        at = 5 if course.subject == "FK" else sum(LESSONS.values())
        if course.subject in LESSONS:
            at = sum(list(LESSONS.values())[: list(LESSONS).index(course.subject)])
        free = tuple(s for s in SLOTS if s not in LANGUAGE_SLOTS)
    offset = world.number("timetable", course.team.unit.id, key)
    return [free[(offset + 7 * (at + i)) % len(free)] for i in range(course.lessons)]


def _lessons(world: World, course: Course) -> None:
    unit = course.team.unit
    weekly = slots(course, world)
    home = world.number("room", course.team.name.split(" ")[0], unit.id) % len(unit.rooms)
    room = [unit.rooms[-1] if course.subject == "IDH" else unit.rooms[home]]
    activity = world.ref(course.id)
    for week in range(-1, 3):
        for n, (weekday, slot) in enumerate(weekly):
            day = world.monday + timedelta(days=7 * week + weekday)
            if course.subject == "DAG" and week != 1:
                continue
            begin, end = _times(day, slot)
            key = f"{course.id}/{day.isoformat()}/{n}"
            lesson = Lesson(world.id("event", key), course, begin, end, world.number("cancelled", key) % 53 == 0)
            world.lessons.append(lesson)
            event: Record = {
                "id": lesson.id,
                "meta": world.meta("event", key),
                "activity": activity,
                "startTime": begin.isoformat(),
                "endTime": end.isoformat(),
                "teachingLengthTeacher": 50,
                "teachingLengthStudent": 50,
                "rooms": room if world.number("no room", key) % 83 else [],
            }
            _details(world, lesson, event, world.number("detail", key))
            world.records["CalendarEvent"].append(event)


def _details(world: World, lesson: Lesson, event: Record, choice: int) -> None:
    """What only some lessons have: cancellation, resources, comments, and exceptions of pupils and teachers."""
    course, unit = lesson.course, lesson.course.team.unit
    if lesson.cancelled:
        event["cancelled"] = True
        event["comment"] = "Inställd: läraren är på utbildning."
    elif choice % 3 == 0:
        event["cancelled"] = False
    if choice % 29 == 1:
        event["resources"] = [unit.resources[choice % len(unit.resources)]]
    if choice % 41 == 2 and course.team.members and unit.pupils and course.subject != "MÖTE":
        away, guest = course.team.members[0][0], unit.pupils[choice % len(unit.pupils)]
        event["studentExceptions"] = [
            {"student": world.ref(away.id), "participates": False},
            {
                "student": world.ref(guest.id), "participates": True, "teachingLength": 30,
                "startTime": (lesson.start + timedelta(minutes=10)).isoformat(),
                "endTime": (lesson.start + timedelta(minutes=40)).isoformat(),
            },
        ]  # fmt: skip
    if choice % 47 == 3:
        teachers = [p for p in unit.staff if p.teaches and p is not course.posts[0]]
        event["teacherExceptions"] = [
            {"duty": world.ref(course.posts[0].id), "participates": False},
            {"duty": world.ref(teachers[choice % len(teachers)].id), "participates": True, "teachingLength": 50},
        ]


def _times(day: date, slot: int) -> tuple[datetime, datetime]:
    start = STARTS[slot] if slot >= 0 else time(15, 10)
    begin = zoned(day, start)
    return begin, zoned(day, (datetime.combine(day, start) + LENGTH).time())
