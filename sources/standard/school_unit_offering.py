"""SchoolUnitOffering (skolenhetens utbud): which programmes, subjects and courses a school unit offers, and when."""

from __future__ import annotations

from .common import END_DATE, META_OPTIONAL, META_PARAMETERS, MODIFIED_DESC, START_DATE_OPTIONAL, sort_both
from .model import LookupKey, Parameter, Property, Reference, Resource, Scalar, Test

SCHOOL_UNIT_OFFERING = Resource(
    name="SchoolUnitOffering",
    plural="schoolUnitOfferings",
    path="/schoolUnitOfferings",
    swedish="skolenhetens utbud",
    doc="The programmes, subjects and courses that a school unit offers during a time.",
    properties=(
        # The standard's schema lacks id and meta, yet it has GET by id, lookup by ids, meta filters and ModifiedDesc.
        Property("id", Scalar.ID, "The record's identity; not in the standard's schema, read where a source sends it."),
        META_OPTIONAL,
        START_DATE_OPTIONAL,
        END_DATE,
        Property(
            "offeredAt", Reference("Organisation"), "The school unit that offers it (erbjuds vid).", required=True
        ),
        Property(
            "offeredSyllabuses",
            Reference("Syllabus"),
            "The subjects and courses offered (ämnen/kurser).",
            many=True,
            required=True,
        ),
        Property("offeredProgrammes", Reference("Programme"), "The programmes offered (program).", many=True),
    ),
    parameters=(
        Parameter("organisation", Scalar.ID, Test.EQUAL, ("offeredAt",), "Offered at this organisation."),
        *META_PARAMETERS,
    ),
    sort_keys=(MODIFIED_DESC, *sort_both("StartDate", "startDate"), *sort_both("EndDate", "endDate")),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    key=("offeredAt", "startDate", "endDate"),
    deleted="schoolUnitOfferings",
    display_name=(),
)
