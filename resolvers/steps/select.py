"""Filter, period, order and bound over completed records of one nested list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sources.standard.model import Resource

from ..completeness import Gaps
from ..contracts import Condition, EntityId, Period, Selector, Step, Want
from ..dated import Dated, dated, within
from ..entity import Entity
from ..errors import Code, Refused
from ..operation import Operation
from ..order import rank, sort_columns, sort_value
from ..predicates import Clause, clauses
from .complete import complete
from .tree import subtrees


def needed(resource: Resource, selector: Selector) -> frozenset[str]:
    """The columns that a selector reads."""
    columns = {column for clause in clauses(selector.conditions) for column in clause.columns}
    columns.update(column for key in selector.order for column in sort_columns(resource, key))
    how = dated(resource) if selector.during else None
    if how is not None:
        columns.update(column for column in (how.start, how.end, how.by) if column)
    return frozenset(columns)


def refuse_unshown(resource: Resource, conditions: Sequence[Condition]) -> None:
    """Refuse a filter that a nested list cannot test. Raises Refused."""
    for clause in clauses(conditions):
        if not clause.shown:
            raise unanswerable(resource, clause)


def unanswerable(resource: Resource, clause: Clause) -> Refused:
    names = ", ".join(condition.parameter.name for condition in clause.conditions)
    return Refused(
        Code.FILTER_NOT_ANSWERABLE,
        f"The filter {names} of {resource.plural} cannot be answered here: the records do not show it, and it is only "
        "passed on where a single source serves the resource and honours its filters.",
    )


def require_period(period: Period | None, field: str) -> None:
    """Refuse an open period where records can only be asked for a closed one. Raises Refused."""
    if period is None or period.start is None or period.end is None:
        raise Refused(Code.INVALID_DATE, f"{field} needs a period with both ends: during: {{from: ..., to: ...}}.")


def prepare(
    operation: Operation, resource: Resource, ids: Sequence[EntityId], selector: Selector, gaps: Gaps | None = None
) -> Step[None]:
    """Fetch what testing the records takes beside their own columns: the organisation tree, the lessons' times."""
    organisations = [each for clause in clauses(selector.conditions) for each in clause.organisations]
    if organisations:
        yield from subtrees(operation, organisations, gaps)
    how = dated(resource)
    if selector.during is not None and how is not None and how.by is not None:
        yield from lessons(operation, resource, ids, how, gaps)


def lessons(
    operation: Operation, resource: Resource, ids: Sequence[EntityId], how: Dated, gaps: Gaps | None = None
) -> Step[None]:
    """Fetch the records that say when these happened (an attendance's event)."""
    rules = operation.federation.rules[resource.name]
    by = [_by(Entity(operation, rules, each), how) for each in ids]
    yield from complete(
        operation,
        "CalendarEvent",
        [event for event in by if event is not None],
        Want(frozenset({"startTime"})),
        gaps,
    )


def _by(entity: Entity, how: Dated) -> EntityId | None:
    reference = entity.value(how.by) if how.by else None
    return EntityId(str(reference["id"])) if isinstance(reference, dict) else None


def in_period(operation: Operation, entity: Entity, period: Period | None) -> bool:
    """Whether a record holds, or happens, in the period; undated records always do."""
    how = dated(entity.resource)
    if period is None or how is None:
        return True
    read: Callable[[str], object] = entity.value
    if how.by is not None:
        event_id = _by(entity, how)
        event = Entity(operation, operation.federation.rules["CalendarEvent"], event_id) if event_id else None
        start = event.value("startTime") if event is not None else None
        if start is not None:
            how, read = Dated("startTime", None, days=False), {"startTime": start}.get
    return within(how, read, period, operation.federation.timezone)


def holds(operation: Operation, entity: Entity, tests: Sequence[Clause]) -> bool:
    return all(clause.holds(entity.value, operation.subtrees) for clause in tests)


def select(operation: Operation, entities: Sequence[Entity], selector: Selector) -> list[Entity]:
    """The records of a nested list: those that pass, in order (by id where none is asked for), at most ``first``."""
    tests = clauses(selector.conditions)
    found = [
        entity
        for entity in entities
        if holds(operation, entity, tests) and in_period(operation, entity, selector.during)
    ]
    keys = selector.order
    found.sort(key=lambda entity: rank([sort_value(entity, key) for key in keys], keys, entity.id))
    return found if selector.first is None else found[: selector.first]
