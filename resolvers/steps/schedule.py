"""Calendar events through activities: what a duty teaches, what a group has."""

from __future__ import annotations

from collections.abc import Sequence

from ..contracts import EVERYTHING, EntityId, Selector, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..predicates import clauses
from ..relations import INVERSES
from .inverse import inverse, inverse_entries
from .joined import refuse, resolve
from .permitted import permitted
from .select import needed, prepare, select


def events(
    operation: Operation, target: str, parents: Sequence[EntityId], selector: Selector, want: Want
) -> Step[list[list[Entity]]]:
    """Per duty or group (``target``), the events of its activities in the period.

    As the standard's filters ``teacher`` and ``group`` do, dates of assignments are not regarded, and a duty's events
    include those with an exception for it, also one that says it does not take part.
    """
    rules = operation.federation.rules["CalendarEvent"]
    if not rules.servers:
        operation.not_served[rules.resource.name] = None
        return [[] for _ in parents]
    refuse(operation, rules, clauses(selector.conditions))
    selector = yield from permitted(operation, selector)
    tests = yield from resolve(operation, rules, clauses(selector.conditions))
    every = Selector(during=selector.during)
    activities = yield from inverse(operation, INVERSES[target, "activities"], parents, EVERYTHING, Want())
    ids = list(dict.fromkeys(activity.id for found in activities for activity in found))
    own = want.also(*needed(rules.resource, selector))
    by_activity = yield from inverse(operation, INVERSES["Activity", "calendarEvents"], ids, every, own)
    of = dict(zip(ids, by_activity, strict=True))
    exceptions: Sequence[Sequence[Entity]] = [() for _ in parents]
    if target == "Duty":
        entries = yield from inverse_entries(
            operation, INVERSES[target, "teacherExceptions"], parents, Selector(during=selector.during), own
        )
        exceptions = [[entry.owner for entry in found] for found in entries]
    found_ids = [event.id for events in (*by_activity, *exceptions) for event in events]
    yield from prepare(operation, rules.resource, found_ids, selector)
    answers = []
    for found, extra in zip(activities, exceptions, strict=True):
        unique = {event.id: event for activity in found for event in of[activity.id]}
        unique.update((event.id, event) for event in extra)
        answers.append(select(operation, list(unique.values()), selector, tests))
    return answers
