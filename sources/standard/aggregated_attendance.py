"""AggregatedAttendance (aggregerad närvaro): sums of a pupil's attendance in an activity over a period."""

from __future__ import annotations

from .common import SCHOOL_TYPE
from .model import Expand, Parameter, Property, Reference, Resource, Scalar, Test

AGGREGATED_ATTENDANCE = Resource(
    name="AggregatedAttendance",
    plural="aggregatedAttendances",
    path="/aggregatedAttendance",
    swedish="aggregerad närvaro",
    doc="A pupil's attendance in an activity, summed over a period, in minutes.",
    properties=(
        Property("activity", Reference("Activity"), "The activity (aktivitet).", required=True),
        Property("student", Reference("Person"), "The pupil (elev).", required=True),
        Property("startDate", Scalar.DATE, "First day of the period, inclusive (startdatum).", required=True),
        Property("endDate", Scalar.DATE, "Last day of the period, inclusive (slutdatum).", required=True),
        Property("attendanceSum", Scalar.INTEGER, "Minutes present (närvaro).", required=True),
        Property("validAbsenceSum", Scalar.INTEGER, "Minutes of valid absence (giltig frånvaro)."),
        Property("invalidAbsenceSum", Scalar.INTEGER, "Minutes of invalid absence (ogiltig frånvaro)."),
        Property(
            "otherAttendanceSum", Scalar.INTEGER, "Minutes in another school activity instead (annan skolaktivitet)."
        ),
        Property("reportedSum", Scalar.INTEGER, "Minutes of the events that are reported (rapporterad tid)."),
        Property("offeredSum", Scalar.INTEGER, "Minutes that the pupil could have attended (erbjuden tid)."),
    ),
    parameters=(
        # A source may split the window into periods of its own, which may reach over the window's ends. A row belongs
        # to the window when it shares a day with it: so the window's start meets a period's end, and vice versa.
        Parameter(
            "startDate",
            Scalar.DATE,
            Test.ON_OR_AFTER,
            ("endDate",),
            "First day of the window, inclusive.",
            required=True,
        ),
        Parameter(
            "endDate",
            Scalar.DATE,
            Test.ON_OR_BEFORE,
            ("startDate",),
            "Last day of the window, inclusive.",
            required=True,
        ),
        Parameter(
            "organisation",
            Scalar.ID,
            Test.UNSHOWN,
            (),
            "In activities owned by this organisation (which need not be the pupil's school).",
        ),
        Parameter(
            "schoolType", SCHOOL_TYPE, Test.UNSHOWN, (), "In activities of one of these forms of schooling.", many=True
        ),
        Parameter("student", Scalar.ID, Test.EQUAL, ("student",), "Of one of these pupils.", many=True),
    ),
    expands=(
        Expand("activity", "Activity", "The activity.", many=False),
        Expand("student", "Person", "The pupil.", many=False),
    ),
    get=False,
    get_reference_names=False,
    key=("student", "activity", "startDate", "endDate"),
    display_name=(),
)
