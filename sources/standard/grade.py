"""Grade (betyg): a grade registered for a pupil in a subject or course."""

from __future__ import annotations

from .common import ID, META_OPTIONAL, META_PARAMETERS, MODIFIED_DESC, sort_both
from .model import Enumeration, LookupKey, Parameter, Property, Reference, Resource, Scalar, Structure, Test

CORRECTION_TYPE = Enumeration("CorrectionType", "How a grade was changed (ändringstyp).", ("Ändring", "Rättelse"))

SEMESTER = Enumeration("Semester", "Autumn or spring term (termin).", ("HT", "VT"))

DIPLOMA_PROJECT = Structure(
    "DiplomaProject",
    "A diploma project in upper secondary school (gymnasiearbete).",
    (
        Property("title", Scalar.STRING, "Its title (titel).", required=True),
        Property("description", Scalar.STRING, "What it is about (beskrivning).", required=True),
        Property("titleEnglish", Scalar.STRING, "Its title in English (engelsk titel).", also=("titleEngish",)),
        Property("descriptionEnglish", Scalar.STRING, "What it is about, in English (engelsk beskrivning)."),
    ),
)

GRADE = Resource(
    name="Grade",
    plural="grades",
    path="/grades",
    swedish="betyg",
    doc="A grade registered for a pupil in a subject or course.",
    properties=(
        ID,
        META_OPTIONAL,
        Property("student", Reference("Person"), "The pupil (elev).", required=True),
        Property(
            "organisation",
            Reference("Organisation"),
            "The school unit of the grade (skolenhet).",
            required=True,
            also=("schoolUnit",),  # what the standard's own list of required properties calls it
        ),
        Property(
            "registeredBy",
            Reference("Person"),
            "The person (not duty) who registered it (registrerat av).",
            required=True,
        ),
        Property("gradingTeacher", Reference("Person"), "The person (not duty) who set it (betygsättande lärare)."),
        Property("group", Reference("Group"), "The group in which the pupil was taught (grupp)."),
        Property("registeredDate", Scalar.DATE, "The day it was registered (registreringsdatum).", required=True),
        Property("gradeValue", Scalar.STRING, "The grade itself (betygsvärde).", required=True),
        Property("finalGrade", Scalar.BOOLEAN, "Whether it is the final grade (slutbetyg).", required=True),
        Property("trial", Scalar.BOOLEAN, "Whether set at an examination; absent means not (prövning)."),
        Property(
            "adaptedStudyPlan",
            Scalar.STRING,
            "How the studies were adapted, as text (anpassad studiegång).",
            required=True,
        ),
        Property("remark", Scalar.STRING, "Other remarks, as text (anmärkning)."),
        Property("converted", Scalar.BOOLEAN, "Whether it is converted; absent means not (omvandlat)."),
        Property("correctionType", CORRECTION_TYPE, "How it was changed, if it was (ändringstyp)."),
        Property("semester", SEMESTER, "The term it is for (termin)."),
        Property("year", Scalar.INTEGER, "The year it is for (år)."),
        Property("syllabus", Reference("Syllabus"), "The subject or course (ämne/kurs).", required=True),
        Property("diplomaProject", DIPLOMA_PROJECT, "The diploma project it is for (gymnasiearbete)."),
    ),
    parameters=(
        Parameter("organisation", Scalar.ID, Test.EQUAL, ("organisation",), "From this school unit."),
        Parameter("student", Scalar.ID, Test.EQUAL, ("student",), "Of this pupil."),
        Parameter("registeredBy", Scalar.ID, Test.EQUAL, ("registeredBy",), "Registered by this person."),
        Parameter("gradingTeacher", Scalar.ID, Test.EQUAL, ("gradingTeacher",), "Set by this person."),
        Parameter(
            "registeredDate.onOrAfter",
            Scalar.DATE,
            Test.ON_OR_AFTER,
            ("registeredDate",),
            "Registered on this day or later (inclusive).",
        ),
        Parameter(
            "registeredDate.onOrBefore",
            Scalar.DATE,
            Test.ON_OR_BEFORE,
            ("registeredDate",),
            "Registered on this day or earlier (inclusive).",
        ),
        *META_PARAMETERS,
    ),
    sort_keys=(*sort_both("registeredDate", "registeredDate"), MODIFIED_DESC),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    deleted="grades",
    display_name=(),
)
