"""Presence and absence: Attendance, AttendanceEvent, AttendanceSchedule, Absence, AggregatedAttendance."""

from __future__ import annotations

from .types import entity


@entity("Attendance")
class Attendance:
    pass


@entity("AttendanceEvent")
class AttendanceEvent:
    pass


@entity("AttendanceSchedule")
class AttendanceSchedule:
    pass


@entity("Absence")
class Absence:
    pass


@entity("AggregatedAttendance")
class AggregatedAttendance:
    pass
