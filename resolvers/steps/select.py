"""Filter, period, order and bound over completed records of one nested list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from sources.standard.model import Reference, Resource, Test

from ..completeness import Gaps
from ..contracts import EntityId, Period, Selector, Step, Want
from ..dated import Dated, dated, within
from ..entity import Entity
from ..errors import Code, Refused
from ..filters import REACH, SOURCES
from ..operation import Operation
from ..order import sort_columns, sort_value
from ..predicates import Clause, clauses, leaves
from ..ranks import rank
from .complete import complete


def needed(resource: Resource, selector: Selector) -> frozenset[str]:
    """The columns that a selector reads."""
    columns = {column for clause in clauses(selector.conditions) for column in clause.columns}
    columns.update(column.partition(".")[0].partition("/")[0] for column in _reached(resource, selector))
    columns.update(column for key in selector.order for column in sort_columns(resource, key))
    how = dated(resource) if selector.during else None
    if how is not None:
        columns.update(column for column in (how.start, how.end, how.by) if column)
    return frozenset(columns - {"id"})


def _reached(resource: Resource, selector: Selector) -> list[str]:
    """The columns by which the record meets those that decide."""
    names = [condition.parameter.name for condition in selector.conditions]
    return [column for name in names for column in REACH.get((resource.name, name), ())]


def require_period(period: Period | None, field: str) -> None:
    """Refuse an open period where records can only be asked for a closed one. Raises Refused."""
    if period is None or period.start is None or period.end is None:
        raise Refused(Code.INVALID_DATE, f"{field} needs a period with both ends: during: {{from: ..., to: ...}}.")


def prepare(
    operation: Operation, resource: Resource, ids: Sequence[EntityId], selector: Selector, gaps: Gaps | None = None
) -> Step[None]:
    """Fetch what testing the records takes beside their own columns: the lessons' times, and whether sources have them.

    What is the same for all records, ``joined.resolve`` has seen to.
    """
    how = dated(resource)
    timed = selector.during is not None or any(c.parameter.test is Test.ACTIVE_ON for c in selector.conditions)
    if timed and how is not None and how.by is not None:
        yield from lessons(operation, resource, ids, how, gaps)
    for column in _reached(resource, selector):
        if "/" in column:
            yield from _references(operation, resource, ids, column, gaps)
    sources = {value for c in selector.conditions if c.parameter.test in SOURCES for value in c.values}
    if sources:
        yield from complete(operation, resource.name, ids, Want(), gaps, also=sources)


def _references(
    operation: Operation, resource: Resource, ids: Sequence[EntityId], column: str, gaps: Gaps | None
) -> Step[None]:
    """Fetch the records that a column of these refers to, for another column of theirs."""
    head, _, rest = column.partition("/")
    rules = operation.federation.rules[resource.name]
    found = {str(each) for one in ids for each in leaves(Entity(operation, rules, one).value, head)}
    yield from complete(
        operation, _target(resource, head), [EntityId(each) for each in sorted(found)], Want(frozenset({rest})), gaps
    )


def _target(resource: Resource, column: str) -> str:
    kind = resource.columns[column].type
    assert isinstance(kind, Reference)
    return kind.target


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
    """Whether a record passes all clauses; these are resolved, and the record is prepared for them."""
    return all(_holds(operation, entity, clause) for clause in tests)


def _holds(operation: Operation, entity: Entity, clause: Clause) -> bool:
    values = clause.conditions[0].values
    if clause.test is Test.ACTIVE_ON:
        return any(in_period(operation, entity, Period(day, day)) for day in map(date.fromisoformat, values))
    if clause.test in SOURCES:
        name = entity.resource.name
        if not {*values} <= {*entity.applied.servers}:
            return False  # outside its scope a source is not asked, so that a record is neither in it nor absent
        rows = [operation.rows(source, name) for source in values]
        # A source that did not answer does not say that it has none. What cannot be asked for by id, its list shows.
        if entity.resource.get:
            known = all(entity.id in each for each in rows)
        else:
            known = not any((source, name) in operation.lost for source in values)
        wanted = clause.test is Test.PRESENT_IN
        return bool(values) and known and all((each.get(entity.id) is not None) is wanted for each in rows)
    return clause.holds(_reading(operation, entity), operation.subtrees)


def _reading(operation: Operation, entity: Entity) -> Callable[[str], object]:
    """How a clause reads a merged record: its columns, ``id``, and columns of the record that a reference leads to."""

    def read(column: str) -> object:
        if column == "id":
            return entity.id
        head, _, rest = column.partition("/")
        if not rest:
            return entity.value(column)
        rules = operation.federation.rules[_target(entity.resource, head)]
        return [Entity(operation, rules, EntityId(str(each))).value(rest) for each in leaves(entity.value, head)]

    return read


def select(
    operation: Operation, entities: Sequence[Entity], selector: Selector, tests: Sequence[Clause]
) -> list[Entity]:
    """The records of a nested list: those that pass, in order (by id where none is asked for), at most ``first``."""
    found = [
        entity
        for entity in entities
        if holds(operation, entity, tests) and in_period(operation, entity, selector.during)
    ]
    keys = selector.order
    found.sort(key=lambda entity: rank([sort_value(entity, key) for key in keys], keys, entity.id))
    return found if selector.first is None else found[: selector.first]
