"""Syllabus (ämne eller kurs): what is taught, by Skolverket's code or the authority's own."""

from __future__ import annotations

from .common import CURRICULUM, ID, META_PARAMETERS, META_PROPERTY, MODIFIED_DESC, SCHOOL_TYPE, sort_both
from .model import LookupKey, Property, Resource, Scalar, Structure

SPECIALISATION_COURSE_CONTENT = Structure(
    "SpecialisationCourseContent",
    "What a specialisation course in upper secondary school is about (specialiseringskurs).",
    (
        Property("title", Scalar.STRING, "Its title (titel).", required=True),
        Property("description", Scalar.STRING, "What it is about (beskrivning).", required=True),
        Property("titleEnglish", Scalar.STRING, "Its title in English (engelsk titel).", also=("titleEngish",)),
        Property("descriptionEnglish", Scalar.STRING, "What it is about, in English (engelsk beskrivning)."),
    ),
)

SYLLABUS = Resource(
    name="Syllabus",
    plural="syllabuses",
    path="/syllabuses",
    swedish="ämne/kurs",
    doc="A subject or a course, for a form of schooling and a span of school years.",
    properties=(
        ID,
        META_PROPERTY,
        Property("schoolType", SCHOOL_TYPE, "The form of schooling (skolform).", required=True),
        Property("subjectCode", Scalar.STRING, "Skolverket's code of the subject, e.g. GRGRMAT01 (ämneskod)."),
        Property("subjectName", Scalar.STRING, "Name of the subject (ämnesnamn).", required=True),
        Property("subjectDesignation", Scalar.STRING, "Short name of the subject, e.g. MA (ämnesbeteckning)."),
        Property("courseCode", Scalar.STRING, "Code of the course (kurskod)."),
        Property("courseName", Scalar.STRING, "Name of the course (kursnamn)."),
        Property("startSchoolYear", Scalar.INTEGER, "First school year it is for, 0-10 (årskurs från)."),
        Property("endSchoolYear", Scalar.INTEGER, "Last school year it is for, 0-10 (årskurs till)."),
        Property("points", Scalar.INTEGER, "Credits of the course (poäng)."),
        Property("curriculum", CURRICULUM, "The curriculum it belongs to (läroplan)."),
        Property("languageCode", Scalar.STRING, "Language, for language subjects, ISO 639-3 (språkkod)."),
        Property(
            "specialisationCourseContent",
            SPECIALISATION_COURSE_CONTENT,
            "What it is about, for a specialisation course (specialiseringskurs).",
        ),
        Property(
            "official", Scalar.BOOLEAN, "Whether an authority such as Skolverket defines it (officiell).", required=True
        ),
    ),
    parameters=META_PARAMETERS,
    sort_keys=(
        MODIFIED_DESC,
        *sort_both("SubjectName", "subjectName"),
        *sort_both("SubjectCode", "subjectCode"),
        *sort_both("CourseName", "courseName"),
        *sort_both("CourseCode", "courseCode"),
        *sort_both("SubjectDesignation", "subjectDesignation"),
    ),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    deleted="syllabuses",
    display_name=("subjectName", "courseName"),
)
