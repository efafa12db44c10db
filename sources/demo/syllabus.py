"""Programmes and syllabuses."""

from __future__ import annotations

from .world import Record, World

GR_SUBJECTS = {
    "SV": ("Svenska", "SVE"), "MA": ("Matematik", "MAT"), "EN": ("Engelska", "ENG"), "IDH": ("Idrott och hälsa", "IDR"),
    "HI": ("Historia", "HIS"), "BI": ("Biologi", "BIO"), "SL": ("Slöjd", "SLJ"), "M2": ("Moderna språk", "MSP"),
}  # fmt: skip
GY_COURSES = {
    "SVE1": ("Svenska", "SVE", "SVESVE01", "Svenska 1", 100),
    "ENG5": ("Engelska", "ENG", "ENGENG05", "Engelska 5", 100),
    "MAT1": ("Matematik", "MAT", "MATMAT01b", "Matematik 1b", 100),
    "HIS1": ("Historia", "HIS", "HISHIS01a1", "Historia 1a1", 50),
    "IDR1": ("Idrott och hälsa", "IDR", "IDRIDR01", "Idrott och hälsa 1", 100),
    "SAM1": ("Samhällskunskap", "SAM", "SAMSAM01a1", "Samhällskunskap 1a1", 50),
    "FYS1": ("Fysik", "FYS", "FYSFYS01a", "Fysik 1a", 150),
    "ELL0": ("Ellära", "ELL", "ELLELL00S", "Ellära – spår", 100),
}  # fmt: skip
PROGRAMMES = {
    "NA": ("Naturvetenskapsprogrammet", "Högskoleförberedande program"),
    "SA": ("Samhällsvetenskapsprogrammet", "Högskoleförberedande program"),
    "EK": ("Ekonomiprogrammet", "Högskoleförberedande program"),
    "TE": ("Teknikprogrammet", "Högskoleförberedande program"),
    "EE": ("El- och energiprogrammet", "Yrkesprogram"),
    "BF": ("Barn- och fritidsprogrammet", "Yrkesprogram"),
    "VO": ("Vård- och omsorgsprogrammet", "Yrkesprogram"),
    "IM": ("Introduktionsprogram", "Intruduktionsprogram"),
}
STAGES = ((1, 3), (4, 6), (7, 9))


def stage(year: int) -> int:
    """Which of STAGES a school year of compulsory school belongs to, from 1."""
    return (max(year, 1) - 1) // 3 + 1


def courses_of(programme: str) -> tuple[str, ...]:
    """The six courses that everybody in a programme reads this year."""
    common = ("SVE1", "ENG5", "MAT1", "HIS1", "IDR1")
    return (*common, {"NA": "FYS1", "TE": "FYS1", "EE": "ELL0"}.get(programme, "SAM1"))


def add_syllabuses(world: World) -> None:
    for short, (name, code) in GR_SUBJECTS.items():
        for i, (low, high) in enumerate(STAGES, 1):
            record = _syllabus(world, f"GR/{short}/{i}", "GR", f"GRGR{code}01", name, short, "GR2011")
            record |= {"startSchoolYear": low, "endSchoolYear": high}
            if short == "M2":
                record["languageCode"] = "fra"
    for key, (name, short, code, course, points) in GY_COURSES.items():
        record = _syllabus(world, f"GY/{key}", "GY", short, name, short, "GY2011")
        record |= {"courseCode": code, "courseName": course, "points": points}
    extra = _syllabus(world, "GY/PRAKTIK", "GY", None, "Programfördjupning", None, None)
    extra |= {
        "courseCode": "BJÖPRO01", "courseName": "Fördjupning i Björkåsa", "points": 100,
        "specialisationCourseContent": {
            "title": "Fördjupning", "description": "Bygden och dess företag.", "titleEnglish": "Specialisation",
        },
    }  # fmt: skip
    _syllabus(world, "FKLASS/FK", "FKLASS", None, "Förskoleklass", "FK", None)


def add_programmes(world: World) -> None:
    """The national programmes in use, one orientation and one exit below the science programme."""
    for code, (name, kind) in PROGRAMMES.items():
        record = _programme(world, code, name, kind)
        courses = [world.ref(world.syllabuses[f"GY/{c}"]) for c in courses_of(code)]
        record["content"] = [
            {"type": "Gymnasiegemensamma", "points": 600, "content": courses[:5]},
            {"type": "Programgemensamma", "points": 300, "content": courses[5:]},
            {"type": "Gymnasiearbete", "points": 100},
        ]
    orientation = _programme(world, "NANAT", "Naturvetenskap", "Programinriktning")
    orientation["parentProgramme"] = world.ref(world.programmes["NA"])
    ending = _programme(world, "NANAT01", "Naturvetenskap, utgång", "Utgång")
    ending["parentProgramme"] = world.ref(world.programmes["NANAT"])


def _syllabus(
    world: World, key: str, form: str, subject_code: str | None, name: str, designation: str | None, plan: str | None
) -> Record:
    id = world.syllabuses[key] = world.id("syllabus", key)
    record: Record = {
        "id": id,
        "meta": world.meta("syllabus", key),
        "schoolType": form,
        "subjectName": name,
        "official": plan is not None,
    }
    optional = (("subjectCode", subject_code), ("subjectDesignation", designation), ("curriculum", plan))
    record |= {name: value for name, value in optional if value is not None}
    world.records["Syllabus"].append(record)
    return record


def _programme(world: World, code: str, name: str, kind: str) -> Record:
    id = world.programmes[code] = world.id("programme", code)
    record: Record = {"id": id, "meta": world.meta("programme", code), "name": name, "type": kind, "schoolType": "GY"}
    record["code"] = code
    world.records["Programme"].append(record)
    return record
