"""CalendarEvent (kalenderhändelse): one lesson or other occasion of an activity."""

from __future__ import annotations

from .common import ID, META_PARAMETERS, META_PROPERTY, MODIFIED_DESC, sort_both
from .model import Expand, LookupKey, Parameter, Property, Reference, Resource, Scalar, Structure, Test

_EXCEPTION_TIMES = (
    Property("startTime", Scalar.DATE_TIME, "When it begins in this case (starttid)."),
    Property("endTime", Scalar.DATE_TIME, "When it ends in this case (sluttid)."),
    Property("teachingLength", Scalar.INTEGER, "Minutes of teaching in this case (undervisningstid)."),
)

STUDENT_EXCEPTION = Structure(
    "StudentException",
    "How a pupil's part in one calendar event differs (elevundantag).",
    (
        Property("student", Reference("Person"), "The pupil (elev).", required=True),
        Property("participates", Scalar.BOOLEAN, "Whether the pupil takes part (deltar).", required=True),
        *_EXCEPTION_TIMES,
    ),
    entry_key=("student.id",),
)

TEACHER_EXCEPTION = Structure(
    "TeacherException",
    "How a teacher's part in one calendar event differs (lärarundantag).",
    (
        Property("duty", Reference("Duty"), "The teacher's duty (tjänstgöring).", required=True),
        Property("participates", Scalar.BOOLEAN, "Whether the teacher takes part (deltar).", required=True),
        *_EXCEPTION_TIMES,
    ),
    entry_key=("duty.id",),
)

CALENDAR_EVENT = Resource(
    name="CalendarEvent",
    plural="calendarEvents",
    path="/calendarEvents",
    swedish="kalenderhändelse",
    doc="A lesson or another occasion of an activity, with its rooms and exceptions.",
    properties=(
        ID,
        META_PROPERTY,
        Property("activity", Reference("Activity"), "The activity it is an occasion of (aktivitet).", required=True),
        Property("startTime", Scalar.DATE_TIME, "When it begins (starttid).", required=True),
        Property("endTime", Scalar.DATE_TIME, "When it ends (sluttid).", required=True),
        Property("cancelled", Scalar.BOOLEAN, "Whether it is cancelled; absent means that it is not (inställd)."),
        Property("teachingLengthTeacher", Scalar.INTEGER, "Minutes of teaching, for teachers (undervisningstid)."),
        Property("teachingLengthStudent", Scalar.INTEGER, "Minutes of teaching, for pupils (undervisningstid)."),
        Property("comment", Scalar.STRING, "More about it, as text (kommentar)."),
        Property("studentExceptions", STUDENT_EXCEPTION, "How single pupils' parts differ (elevundantag).", many=True),
        Property(
            "teacherExceptions", TEACHER_EXCEPTION, "How single teachers' parts differ (lärarundantag).", many=True
        ),
        Property("rooms", Reference("Room"), "The rooms booked for it (lokaler).", many=True),
        Property("resources", Reference("Resource"), "The resources booked for it (resurser).", many=True),
    ),
    parameters=(
        Parameter(
            "startTime.onOrAfter",
            Scalar.DATE_TIME,
            Test.ON_OR_AFTER,
            ("startTime",),
            "Begins at this instant or later (inclusive).",
            required=True,
        ),
        Parameter(
            "startTime.onOrBefore",
            Scalar.DATE_TIME,
            Test.ON_OR_BEFORE,
            ("startTime",),
            "Begins at this instant or earlier (inclusive).",
            required=True,
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
            Test.ON_OR_AFTER,
            ("endTime",),
            "Ends at this instant or later (inclusive).",
        ),
        Parameter("activity", Scalar.ID, Test.EQUAL, ("activity",), "Of this activity."),
        Parameter(
            "student",
            Scalar.ID,
            Test.UNSHOWN,
            (),
            "With this person in a group of its activity or among its student exceptions (also one who does not take "
            "part), whatever the dates of the membership.",
        ),
        Parameter(
            "teacher",
            Scalar.ID,
            Test.UNSHOWN,
            (),
            "With this duty (not person) among its activity's teachers or its teacher exceptions, whatever the dates "
            "of the assignment.",
        ),
        Parameter("organisation", Scalar.ID, Test.UNSHOWN, (), "Of an activity of this organisation or one below it."),
        Parameter("group", Scalar.ID, Test.UNSHOWN, (), "Of an activity with this group."),
        *META_PARAMETERS,
    ),
    expands=(
        Expand("activity", "Activity", "The activity it is an occasion of.", many=False),
        Expand("attendance", "Attendance", "What is reported about pupils' attendance at it."),
    ),
    sort_keys=(MODIFIED_DESC, *sort_both("StartTime", "startTime")),
    lookup=(
        LookupKey("ids", "id", Scalar.ID),
        LookupKey("activities", "activity", Scalar.ID),
        LookupKey(
            "student", "", Scalar.ID, doc="Ids of persons, as in the list's parameter student; without a window."
        ),
        LookupKey("teacher", "", Scalar.ID, doc="Ids of duties, as in the list's parameter teacher; without a window."),
    ),
    lookup_expands=False,
    deleted="calendarEvents",
    display_name=(),
)
