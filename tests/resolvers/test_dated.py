"""``on`` and ``during``: whole local days, both ends inclusive, an open end is open."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.contracts import Period
from resolvers.dated import Dated, dated, within
from sources.standard import RESOURCES

ZONE = ZoneInfo("Europe/Stockholm")
DAYS = Dated("startDate", "endDate", days=True)
MOMENTS = Dated("startTime", "endTime", days=False)
MOMENT = Dated("time", None, days=False)


def holds(start: str | None, end: str | None, first: str | None, last: str | None) -> bool:
    period = Period(date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None)
    return within(DAYS, {"startDate": start, "endDate": end}.get, period, ZONE)


@pytest.mark.parametrize(
    ("start", "end", "day", "expected"),
    [
        ("2026-01-10", "2026-01-20", "2026-01-09", False),
        ("2026-01-10", "2026-01-20", "2026-01-10", True),
        ("2026-01-10", "2026-01-20", "2026-01-20", True),
        ("2026-01-10", "2026-01-20", "2026-01-21", False),
        ("2026-01-10", None, "2099-01-01", True),
        (None, "2026-01-20", "1999-01-01", True),
        (None, None, "2026-01-01", True),
    ],
)
def test_on_a_day(start: str | None, end: str | None, day: str, expected: bool) -> None:
    assert holds(start, end, day, day) is expected


EPOCH = date(2026, 1, 1)
days = st.integers(0, 12).map(lambda n: EPOCH + timedelta(n))


@given(st.none() | days, st.none() | days, st.none() | days, st.none() | days)
def test_during_a_period_is_on_one_of_its_days(
    start: date | None, end: date | None, first: date | None, last: date | None
) -> None:
    every = [EPOCH + timedelta(n) for n in range(-2, 16)]
    in_period = [day for day in every if (first is None or day >= first) and (last is None or day <= last)]
    valid = [day for day in every if (start is None or day >= start) and (end is None or day <= end)]
    if not in_period or not valid:
        return  # a period that runs backwards is refused before; a record that does is never there
    text = [day.isoformat() if day else None for day in (start, end, first, last)]
    assert holds(*text) is bool(set(in_period) & set(valid))


def happens(at: datetime, day: date) -> bool:
    return within(MOMENT, {"time": at.isoformat()}.get, Period(day, day), ZONE)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)], ids=["23 h", "25 h", "24 h"])
def test_a_day_is_as_long_as_it_is_also_when_the_clock_changes(day: date) -> None:
    start = datetime.combine(day, datetime.min.time(), ZONE)
    end = datetime.combine(day + timedelta(1), datetime.min.time(), ZONE)
    utc = ZoneInfo("UTC")
    second = timedelta(seconds=1)
    assert happens(start.astimezone(utc), day)
    assert not happens(start.astimezone(utc) - second, day)
    assert happens(end.astimezone(utc) - second, day)
    assert not happens(end.astimezone(utc), day)


def test_what_lasts_counts_on_every_day_it_touches() -> None:
    read = {"startTime": "2026-01-10T22:00:00+01:00", "endTime": "2026-01-12T00:00:00+01:00"}.get
    found = [day for day in range(9, 14) if within(MOMENTS, read, Period(*[date(2026, 1, day)] * 2), ZONE)]
    assert found == [10, 11]


def test_every_resource_is_placed_in_time_or_is_not() -> None:
    undated = {name for name, resource in RESOURCES.items() if dated(resource) is None}
    assert undated == {"Person", "Programme", "Syllabus", "Resource", "Room"}
