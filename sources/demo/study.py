"""Grades of the two latest terms, and the study plans of upper secondary school."""

from __future__ import annotations

from datetime import date, timedelta

from .syllabus import GY_COURSES, PROGRAMMES, courses_of
from .world import Course, Human, Record, World, dated


def add_studies(world: World) -> None:
    _grades(world)
    _study_plans(world)


def _terms(world: World) -> list[tuple[date, str, int]]:
    """The last day of the two latest ended terms: (day, HT or VT, year)."""
    ends = [
        (date(year, month, day), term, year)
        for year in (world.today.year - 2, world.today.year - 1, world.today.year)
        for month, day, term in ((6, 8, "VT"), (12, 18, "HT"))
    ]
    return [end for end in ends if end[0] < world.today][-2:]


def _grades(world: World) -> None:
    """From school year 6, in every other subject of one's own. Grades are set by persons, not duties."""
    retired = world.id("person", "retired teacher")
    world.examples["unknown_person"] = retired
    for course in world.courses:
        graded = course.team.form == "GY" or max((p.year or 0 for p in course.team.pupils), default=0) >= 6
        if not course.syllabus or not graded:
            continue
        for pupil in course.team.pupils:
            choice = world.number("grade", course.id, pupil.id)
            if choice % 2:
                day, term, year = _terms(world)[choice // 2 % 2]
                world.records["Grade"].append(_grade(world, course, pupil, choice, day, term, year, retired))


def _grade(
    world: World, course: Course, pupil: Human, choice: int, day: date, term: str, year: int, retired: str
) -> Record:
    key = f"{course.id}/{pupil.id}"
    teacher = course.posts[0].human
    teacher_id = teacher.id if teacher is not None and choice % 97 else retired
    record: Record = {
        "id": world.id("grade", key),
        "meta": world.meta("grade", key),
        "student": world.ref(pupil.id),
        "registeredBy": world.ref(teacher_id),
        "gradingTeacher": world.ref(teacher_id),
        "registeredDate": (day - timedelta(days=choice // 4 % 5)).isoformat(),
        "gradeValue": "ABCDEF-"[min(choice // 8 % 9, 6)] if choice // 8 % 9 < 7 else "E",
        "finalGrade": course.team.form == "GY" or pupil.year == 9,
        "adaptedStudyPlan": "Nej" if choice % 31 else "Anpassad studiegång",
        "semester": term,
        "year": year,
        "syllabus": world.ref(course.syllabus),
    }
    if pupil.unit is not None:
        record["organisation"] = world.ref(pupil.unit.id)
    if choice % 3 == 0:
        record["group"] = world.ref(course.team.id)
    if choice % 29 == 0:
        record |= {"trial": True, "remark": "Prövning"}
    if choice % 37 == 0:
        record["correctionType"] = ("Ändring", "Rättelse")[choice // 37 % 2]
    if choice % 43 == 0:
        record["converted"] = False
    if course.team.form == "GY" and pupil.year == 3 and choice % 5 == 0:
        record["diplomaProject"] = {
            "title": "Bygdens energi", "description": "Om elnätet i Björkåsa.", "titleEnglish": "Local energy",
        }  # fmt: skip
    return record


def _study_plans(world: World) -> None:
    for pupil in world.children:
        if pupil.programme is None or pupil.year is None:
            continue
        start = world.year_start.replace(year=world.year_start.year + 1 - pupil.year)
        courses = [(world.ref(world.syllabuses[f"GY/{c}"]), GY_COURSES[c][4]) for c in courses_of(pupil.programme)]
        planned: list[Record] = [{"syllabus": c, **dated(start, None), "hours": points} for c, points in courses]
        choice = world.number("plan", pupil.id)
        record: Record = {
            "id": world.id("plan", pupil.id),
            "meta": world.meta("plan", pupil.id),
            "student": world.ref(pupil.id),
            **dated(start, start.replace(year=start.year + 3) - timedelta(days=1) if choice % 3 else None),
            "content": [
                {
                    "title": PROGRAMMES[pupil.programme][0], "type": "Gymnasiegemensamma", "points": 600,
                    "syllabuses": planned[:5],
                },
                {"type": "Programgemensamma", "points": 300, "syllabuses": planned[5:]},
                {
                    "type": "Individuellt val", "points": 200,
                    "syllabuses": [{"syllabus": world.ref(world.syllabuses["GY/PRAKTIK"]), "note": "Väljs i åk 2."}],
                },
            ],
        }  # fmt: skip
        if choice % 4 == 0:
            record["notes"] = [{"type": "Elevens mål med studierna", "note": "Vill läsa vidare."}]
        world.records["StudyPlan"].append(record)
        if choice % 13 == 0:
            earlier = start - timedelta(days=1)
            world.records["StudyPlan"].append(
                {
                    "id": world.id("earlier plan", pupil.id),
                    "meta": world.meta("earlier plan", pupil.id),
                    "student": world.ref(pupil.id),
                    **dated(earlier - timedelta(days=200), earlier),
                }
            )
