"""Calendar events through activities: what a duty teaches, what a group has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..contracts import EVERYTHING, EntityId, Selector, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..relations import INVERSES
from .inverse import inverse, inverse_entries
from .select import select


def events(
    operation: Operation, target: str, parents: Sequence[EntityId], selector: Selector, want: Want
) -> Step[list[list[Entity]]]:
    """Per duty or group (``target``), the events of its activities in the period.

    As the standard's filters ``teacher`` and ``group`` do, dates of assignments are not regarded, and a duty's events
    include those with an exception for it, also one that says it does not take part.
    """
    every = replace(selector, first=None, order=())
    activities = yield from inverse(operation, INVERSES[target, "activities"], parents, EVERYTHING, Want())
    ids = list(dict.fromkeys(activity.id for found in activities for activity in found))
    own = want.also(*(key.column.partition(".")[0] for key in selector.order))
    by_activity = yield from inverse(operation, INVERSES["Activity", "calendarEvents"], ids, every, own)
    of = dict(zip(ids, by_activity, strict=True))
    exceptions: Sequence[Sequence[Entity]] = [() for _ in parents]
    if target == "Duty":
        entries = yield from inverse_entries(
            operation, INVERSES[target, "teacherExceptions"], parents, Selector(during=selector.during), own
        )
        exceptions = [[entry.owner for entry in found] for found in entries]
    answers = []
    for found, extra in zip(activities, exceptions, strict=True):
        unique = {event.id: event for activity in found for event in of[activity.id]}
        unique.update((event.id, event) for event in extra)
        answers.append(select(operation, list(unique.values()), selector))
    return answers
