"""Periods longer than a source takes: asked for in windows, each record given once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.capabilities import Paging
from sources.requests import Query
from sources.source import Source
from sources.windows import MARGIN

from .conftest import asked, codes, ids, soon, source_of
from .test_paging import by_page, together

quick = settings(max_examples=50, deadline=None, derandomize=True, database=None)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
"""The time change of 29 March lies in what follows."""


def period(start: datetime, end: datetime, **more: str) -> Query:
    return Query.of(
        {
            "startTime.onOrAfter": (start.isoformat(),),
            "startTime.onOrBefore": (end.isoformat(),),
            **{name: (value,) for name, value in more.items()},
        }
    )


class Calendar:
    """Events by their hour after FIRST, in no order; a longer period than ``days`` is a bad request."""

    def __init__(self, hours: Sequence[int], days: int, page: int = 100) -> None:
        self.events = [
            {"id": f"{number}-{hour}", "startTime": (FIRST + timedelta(hours=hour)).isoformat()}
            for number, hour in enumerate(hours)
        ]
        self.days, self.page = days, page
        self.periods: list[tuple[datetime, datetime]] = []

    def within(self, start: datetime, end: datetime) -> list[dict[str, str]]:
        return [each for each in self.events if start <= datetime.fromisoformat(each["startTime"]) <= end]

    def length(self, start: datetime, end: datetime) -> timedelta:
        return end - start

    def __call__(self, request: httpx.Request) -> httpx.Response:
        given = asked(request)
        start, end = (
            datetime.fromisoformat(given[name][0]) for name in ("startTime.onOrAfter", "startTime.onOrBefore")
        )
        if self.length(start, end) > timedelta(days=self.days):
            return httpx.Response(400)
        self.periods.append((start, end))
        found, offset = self.within(start, end), int(given.get("pageToken", ["0"])[0])
        following = offset + self.page
        token = following if following < len(found) else None
        return httpx.Response(200, json={"data": found[offset:following], "pageToken": token})


HOURS = st.lists(st.one_of(st.integers(0, 40).map(lambda day: day * 24), st.integers(0, 1000)), max_size=25)


@quick
@given(hours=HOURS, days=st.integers(1, 50), length=st.integers(0, 45), page=st.integers(1, 5))
def test_every_event_comes_once_also_at_the_seams(hours: list[int], days: int, length: int, page: int) -> None:
    calendar = Calendar(hours, days, page)
    end = FIRST + timedelta(days=length)

    async def run() -> tuple[Any, Any]:
        source = source_of(calendar, window_days=days, paging=Paging.TOKEN_WITH_WINDOW, ttl={"default": 0})
        return (
            await source.walk("CalendarEvent", period(FIRST, end), soon()),
            await by_page(source, "CalendarEvent", period(FIRST, end)),
        )

    walked, pages = asyncio.run(run())
    expected = sorted(each["id"] for each in calendar.within(FIRST, end))
    for found in (ids(walked), together(pages)):
        assert sorted(found) == expected
    assert codes(walked) == [code for each in pages for code in codes(each)] == []


class NaiveCalendar(Calendar):
    """The same in times of a place without an offset; ``reads``: what becomes of the offset of a bound."""

    def __init__(self, hours: Sequence[int], days: int, page: int, zone: str, reads: str) -> None:
        super().__init__(hours, days, page)
        self.zone, self.reads = ZoneInfo(zone), reads
        self.given = {each["id"]: datetime.fromisoformat(each["startTime"]) for each in self.events}
        for each in self.events:
            local = self.given[each["id"]].astimezone(self.zone)
            each["startTime"] = local.replace(tzinfo=None).isoformat()

    def length(self, start: datetime, end: datetime) -> timedelta:
        if self.reads == "without it":
            return end.replace(tzinfo=None) - start.replace(tzinfo=None)
        return end.astimezone(UTC) - start.astimezone(UTC)

    def within(self, start: datetime, end: datetime) -> list[dict[str, str]]:
        if self.reads == "as instants":
            return [each for each in self.events if start <= self.given[each["id"]] <= end]
        if self.reads == "without it":
            start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
        else:
            start, end = (moment.astimezone(UTC).replace(tzinfo=None) for moment in (start, end))
        return [each for each in self.events if start <= datetime.fromisoformat(each["startTime"]) <= end]


@quick
@given(
    hours=HOURS, days=st.integers(1, 50), length=st.integers(0, 45), page=st.integers(1, 5),
    zone=st.sampled_from(["Europe/Stockholm", "UTC"]),
    reads=st.sampled_from(["as instants", "without it", "as if all were UTC"]),
)  # fmt: skip
def test_nothing_is_lost_or_doubled_whatever_becomes_of_an_offset(
    hours: list[int], days: int, length: int, page: int, zone: str, reads: str
) -> None:
    calendar = NaiveCalendar(hours, days, page, zone, reads)
    end = FIRST + timedelta(days=length)

    async def run() -> tuple[Any, Any]:
        told = {"naive": zone, "window_days": days, "paging": Paging.TOKEN_WITH_WINDOW}
        source = source_of(calendar, **told, timezone=zone, ttl={"default": 0})
        return (
            await source.walk("CalendarEvent", period(FIRST, end), soon()),
            await by_page(source, "CalendarEvent", period(FIRST, end)),
        )

    walked, pages = asyncio.run(run())
    wanted = {id for id, moment in calendar.given.items() if FIRST <= moment <= end}
    for found in (ids(walked), together(pages)):
        assert len(found) == len(set(found))
        assert wanted <= set(found)
        assert all(FIRST - 2 * MARGIN <= calendar.given[id] <= end + 2 * MARGIN for id in found)
    assert codes(walked) == [code for each in pages for code in codes(each)] == []


async def test_what_is_short_enough_is_one_call_as_it_was_asked() -> None:
    calendar = Calendar([0, 24], 2)
    source = source_of(calendar, window_days=2)
    await source.walk("CalendarEvent", period(FIRST, FIRST + timedelta(days=2)), soon())
    await source.walk("CalendarEvent", period(FIRST, FIRST + timedelta(days=5)), soon())
    whole = FIRST + timedelta(days=5)
    assert calendar.periods[0] == (FIRST, FIRST + timedelta(days=2))
    assert sorted(calendar.periods[1:]) == [
        # the first window is the period that was asked for before, and still in the cache
        (FIRST + timedelta(days=2), FIRST + timedelta(days=4)),
        (FIRST + timedelta(days=4), whole),
    ]


async def test_a_window_that_fails_is_a_gap_beside_the_others() -> None:
    calendar = Calendar([0, 30, 60], 1)

    def handle(request: httpx.Request) -> httpx.Response:
        start = datetime.fromisoformat(asked(request)["startTime.onOrAfter"][0])
        return httpx.Response(500) if start == FIRST + timedelta(days=1) else calendar(request)

    source = source_of(handle, window_days=1)
    answer = await source.walk("CalendarEvent", period(FIRST, FIRST + timedelta(days=3)), soon())
    assert (ids(answer), codes(answer)) == (["0-0", "2-60"], ["SOURCE_UNAVAILABLE"])


async def test_filters_go_with_every_window() -> None:
    calls = []

    def handle(request: httpx.Request) -> httpx.Response:
        calls.append(asked(request))
        return httpx.Response(200, json=[])

    await source_of(handle, window_days=1).walk(
        "CalendarEvent", period(FIRST, FIRST + timedelta(days=2), activity="x"), soon()
    )
    assert [call["activity"] for call in calls] == [["x"], ["x"]]


async def test_lists_without_a_period_are_left_alone() -> None:
    source = source_of(lambda _: httpx.Response(200, json=[{"id": "a"}]), window_days=1)
    query = Query.of({"startDate.onOrAfter": ("2000-01-01",), "endDate.onOrBefore": ("2030-01-01",)})
    assert ids(await source.walk("Group", query, soon())) == ["a"]
    assert source.calls == 1


async def test_more_windows_than_pages_are_allowed_is_a_gap_without_a_call() -> None:
    source = source_of(Calendar([0], 1), window_days=1, max_pages=3)
    answer = await source.walk("CalendarEvent", period(FIRST, FIRST + timedelta(days=3)), soon())
    assert (ids(answer), codes(answer)) == (["0-0"], [])
    source = source_of(Calendar([0], 1), window_days=1, max_pages=3)
    answer = await source.walk("CalendarEvent", period(FIRST, FIRST + timedelta(days=300)), soon())
    assert (codes(answer), source.calls) == (["SOURCE_PAGING_LOOP"], 0)


async def test_date_times_without_an_offset_are_in_the_sources_zone() -> None:
    events = [{"id": "seam", "startTime": "2026-03-02T01:00:00"}, {"id": "later", "startTime": "2026-03-02T01:00:01"}]
    source = source_of(lambda _: httpx.Response(200, json=events), window_days=1)
    pages = await by_page(source, "CalendarEvent", period(FIRST, FIRST + timedelta(days=2)))
    # 01:00 in Stockholm is the instant at which the second window begins: it was given with the first.
    assert [ids(page) for page in pages] == [["seam", "later"], ["later"]]


def days(start: date, end: date) -> Query:
    return Query.of({"startDate": (start.isoformat(),), "endDate": (end.isoformat(),)})


def sums(request: httpx.Request, length: int | None) -> httpx.Response:
    """One row per period asked for, or per calendar period of so many days that shares a day with it."""
    given = asked(request)
    start, end = (date.fromisoformat(given[name][0]) for name in ("startDate", "endDate"))
    rows = [(start, end)]
    if length is not None:
        first = start.toordinal() // length
        rows = [
            (date.fromordinal(n * length), date.fromordinal((n + 1) * length - 1))
            for n in range(first, end.toordinal() // length + 1)
        ]
    return httpx.Response(
        200,
        json=[
            {"student": {"id": "s"}, "activity": {"id": "a"}, "startDate": a.isoformat(), "endDate": b.isoformat(),
             "attendanceSum": 1}
            for a, b in rows
        ],
    )  # fmt: skip


async def rows_of(source: Source, query: Query) -> list[list[tuple[object, object]]]:
    walked = await source.walk("AggregatedAttendance", query, soon())
    paged = await by_page(source, "AggregatedAttendance", query)
    return [
        [(each["startDate"], each["endDate"]) for answer in answers for slab in answer.slabs for each in slab.records]
        for answers in ([walked], paged)
    ]


@pytest.mark.parametrize("length", [None, 7, 30])
async def test_sums_come_once_per_row_whoever_sets_their_periods(length: int | None) -> None:
    start, end = date(2026, 3, 1), date(2026, 3, 25)
    source = source_of(lambda request: sums(request, length), window_days=10)
    for rows in await rows_of(source, days(start, end)):
        assert len(rows) == len(set(rows))
        if length is None:  # consecutive days, no day twice
            assert rows == [("2026-03-01", "2026-03-10"), ("2026-03-11", "2026-03-20"), ("2026-03-21", "2026-03-25")]
        else:
            whole = sums(httpx.Request("GET", f"https://x/?startDate={start}&endDate={end}"), length).json()
            assert sorted(rows) == [(each["startDate"], each["endDate"]) for each in whole]
