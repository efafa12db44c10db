"""Duty (tjänstgöring): what someone is employed to do at an organisation, and for which groups."""

from __future__ import annotations

from .common import (
    END_DATE,
    END_DATE_PARAMETERS,
    ID,
    META_PARAMETERS,
    META_PROPERTY,
    MODIFIED_DESC,
    START_DATE,
    START_DATE_OPTIONAL,
    START_DATE_PARAMETERS,
    sort_both,
)
from .model import Enumeration, Expand, LookupKey, Parameter, Property, Reference, Resource, Scalar, Structure, Test

DUTY_ROLE = Enumeration(
    "DutyRole",
    "The role that a duty is for (tjänstgöringsroll).",
    (
        "Rektor", "Lärare", "Förskollärare", "Barnskötare", "Bibliotekarie", "Lärarassistent", "Fritidspedagog",
        "Annan personal", "Studie- och yrkesvägledare", "Förstelärare", "Kurator", "Skolsköterska", "Skolläkare",
        "Skolpsykolog", "Speciallärare/specialpedagog", "Skoladministratör", "Övrig arbetsledning",
        "Övrig pedagogisk personal", "Förskolechef",
    ),
)  # fmt: skip

ASSIGNMENT_ROLE_TYPE = Enumeration(
    "AssignmentRoleType",
    "What someone does for a group, teaching apart (arbetsuppgift).",
    (
        "Mentor", "Förskollärare", "Barnskötare", "Fritidspedagog", "Specialpedagog", "Elevhälsopersonal",
        "Pedagogisk ledare", "Schemaläggare", "Lärarassistent", "Administrativ personal",
    ),
)  # fmt: skip

ASSIGNMENT_ROLE = Structure(
    "AssignmentRole",
    "What a person does for a group within a duty (arbetsuppgift). Teaching is never one: that is an activity.",
    (
        Property("group", Reference("Group"), "The group it is done for (grupp).", required=True),
        Property("assignmentRoleType", ASSIGNMENT_ROLE_TYPE, "What is done (arbetsuppgift).", required=True),
        START_DATE_OPTIONAL,
        END_DATE,
    ),
    entry_key=("group.id", "assignmentRoleType", "startDate"),
)

DUTY = Resource(
    name="Duty",
    plural="duties",
    path="/duties",
    swedish="tjänstgöring",
    doc="A person's duty at an organisation: role, extent and assignments in groups.",
    properties=(
        ID,
        META_PROPERTY,
        Property("person", Reference("Person"), "Who has the duty; none while it is vacant (person)."),
        Property("assignmentRole", ASSIGNMENT_ROLE, "What is done for which groups (arbetsuppgifter).", many=True),
        Property("dutyAt", Reference("Organisation"), "Where the duty is (tjänstgöring vid).", required=True),
        Property("dutyRole", DUTY_ROLE, "The role that the duty is for (tjänstgöringsroll).", required=True),
        Property("description", Scalar.STRING, "More about the area of work (beskrivning)."),
        Property("signature", Scalar.STRING, "A signature for the duty, e.g. NJN (signatur)."),
        Property("dutyPercent", Scalar.INTEGER, "Extent in per cent (tjänstgöringsgrad)."),
        Property("hoursPerYear", Scalar.INTEGER, "Extent in hours a year (timmar per år)."),
        START_DATE,
        END_DATE,
    ),
    parameters=(
        Parameter("organisation", Scalar.ID, Test.SUBTREE, ("dutyAt",), "At this organisation or one below it."),
        Parameter("dutyRole", DUTY_ROLE, Test.EQUAL, ("dutyRole",), "With this role."),
        Parameter("person", Scalar.ID, Test.EQUAL, ("person",), "Duties of this person."),
        *START_DATE_PARAMETERS,
        *END_DATE_PARAMETERS,
        *META_PARAMETERS,
    ),
    expands=(Expand("person", "Person", "Who has the duty.", many=False),),
    sort_keys=(*reversed(sort_both("StartDate", "startDate")), MODIFIED_DESC),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    deleted="duties",
    display_name=("signature",),
)
