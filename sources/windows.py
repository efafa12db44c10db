"""Periods longer than a source takes: split into consecutive windows, whose records are united, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from .capabilities import Capabilities
from .errors import CallError, FaultCode
from .records import Slab
from .requests import Query
from .standard import RESOURCES
from .standard.model import Parameter, Scalar, Test

Moment = date | datetime

MARGIN = timedelta(hours=3)
"""By how much bounds are widened for a source that may not read their offset. They are sent as times of its own zone:
what is left is the hour that is there twice a year, and that it may take them for UTC."""


def split(capabilities: Capabilities, resource: str, query: Query, most: int) -> list[Query]:
    """The query as it stands, or one query per window where its required period is longer than the source takes.

    Both ends of a window are inclusive, as the standard has them: windows of days follow each other day by day, those
    of date-times share the instant between them. Raises CallError (SOURCE_PAGING_LOOP) for more than ``most`` windows.
    """
    if capabilities.window_days is None:
        return [query]
    bounds = _bounds(resource)
    given = dict(query.parameters)
    if bounds is None or any(len(given.get(bound.name, ())) != 1 for bound in bounds):
        return [query]
    lower, upper = bounds
    first, last = given[lower.name][0], given[upper.name][0]
    windows = [(first, last)]
    if lower.type is Scalar.DATE:
        start, end = _day(first), _day(last)
        if start is not None and end is not None:
            windows = list(_days(start, end, capabilities.window_days, most))
    else:
        since, until = _instant(first), _instant(last)
        if since is not None and until is not None and (since.tzinfo is None) == (until.tzinfo is None):
            length = timedelta(days=capabilities.window_days)
            if capabilities.naive:  # and on the wall a period may be an hour longer than it is
                length -= 2 * MARGIN + timedelta(hours=1)
            windows = list(_instants(since, until, length, most))
    if len(windows) <= 1:
        return [query]
    return [
        Query.of({**given, lower.name: (start,), upper.name: (end,)}, query.expand, query.sortkey)
        for start, end in windows
    ]


def without_later(resource: str, own: Query, slab: Slab, zone: str) -> Slab:
    """The slab of one window without the records behind its end: the next window gives them as well."""
    return _beyond(resource, own, slab, zone, beyond=False)


def without_earlier(resource: str, earlier: Query, slab: Slab, zone: str) -> Slab:
    """The slab of one window without the records that the window before it (``earlier``) has given as well.

    What meets this window's lower bound meets the earlier one's too, so its upper bound alone decides.
    """
    return _beyond(resource, earlier, slab, zone, beyond=True)


def _beyond(resource: str, window: Query, slab: Slab, zone: str, *, beyond: bool) -> Slab:
    """The records behind a window's end (or the others), and those that do not say when they are."""
    bounds = _bounds(resource)
    assert bounds is not None
    upper = bounds[1]
    limit = _read(upper, dict(window.parameters)[upper.name][0], zone)
    assert limit is not None
    keep = [
        index
        for index in range(len(slab.ids))
        if (value := _read(upper, slab.value(index, upper.columns[0], None), zone)) is None or (value > limit) is beyond
    ]
    return slab if len(keep) == len(slab.ids) else slab.select(keep)


def _bounds(resource: str) -> tuple[Parameter, Parameter] | None:
    """The parameters of the period that the resource's list requires: its beginning and its end."""
    required = [parameter for parameter in RESOURCES[resource].parameters if parameter.required]
    lower = [parameter for parameter in required if parameter.test is Test.ON_OR_AFTER]
    upper = [parameter for parameter in required if parameter.test is Test.ON_OR_BEFORE]
    return (lower[0], upper[0]) if len(lower) == len(upper) == 1 else None


def _days(start: date, end: date, days: int, most: int) -> Iterator[tuple[str, str]]:
    while (end - start).days + 1 > days:
        most = _one_less(most)
        yield start.isoformat(), (start + timedelta(days=days - 1)).isoformat()
        start += timedelta(days=days)
    yield start.isoformat(), end.isoformat()


def _instants(start: datetime, end: datetime, length: timedelta, most: int) -> Iterator[tuple[str, str]]:
    while end - start > length:
        most = _one_less(most)
        yield start.isoformat(), (start + length).isoformat()
        start += length
    yield start.isoformat(), end.isoformat()


def _one_less(most: int) -> int:
    if most <= 1:
        raise CallError(FaultCode.SOURCE_PAGING_LOOP)
    return most - 1


def _read(parameter: Parameter, value: object, zone: str) -> Moment | None:
    if not isinstance(value, str):
        return None
    if parameter.type is Scalar.DATE:
        return _day(value)
    found = _instant(value)
    return found.replace(tzinfo=ZoneInfo(zone)) if found is not None and found.tzinfo is None else found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
