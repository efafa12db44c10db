"""Absence (anmäld frånvaro): leave granted, or absence announced, for a pupil."""

from __future__ import annotations

from .common import ID, META_PARAMETERS, META_PROPERTY, MODIFIED_DESC, sort_both
from .model import Enumeration, LookupKey, Parameter, Property, Reference, Resource, Scalar, Test

ABSENCE_TYPE = Enumeration(
    "AbsenceType",
    "Whether leave was granted or absence announced (frånvarotyp).",
    ("Beviljad ledighet", "Anmäld frånvaro"),
)

ABSENCE = Resource(
    name="Absence",
    plural="absences",
    path="/absences",
    swedish="anmäld frånvaro",
    doc="A pupil's granted leave or announced absence.",
    properties=(
        ID,
        META_PROPERTY,
        Property("startTime", Scalar.DATE_TIME, "When it begins (starttid).", required=True),
        Property("endTime", Scalar.DATE_TIME, "When it ends (sluttid).", required=True),
        Property("type", ABSENCE_TYPE, "Granted leave or announced absence (frånvarotyp).", required=True),
        Property("student", Reference("Person"), "The pupil (elev).", required=True),
        Property("organisation", Reference("Organisation"), "The school unit it concerns (skolenhet)."),
        Property("registeredBy", Reference("Person"), "The person (not duty) who registered it (registrerad av)."),
    ),
    parameters=(
        Parameter("organisation", Scalar.ID, Test.EQUAL, ("organisation",), "Concerning this school unit."),
        Parameter("student", Scalar.ID, Test.EQUAL, ("student",), "Of this pupil."),
        Parameter("registeredBy", Scalar.ID, Test.EQUAL, ("registeredBy",), "Registered by this person."),
        Parameter("type", ABSENCE_TYPE, Test.EQUAL, ("type",), "Of this kind."),
        # onOrAfter is exclusive here, against its name: that is how the standard defines both.
        Parameter(
            "startTime.onOrBefore",
            Scalar.DATE_TIME,
            Test.ON_OR_BEFORE,
            ("startTime",),
            "Begins at this instant or earlier (inclusive).",
        ),
        Parameter(
            "startTime.onOrAfter",
            Scalar.DATE_TIME,
            Test.AFTER,
            ("startTime",),
            "Begins later than this instant (exclusive).",
        ),
        Parameter(
            "endTime.onOrBefore",
            Scalar.DATE_TIME,
            Test.ON_OR_BEFORE,
            ("endTime",),
            "Ends at this instant or earlier (inclusive).",
        ),
        Parameter(
            "endTime.onOrAfter",
            Scalar.DATE_TIME,
            Test.AFTER,
            ("endTime",),
            "Ends later than this instant (exclusive).",
        ),
        *META_PARAMETERS,
    ),
    sort_keys=(MODIFIED_DESC, *sort_both("StartTime", "startTime")),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    get_reference_names=False,
    deleted="absences",
    display_name=(),
)
