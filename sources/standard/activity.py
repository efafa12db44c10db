"""Activity (aktivitet): teaching or another event that groups and teachers take part in."""

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
    START_DATE,
    START_DATE_OPTIONAL,
    START_DATE_PARAMETERS,
)
from .model import Enumeration, Expand, LookupKey, Parameter, Property, Reference, Resource, Scalar, Structure, Test

ACTIVITY_TYPE = Enumeration(
    "ActivityType",
    "What kind of activity it is (aktivitetstyp).",
    ("Undervisning", "Elevaktivitet", "Provaktivitet", "Läraraktivitet", "Övrigt"),
)

DUTY_ASSIGNMENT = Structure(
    "DutyAssignment",
    "A teacher's part in an activity (lärares deltagande).",
    (
        Property("duty", Reference("Duty"), "The teacher's duty (tjänstgöring).", required=True),
        START_DATE_OPTIONAL,
        END_DATE,
        Property("minutesPlanned", Scalar.INTEGER, "Planned minutes of the teacher (planerade minuter)."),
        Property("grader", Scalar.BOOLEAN, "Whether the teacher sets the grades (betygsättande)."),
    ),
    entry_key=("duty.id", "startDate"),
)

ACTIVITY = Resource(
    name="Activity",
    plural="activities",
    path="/activities",
    swedish="aktivitet",
    doc="Teaching or another activity, with its groups and teachers; its calendar events are the lessons.",
    properties=(
        ID,
        META_PROPERTY,
        DISPLAY_NAME,
        Property(
            "calendarEventsRequired",
            Scalar.BOOLEAN,
            "Whether lessons are to be made from it (ska schemaläggas).",
            required=True,
        ),
        START_DATE,
        END_DATE,
        Property("activityType", ACTIVITY_TYPE, "What kind of activity it is (aktivitetstyp)."),
        Property("comment", Scalar.STRING, "More about it, as text (kommentar)."),
        Property("minutesPlanned", Scalar.INTEGER, "Planned minutes in all (planerade minuter)."),
        Property("groups", Reference("Group"), "The groups that take part (grupper).", many=True, required=True),
        Property("teachers", DUTY_ASSIGNMENT, "The teachers who take part (lärare).", many=True),
        Property("syllabus", Reference("Syllabus"), "The subject or course taught (ämne/kurs)."),
        Property(
            "organisation", Reference("Organisation"), "The organisation that owns it (organisation).", required=True
        ),
        Property("parentActivity", Reference("Activity"), "The activity it comes from (föräldraaktivitet)."),
    ),
    parameters=(
        Parameter(
            "member",
            Scalar.ID,
            Test.UNSHOWN,
            (),
            "With this person in one of its groups, whatever the dates of the membership.",
        ),
        Parameter(
            "teacher",
            Scalar.ID,
            Test.ANY,
            ("teachers.duty",),
            "With this duty (not person) among its teachers, whatever the dates of the assignment.",
        ),
        Parameter(
            "organisation", Scalar.ID, Test.SUBTREE, ("organisation",), "Owned by this organisation or one below it."
        ),
        Parameter("group", Scalar.ID, Test.ANY, ("groups",), "With this group."),
        *START_DATE_PARAMETERS,
        *END_DATE_PARAMETERS,
        *META_PARAMETERS,
    ),
    expands=(
        Expand("groups", "Group", "The groups that take part."),
        Expand("teachers", "Duty", "The duties of the teachers."),
        Expand("syllabus", "Syllabus", "The subject or course taught.", many=False),
    ),
    sort_keys=(MODIFIED_DESC, DISPLAY_NAME_ASC),
    lookup=(
        LookupKey("ids", "id", Scalar.ID),
        LookupKey("teachers", "teachers.duty", Scalar.ID, doc="Ids of duties, not of persons."),
        LookupKey(
            "members", "", Scalar.ID, doc="Ids of persons in the activity's groups; the record shows the groups only."
        ),
    ),
    deleted="activitites",  # the official spelling
    deleted_also=("activities",),
)
