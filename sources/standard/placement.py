"""Placement (placering): a child's place at a preschool or leisure-time centre."""

from __future__ import annotations

from .common import (
    END_DATE,
    END_DATE_PARAMETERS,
    ID,
    META_PARAMETERS,
    META_PROPERTY,
    MODIFIED_DESC,
    START_DATE,
    START_DATE_PARAMETERS,
    sort_both,
)
from .model import Enumeration, Expand, LookupKey, Parameter, Property, Reference, Resource, Scalar, Test

PLACEMENT_SCHOOL_TYPE = Enumeration(
    "PlacementSchoolType",
    "The forms of schooling that children are placed in (skolform för placering).",
    ("FS", "FTH", "OPPFTH"),
)

PLACEMENT_REASON = Enumeration(
    "PlacementReason",
    "Why a child has a placement (orsak).",
    ("Omsorgsbehov", "Erbjuden tid", "Eget behov"),
    {"Omsorg": "Omsorgsbehov"},  # the name in 2.0.0
)

PLACEMENT = Resource(
    name="Placement",
    plural="placements",
    path="/placements",
    swedish="placering",
    doc="A child's place at a preschool or leisure-time centre, and who answers for it.",
    properties=(
        ID,
        META_PROPERTY,
        Property(
            "placedAt", Reference("Organisation"), "The school unit of the placement (placerad vid).", required=True
        ),
        Property("group", Reference("Group"), "The group or department of the placement (avdelning)."),
        Property("child", Reference("Person"), "The child who is placed (barn).", required=True),
        Property(
            "owners",
            Reference("Person"),
            "Those who may see the placement and set its schedule (ägare).",
            many=True,
        ),
        Property("schoolType", PLACEMENT_SCHOOL_TYPE, "The form of schooling (skolform).", required=True),
        START_DATE,
        END_DATE,
        Property("reason", PLACEMENT_REASON, "Why the child has the placement (orsak)."),
        Property("maxWeeklyScheduleHours", Scalar.INTEGER, "The most scheduled hours in a week (maximal schematid)."),
    ),
    parameters=(
        Parameter("organisation", Scalar.ID, Test.EQUAL, ("placedAt",), "Placed at this organisation."),
        Parameter("group", Scalar.ID, Test.EQUAL, ("group",), "Placed in this group."),
        *START_DATE_PARAMETERS,
        *END_DATE_PARAMETERS,
        Parameter("child", Scalar.ID, Test.EQUAL, ("child",), "Placements of this child."),
        Parameter("owner", Scalar.ID, Test.ANY, ("owners",), "Placements owned by this person."),
        *META_PARAMETERS,
    ),
    expands=(
        Expand("child", "Person", "The child who is placed.", many=False),
        Expand("owners", "Person", "The owners of the placement."),
    ),
    sort_keys=(*sort_both("StartDate", "startDate"), *sort_both("EndDate", "endDate"), MODIFIED_DESC),
    lookup=(
        LookupKey("ids", "id", Scalar.ID),
        LookupKey(
            "personIds",
            "",
            Scalar.ID,
            doc="Ids of persons; the standard does not say whether of the child or an owner.",
        ),
    ),
    deleted="placements",
    display_name=(),
)
