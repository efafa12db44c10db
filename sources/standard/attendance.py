"""Attendance (närvaro): what is reported about one pupil at one calendar event."""

from __future__ import annotations

from .common import ID, META_PARAMETERS, META_PROPERTY
from .model import LookupKey, Parameter, Property, Reference, Resource, Scalar, Test

ATTENDANCE = Resource(
    name="Attendance",
    plural="attendances",
    path="/attendances",
    swedish="närvaro",
    doc="A pupil's attendance at a calendar event, in minutes. Not reported does not mean present.",
    properties=(
        ID,
        META_PROPERTY,
        Property("calendarEvent", Reference("CalendarEvent"), "The calendar event (kalenderhändelse).", required=True),
        Property("student", Reference("Person"), "The pupil (elev).", required=True),
        Property("reporter", Reference("Person"), "The person (not duty) who reported it (rapportör)."),
        Property("isReported", Scalar.BOOLEAN, "Whether the calendar event is reported (rapporterad).", required=True),
        Property("attendanceMinutes", Scalar.INTEGER, "Minutes present (närvaro)."),
        Property("validAbsenceMinutes", Scalar.INTEGER, "Minutes of valid absence (giltig frånvaro)."),
        Property("invalidAbsenceMinutes", Scalar.INTEGER, "Minutes of invalid absence (ogiltig frånvaro)."),
        Property(
            "otherAttendanceMinutes",
            Scalar.INTEGER,
            "Minutes in another school activity instead (annan skolaktivitet).",
        ),
        Property("absenceReason", Scalar.STRING, "The reason given for absence, as text (frånvaroorsak)."),
        Property("reportedTimestamp", Scalar.DATE_TIME, "When it was reported (rapporteringstid)."),
    ),
    parameters=(
        Parameter("student", Scalar.ID, Test.EQUAL, ("student",), "Of this pupil."),
        Parameter(
            "organisation",
            Scalar.ID,
            Test.UNSHOWN,
            (),
            "At calendar events of this organisation or one below it.",
        ),
        Parameter("calendarEvent", Scalar.ID, Test.EQUAL, ("calendarEvent",), "At this calendar event."),
        *META_PARAMETERS,
    ),
    lookup=(
        LookupKey("ids", "id", Scalar.ID),
        LookupKey("activities", "", Scalar.ID, doc="Ids of activities; the record shows the calendar event only."),
        LookupKey("students", "student", Scalar.ID),
        LookupKey("calendareEvents", "calendarEvent", Scalar.ID, also=("calendarEvents",)),  # the official spelling
    ),
    get_reference_names=False,
    deleted="attendances",
    display_name=(),
)
