"""When a child is to be at preschool or leisure-time centre: schedules that turn, as stays on local days.

The rules alone, over plain values (field guide 6.3). Of the schedules that cover a day, one counts, whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sources.standard.attendance_schedule import DAY_OF_WEEK

from .instants import instant
from .participation import in_effect

AGREED, REFUSED = "Godkänt", "Nekat"


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a schedule says. ``state`` is the latest; None where its source keeps none. ``weeks`` is at least 1."""

    id: str
    start: str | None
    end: str | None
    temporary: bool
    state: str | None
    weeks: int
    entries: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay that begins on ``day``; instants in local time, None where the schedule does not say."""

    day: date
    start: datetime | None
    end: datetime | None
    schedule: Schedule


def schedule(id: str, record: Mapping[str, object]) -> Schedule:
    """A schedule's own values in the words of this module."""
    entries = [entry for entry in _listed(record.get("scheduleEntries")) if isinstance(entry, Mapping)]
    weeks = record.get("numberOfWeeks")
    if not isinstance(weeks, int) or weeks < 1:  # required, and left out all the same: as many as it has entries for
        weeks = 1 + max((_offset(entry) for entry in entries), default=0)
    return Schedule(
        id,
        _text(record.get("startDate")),
        _text(record.get("endDate")),
        record.get("temporary") is True,
        latest_state(record.get("state")),
        max(weeks, 1),
        entries,
    )


def latest_state(history: object) -> str | None:
    """The state that was registered last; of those registered at once the last in the list."""
    found: tuple[datetime, str] | None = None
    for entry in _listed(history):
        if isinstance(entry, Mapping) and entry.get("state") is not None:
            registered = entry.get("registeredAt")
            at = datetime.min.replace(tzinfo=UTC) if registered is None else instant(str(registered))
            if found is None or at >= found[0]:
                found = (at, str(entry["state"]))
    return None if found is None else found[1]


def stays(
    schedules: Iterable[Schedule],
    placement_start: str | None,
    placement_end: str | None,
    first: date,
    last: date,
    zone: ZoneInfo,
) -> list[Stay]:
    """The stays of a placement that begin from ``first`` to ``last``, both inclusive; in the order of their starts."""
    counting = sorted((each for each in schedules if each.state != REFUSED), key=_rank, reverse=True)
    bounds = {"startDate": placement_start, "endDate": placement_end}
    found: list[Stay] = []
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        for each in counting:
            if in_effect(day, day, bounds.get, {"startDate": each.start, "endDate": each.end}.get):
                found += sorted(_on(each, each.start or placement_start, day, zone), key=_by_start)
                break
    return found


def _rank(each: Schedule) -> tuple[bool, bool, str, str]:
    """Which of several schedules counts: agreed before asked for, temporary before usual, then the later start."""
    return each.state in (None, AGREED), each.temporary, each.start or "", each.id


def _on(each: Schedule, turning_since: str | None, day: date, zone: ZoneInfo) -> Iterator[Stay]:
    if turning_since is None and each.weeks > 1:
        return  # nobody knows which week it is
    monday = day - timedelta(days=day.weekday())
    begun = date.fromisoformat(turning_since) if turning_since is not None else day
    week = (monday - (begun - timedelta(days=begun.weekday()))).days // 7 % each.weeks
    for entry in each.entries:
        if entry.get("dayOfWeek") == DAY_OF_WEEK.values[day.weekday()] and _offset(entry) % each.weeks == week:
            start, end = _text(entry.get("startTime")), _text(entry.get("endTime"))
            overnight = start is not None and end is not None and end <= start
            yield Stay(
                day,
                None if start is None else at(day, start, zone),
                None if end is None else at(day + timedelta(days=overnight), end, zone),
                each,
            )


def at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """A wall-clock time ``HH:MM`` (to 24:00) of a local day as an instant with the offset that holds then.

    In the night when the clock is put back, the first of two equal times; when it is put forward, a time that the clock
    skips is as long after the change as it would have been: 02:30 is 03:30 in summer time.
    """
    hours, minutes = divmod(int(clock[:2]) * 60 + int(clock[3:]), 60)
    shown = datetime.combine(day + timedelta(days=hours // 24), time(hours % 24, minutes), zone)
    return shown.astimezone(UTC).astimezone(zone)


def _by_start(stay: Stay) -> tuple[bool, datetime]:
    return stay.start is None, stay.start or datetime.max.replace(tzinfo=UTC)


def _offset(entry: Mapping[str, object]) -> int:
    value = entry.get("weekOffset")
    return value if isinstance(value, int) else 0


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _text(value: object) -> str | None:
    return None if value is None else str(value)
