"""Date-times as instants, days as local days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=65_536)
def instant(text: str) -> datetime:
    """An RFC 3339 date-time with offset as an instant. Raises ValueError on anything else."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a date-time needs an offset")
    return found


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return datetime.combine(day, time.min, zone)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after a local day."""
    return datetime.combine(day + timedelta(days=1), time.min, zone)
