"""When placed children are to come and go, by their placements' schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ..contracts import EntityId, Period, Selector, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..relations import INVERSES
from ..rotation import Stay, schedule
from ..rotation import stays as turning
from .inverse import inverse

PLACEMENT = ("startDate", "endDate")
"""The columns of a placement that must be in hand."""
_SCHEDULE = ("startDate", "endDate", "temporary", "state", "numberOfWeeks", "scheduleEntries")


def stays(operation: Operation, placements: Sequence[EntityId], first: date, last: date) -> Step[list[list[Stay]]]:
    """Per placement, the stays that begin on a local day from ``first`` to ``last``, in the order of their starts."""
    relation = INVERSES["Placement", "attendanceSchedules"]
    covering = Selector(during=Period(first, last))
    found = yield from inverse(operation, relation, placements, covering, Want(frozenset(_SCHEDULE)))
    rules = operation.federation.rules["Placement"]
    zone = operation.federation.timezone
    answers = []
    for placement, records in zip(placements, found, strict=True):
        of = Entity(operation, rules, placement)
        start, end = (None if (day := of.value(column)) is None else str(day) for column in PLACEMENT)
        schedules = [schedule(each.id, {column: each.value(column) for column in _SCHEDULE}) for each in records]
        answers.append(turning(schedules, start, end, first, last, zone))
    return answers
