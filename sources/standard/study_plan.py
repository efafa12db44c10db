"""StudyPlan (studieplan): the courses and subjects that a pupil reads, has read or is to read."""

from __future__ import annotations

from .common import (
    END_DATE,
    END_DATE_PARAMETERS,
    ID,
    META_PARAMETERS,
    META_PROPERTY,
    MODIFIED_DESC,
    START_DATE,
    START_DATE_OPEN_PARAMETERS,
    START_DATE_OPTIONAL,
    sort_both,
)
from .model import Enumeration, Parameter, Property, Reference, Resource, Scalar, Structure, Test

STUDY_PLAN_CONTENT_TYPE = Enumeration(
    "StudyPlanContentType",
    "What a part of a study plan is (innehållstyp).",
    (
        "Gymnasiegemensamma", "Programgemensamma", "Inriktning", "Programfördjupning", "Gymnasiearbete",
        "Individuellt val", "Borttagna", "Utökade",
    ),
)  # fmt: skip

STUDY_PLAN_NOTE_TYPE = Enumeration(
    "StudyPlanNoteType",
    "What a note in a study plan is about (anteckningstyp).",
    (
        "Anteckningar",
        "Andra insatser som är gynnsamma för elevens kunskapsutveckling",
        "Elevens tidigare arbetslivserfarenhet och studier",
        "Validering av kunskaper och kompetenser",
        "Elevens mål med studierna",
    ),
)

STUDY_PLAN_SYLLABUS = Structure(
    "StudyPlanSyllabus",
    "A course or subject in a study plan (kurs i studieplan).",
    (
        Property("syllabus", Reference("Syllabus"), "The course or subject (ämne/kurs).", required=True),
        Property("note", Scalar.STRING, "How the pupil stands in it, as text (notering)."),
        START_DATE_OPTIONAL,
        END_DATE,
        Property("hours", Scalar.INTEGER, "Planned hours, mostly in adult education (timmar)."),
    ),
    entry_key=("syllabus.id", "startDate"),
)

STUDY_PLAN_CONTENT = Structure(
    "StudyPlanContent",
    "A part of a study plan: courses and subjects of one kind (studieplansinnehåll).",
    (
        Property("title", Scalar.STRING, "The heading of the part (rubrik)."),
        Property("type", STUDY_PLAN_CONTENT_TYPE, "What the part is (typ)."),
        Property("points", Scalar.INTEGER, "Credits of the part (poäng)."),
        Property("syllabuses", STUDY_PLAN_SYLLABUS, "The courses and subjects of the part.", many=True, required=True),
    ),
    entry_key=("type", "title"),
)

STUDY_PLAN_NOTE = Structure(
    "StudyPlanNote",
    "A note in a study plan (anteckning).",
    (
        Property("type", STUDY_PLAN_NOTE_TYPE, "What it is about (typ).", required=True),
        Property("note", Scalar.STRING, "The note itself, as text (anteckning).", required=True),
    ),
)

STUDY_PLAN = Resource(
    name="StudyPlan",
    plural="studyPlans",
    path="/studyplans",
    swedish="studieplan",
    doc="A pupil's study plan.",
    properties=(
        ID,
        Property("student", Reference("Person"), "The pupil whose plan it is (elev).", required=True),
        META_PROPERTY,
        Property("content", STUDY_PLAN_CONTENT, "The parts of the plan (innehåll).", many=True),
        Property("notes", STUDY_PLAN_NOTE, "Notes in the plan (anteckningar).", many=True),
        START_DATE,
        END_DATE,
    ),
    parameters=(
        Parameter("student", Scalar.ID, Test.EQUAL, ("student",), "Plans of one of these pupils.", many=True),
        *START_DATE_OPEN_PARAMETERS,
        *END_DATE_PARAMETERS,
        *META_PARAMETERS,
    ),
    sort_keys=(MODIFIED_DESC, *sort_both("StartDate", "startDate"), *sort_both("EndDate", "endDate")),
    deleted="studyPlans",
    deleted_also=("studyplans",),
    display_name=(),
)
