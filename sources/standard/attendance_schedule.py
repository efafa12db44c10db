"""AttendanceSchedule (vistelseschema): when a child is to be at preschool or leisure-time centre."""

from __future__ import annotations

from .common import (
    END_DATE,
    END_DATE_PARAMETERS,
    ID,
    META_PARAMETERS,
    META_PROPERTY,
    START_DATE,
    START_DATE_PARAMETERS,
)
from .model import Enumeration, LookupKey, Parameter, Property, Reference, Resource, Scalar, Structure, Test

SCHEDULE_STATE = Enumeration(
    "ScheduleState", "Whether a schedule is agreed (tillstånd).", ("Godkänt", "Begärt", "Nekat")
)

DAY_OF_WEEK = Enumeration(
    "DayOfWeek",
    "A day of the week (veckodag).",
    ("Måndag", "Tisdag", "Onsdag", "Torsdag", "Fredag", "Lördag", "Söndag"),
)

ATTENDANCE_SCHEDULE_STATE = Structure(
    "AttendanceScheduleState",
    "A state that a schedule was given at some time (tillstånd). Together they are its history.",
    (
        Property("state", SCHEDULE_STATE, "The state (tillstånd).", required=True),
        Property("registeredAt", Scalar.DATE_TIME, "When it was given (registrerat).", required=True),
        Property("comment", Scalar.STRING, "More about it, as text (kommentar)."),
        Property("registeredBy", Reference("Person"), "Who gave it (registrerad av)."),
    ),
    entry_key=("registeredAt", "state"),
)

ATTENDANCE_SCHEDULE_ENTRY = Structure(
    "AttendanceScheduleEntry",
    "A stay on one day of one week of a schedule (vistelsetid).",
    (
        Property("weekOffset", Scalar.INTEGER, "The week within the schedule, from 0 (vecka).", required=True),
        Property("dayOfWeek", DAY_OF_WEEK, "The day (veckodag).", required=True),
        Property("startTime", Scalar.TIME, "When the stay begins (starttid).", required=True),
        # 2.0.0 had `length` here, a duration. It is no other spelling of endTime and so does not stand in `also`; a
        # reader has to add it to startTime. 2.1.0 types endTime as integer, with a pattern for HH:MM: a misprint.
        Property("endTime", Scalar.TIME, "When the stay ends (sluttid).", required=True),
    ),
    entry_key=("weekOffset", "dayOfWeek", "startTime"),
)

ATTENDANCE_SCHEDULE = Resource(
    name="AttendanceSchedule",
    plural="attendanceSchedules",
    path="/attendanceSchedule",
    swedish="vistelseschema",
    doc="When a child is to be at preschool or leisure-time centre, week after week or as a temporary exception.",
    properties=(
        ID,
        META_PROPERTY,
        Property("placement", Reference("Placement"), "The placement it is for (placering).", required=True),
        Property(
            "numberOfWeeks",
            Scalar.INTEGER,
            "How many weeks it runs before it begins again (antal veckor).",
            required=True,
        ),
        START_DATE,
        END_DATE,
        Property(
            "temporary",
            Scalar.BOOLEAN,
            "Whether it replaces the usual schedule until its end date; absent means that it does not (tillfälligt).",
        ),
        Property("state", ATTENDANCE_SCHEDULE_STATE, "Its states, a history (tillstånd).", many=True, required=True),
        Property(
            "scheduleEntries",
            ATTENDANCE_SCHEDULE_ENTRY,
            "The stays in it (vistelsetider).",
            many=True,
            required=True,
            also=("scheduleDays",),  # what the standard's own list of required properties calls it
        ),
    ),
    parameters=(
        Parameter("placement", Scalar.ID, Test.EQUAL, ("placement",), "For this placement."),
        Parameter("group", Scalar.ID, Test.UNSHOWN, (), "For placements in this group."),
        *START_DATE_PARAMETERS,
        *END_DATE_PARAMETERS,
        *META_PARAMETERS,
    ),
    lookup=(LookupKey("ids", "id", Scalar.ID), LookupKey("placement", "placement", Scalar.ID)),
    deleted="attendanceSchedules",
    deleted_also=("attendanceSchedule",),
    display_name=(),
)
