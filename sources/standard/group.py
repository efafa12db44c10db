"""Group (grupp): classes, teaching groups, preschool departments, and who is or was in them."""

from __future__ import annotations

from .common import (
    DISPLAY_NAME,
    DISPLAY_NAME_ASC,
    END_DATE,
    END_DATE_PARAMETERS,
    ID,
    META_PARAMETERS,
    META_PROPERTY,
    MODIFIED_DESC,
    SCHOOL_TYPE,
    START_DATE,
    START_DATE_OPTIONAL,
    START_DATE_PARAMETERS,
    sort_both,
)
from .model import (
    Enumeration,
    Expand,
    LookupKey,
    Parameter,
    Property,
    Reference,
    Resource,
    Scalar,
    Structure,
    Test,
    View,
)

GROUP_TYPE = Enumeration(
    "GroupType",
    "What kind of group it is (grupptyp).",
    ("Undervisning", "Klass", "Mentor", "Provgrupp", "Schema", "Avdelning", "Personalgrupp", "Övrigt"),
)

GROUP_MEMBERSHIP = Structure(
    "GroupMembership",
    "A person's membership of a group (gruppmedlemskap).",
    (
        Property("person", Reference("Person"), "The member (medlem).", required=True),
        START_DATE_OPTIONAL,
        END_DATE,
    ),
    entry_key=("person.id", "startDate"),
)

GROUP = Resource(
    name="Group",
    plural="groups",
    path="/groups",
    swedish="grupp",
    doc="A group of persons: a class, a teaching group, a mentor group, a preschool department.",
    properties=(
        ID,
        META_PROPERTY,
        DISPLAY_NAME,
        START_DATE,
        END_DATE,
        Property("groupType", GROUP_TYPE, "What kind of group it is (grupptyp).", required=True),
        Property("schoolType", SCHOOL_TYPE, "The form of schooling (skolform)."),
        Property(
            "organisation", Reference("Organisation"), "The organisation it belongs to (organisation).", required=True
        ),
        Property(
            "groupMemberships",
            GROUP_MEMBERSHIP,
            "Who is, was or will be a member (gruppmedlemskap).",
            many=True,
        ),
    ),
    parameters=(
        Parameter("groupType", GROUP_TYPE, Test.EQUAL, ("groupType",), "Of one of these kinds.", many=True),
        Parameter(
            "schoolTypes", SCHOOL_TYPE, Test.EQUAL, ("schoolType",), "Of one of these forms of schooling.", many=True
        ),
        Parameter(
            "organisation",
            Scalar.ID,
            Test.EQUAL,
            ("organisation",),
            "Belonging directly to one of these organisations.",
            many=True,
        ),
        *START_DATE_PARAMETERS,
        *END_DATE_PARAMETERS,
        *META_PARAMETERS,
    ),
    expands=(
        Expand(
            "assignmentRoles",
            "Duty",
            "Duties with an assignment in the group, e.g. mentor.",
            View.REFERENCE,
            "duty",
        ),
    ),
    sort_keys=(
        MODIFIED_DESC,
        DISPLAY_NAME_ASC,
        *sort_both("StartDate", "startDate"),
        *sort_both("EndDate", "endDate"),
    ),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    deleted="groups",
)
