"""The arguments ``from`` and ``to`` of fields that are worked out day by day."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import date
from typing import Any

from resolvers.contracts import Limits
from resolvers.errors import Code, Refused

from .scalars import Date

FROM_AND_TO: dict[str, tuple[str, Any, str, object]] = {
    "from_": ("from", Date, "The first local day.", inspect.Parameter.empty),
    "to": ("to", Date, "The last local day, inclusive.", inspect.Parameter.empty),
}


def days(given: Mapping[str, object], limits: Limits) -> tuple[date, date]:
    """The first and the last day. Raises Refused with INVALID_DATE if they run backwards or are too far apart."""
    first, last = date.fromisoformat(str(given["from_"])), date.fromisoformat(str(given["to"]))
    if first > last:
        raise Refused(Code.INVALID_DATE, "The period ends before it begins.")
    if (last - first).days >= limits.max_schedule_days:
        raise Refused(
            Code.INVALID_DATE, f"The period has more than {limits.max_schedule_days} days (limits.max_schedule_days)."
        )
    if first == date.min or last == date.max:
        raise Refused(Code.INVALID_DATE, "The period lies outside of the calendar.")
    return first, last
