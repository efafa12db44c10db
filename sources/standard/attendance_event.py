"""AttendanceEvent (in- och utcheckning): a child arrives at or leaves a group."""

from __future__ import annotations

from .common import ID, META_PARAMETERS, META_PROPERTY
from .model import Enumeration, Expand, LookupKey, Parameter, Property, Reference, Resource, Scalar, Test, View

ATTENDANCE_EVENT_TYPE = Enumeration(
    "AttendanceEventType", "Whether someone arrives or leaves (händelsetyp).", ("In", "Ut")
)

ATTENDANCE_EVENT = Resource(
    name="AttendanceEvent",
    plural="attendanceEvents",
    path="/attendanceEvents",
    swedish="in- och utcheckning",
    doc="A child's arrival at or departure from a group.",
    properties=(
        ID,
        META_PROPERTY,
        Property("time", Scalar.DATE_TIME, "When it happened (tidpunkt).", required=True),
        Property("eventType", ATTENDANCE_EVENT_TYPE, "Arrival or departure (händelsetyp).", required=True),
        Property("person", Reference("Person"), "Who arrived or left (person).", required=True),
        Property("registeredBy", Reference("Person"), "Who noted it (registrerad av)."),
        Property("group", Reference("Group"), "The group (grupp).", required=True),
    ),
    parameters=(
        Parameter("group", Scalar.ID, Test.EQUAL, ("group",), "In one of these groups.", many=True),
        Parameter("person", Scalar.ID, Test.EQUAL, ("person",), "Of this person."),
        *META_PARAMETERS,
    ),
    expands=(
        Expand("person", "Person", "Who arrived or left.", many=False),
        Expand("group", "Group", "The group, without its members.", View.FRAGMENT, many=False),
        Expand("registeredBy", "Person", "Who noted it.", many=False),
    ),
    lookup=(
        LookupKey("ids", "id", Scalar.ID),
        LookupKey("person", "person", Scalar.ID),
        LookupKey("group", "group", Scalar.ID),
    ),
    deleted="attendanceEvents",
    display_name=(),
)
