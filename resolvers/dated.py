"""When a record or an entry holds or happens, for ``on:`` and ``during:``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sources.standard.model import Resource, Scalar, Structure

from .contracts import Period
from .instants import day_end, day_start, instant

Read = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Dated:
    """Which columns say when. ``days``: local dates with open ends; otherwise instants.

    ``by``: the time is not in the record itself but in the one it refers to here (a lesson's attendance);
    ``start`` is then the column used if that record is found nowhere.
    """

    start: str
    end: str | None
    days: bool
    by: str | None = None


_START_AND_END = {"startDate": "endDate", "startTime": "endTime"}
_ONE_MOMENT = {"AttendanceEvent": "time", "Grade": "registeredDate"}
_BY_LESSON = {"Attendance": Dated("reportedTimestamp", None, days=False, by="calendarEvent")}


def dated(of: Resource | Structure) -> Dated | None:
    """How records of a resource, or entries of a structure, are placed in time; None where they are not."""
    if of.name in _BY_LESSON:
        return _BY_LESSON[of.name]
    kinds = {prop.name: prop.type for prop in of.properties}
    if of.name in _ONE_MOMENT:
        start = _ONE_MOMENT[of.name]
        return Dated(start, None, days=kinds[start] is Scalar.DATE)
    if of.name == "CalendarEvent":
        return Dated("startTime", None, days=False)  # as the standard's window: by when the event starts
    for start, end in _START_AND_END.items():
        if start in kinds and end in kinds:
            return Dated(start, end, days=kinds[start] is Scalar.DATE)
    return None


def within(how: Dated, read: Read, period: Period, zone: ZoneInfo) -> bool:
    """Whether what ``read`` shows holds on, or happens on, at least one day of the period."""
    start = read(how.start)
    end = read(how.end) if how.end else start
    if how.days:
        if how.end is None and start is None:
            return False
        starts_late = period.end is not None and start is not None and str(start) > period.end.isoformat()
        ends_early = period.start is not None and end is not None and str(end) < period.start.isoformat()
        return not (starts_late or ends_early)
    if start is None:
        return False
    if period.end is not None and instant(str(start)) >= day_end(period.end, zone):
        return False
    if period.start is None or end is None:
        return True
    first = day_start(period.start, zone)
    finish = instant(str(end))
    return finish >= first if how.end is None else finish > first or instant(str(start)) >= first
