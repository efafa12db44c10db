"""A filter of the standard as a test on a record.

The query parameters given become clauses. A clause is the smallest part that a source may be asked for on its own:
one parameter, one term of ``nameContains``, or a group of parameters that must hold for one and the same entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sources.standard import RESOURCES
from sources.standard.model import Scalar, Test

from .contracts import Condition
from .instants import instant

Read = Callable[[str], object]
"""Gives the value of a top-level property; ``id`` and what is reached through a reference (``calendarEvent/activity``)
only where a clause names records."""
Subtrees = Mapping[str, frozenset[str]]
"""Per organisation, itself and all below it."""

_OPEN = frozenset({Test.ON_OR_BEFORE_OR_OPEN, Test.ON_OR_AFTER_OR_OPEN})
_BOUNDS = _OPEN | {Test.ON_OR_BEFORE, Test.ON_OR_AFTER, Test.AFTER}
_GROUPED = frozenset({Test.RELATION, Test.IDENTIFIER, Test.ENROLMENT, Test.MEMBER_OF})
"""Parameters with these tests must hold for one and the same entry."""
RELATION_TYPE = "relationship.entity.type"
RELATION_ORGANISATION = "relationship.organisation"


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a filter: what is asked of a source for it, and how a record is tested.

    ``columns``: the top-level properties that show it. ``shown``: the record itself can show that it holds. ``joined``:
    other records can, which takes a step (``steps.joined``); what it found stands in ``named``.
    """

    conditions: tuple[Condition, ...]
    columns: frozenset[str]
    shown: bool
    joined: bool
    accepts_nothing: bool
    rank: int
    """How much the clause narrows a list, roughly: 0 most."""
    pushes: tuple[Condition, ...] = ()
    """What sources may be asked for: every record that passes has a column that fits these."""
    named: tuple[tuple[str, frozenset[str]], ...] = ()
    """A record whose column (``id``: the record itself) names one of these passes too."""
    trusted: bool = False
    """Decided by the one source that serves everything concerned, and declares that it does it exactly."""

    @property
    def test(self) -> Test:
        return self.conditions[0].parameter.test

    @property
    def organisations(self) -> tuple[str, ...]:
        """The organisations whose subtrees the test needs."""
        return tuple(value for condition in self.conditions if condition.subtree for value in condition.values)

    @property
    def impossible(self) -> bool:
        """Whether no record at all can pass."""
        return not (self.shown or self.trusted or any(ids for _, ids in self.named))

    def holds(self, read: Read, subtrees: Subtrees) -> bool:
        """Whether a record passes. ``read`` gives its properties: the merged ones, or one source's own."""
        if not all(condition.values for condition in self.conditions):
            return False
        if self.trusted or (self.shown and self._shows(read, subtrees)):
            return True
        return any(each in ids for column, ids in self.named for each in leaves(read, column))

    def _shows(self, read: Read, subtrees: Subtrees) -> bool:
        test = self.test
        if test is Test.RELATION:
            return any(related(self.conditions, entry, subtrees) for entry in entries(read, "enrolments"))
        if test is Test.ENROLMENT:
            return any(_enrolled(self.conditions, entry, subtrees) for entry in entries(read, "enrolments"))
        if test is Test.IDENTIFIER:
            return any(_identified(self.conditions, entry) for entry in entries(read, "externalIdentifiers"))
        return _single(self.conditions[0], read, subtrees)


def clauses(conditions: Sequence[Condition]) -> tuple[Clause, ...]:
    """The clauses of a filter; all of them must hold."""
    found: list[Clause] = []
    groups: dict[Test, list[Condition]] = {}
    for condition in conditions:
        test = condition.parameter.test
        if test in _GROUPED:
            groups.setdefault(test, []).append(condition)
        elif test is Test.CONTAINS_ALL and len(condition.values) > 1:
            found += (clause_of(Condition(condition.parameter, (term,))) for term in condition.values)
        else:
            found.append(clause_of(condition))
    return tuple(found + [clause_of(*group) for group in groups.values()])


def clause_of(*conditions: Condition) -> Clause:
    """One clause: of one condition, or of several that must hold for the same entry."""
    test = conditions[0].parameter.test
    if test is Test.RELATION:
        kind = relation_kind(conditions)
        shown, joined = kind in (None, "enrolment"), kind != "enrolment"
        columns = frozenset({"enrolments"}) if shown else frozenset()
        return Clause(conditions, columns, shown, joined, False, 1, () if joined else conditions)
    columns = frozenset(column.partition(".")[0] for c in conditions for column in c.parameter.columns)
    joined = test in (Test.UNSHOWN, Test.MEMBER_OF)
    if test in _BOUNDS:
        rank = 4
    elif conditions[0].subtree or test is Test.SUBTREE:
        rank = 2
    elif test is Test.CONTAINS_ALL:
        rank = 1
    else:
        rank = 0 if isinstance(conditions[0].parameter.type, Scalar) else 3
    pushes = () if joined else tuple(_as_relation(conditions)) if test is Test.ENROLMENT else conditions
    return Clause(conditions, columns, not joined, joined, test in _OPEN, rank, pushes)


def _as_relation(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """The standard's parameters that say of an enrolment what the gateway's own filter says, or less."""
    person = RESOURCES["Person"].parameter
    yield Condition(person[RELATION_TYPE], ("enrolment",))
    for condition in conditions:
        if condition.parameter.name == "enrolment.enroledAt":
            yield replace(condition, parameter=person[RELATION_ORGANISATION])
        elif condition.parameter.name == "enrolment.on":
            yield replace(condition, parameter=person["relationship.startDate.onOrBefore"])
            yield replace(condition, parameter=person["relationship.endDate.onOrAfter"])


def relation_kind(conditions: Sequence[Condition]) -> str | None:
    """The kind of relation that ``relationship.*`` is about; None for any."""
    return next((value for c in conditions if c.parameter.name == RELATION_TYPE for value in c.values), None)


def leaves(read: Read, path: str) -> Iterator[object]:
    """The values at a column path, through objects and lists; a reference gives its id."""
    head, _, rest = path.partition(".")
    yield from _descend(read(head), rest)


def _descend(value: object, rest: str) -> Iterator[object]:
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _descend(item, rest)
    elif rest:
        if isinstance(value, Mapping):
            head, _, tail = rest.partition(".")
            yield from _descend(value.get(head), tail)
    elif isinstance(value, Mapping):
        if value.get("id") is not None:
            yield value["id"]
    else:
        yield value


def entries(read: Read, column: str) -> list[Mapping[str, object]]:
    """The objects in a list."""
    value = read(column)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _single(condition: Condition, read: Read, subtrees: Subtrees) -> bool:
    parameter, values = condition.parameter, condition.values
    found = [value for column in parameter.columns for value in leaves(read, column)]
    test = parameter.test
    if test is Test.CONTAINS_ALL:
        names = [str(name).casefold() for name in found]
        return all(any(term.casefold() in name for name in names) for term in values)
    if test in _BOUNDS:
        if not found:
            return test in _OPEN
        return any(_bound(test, parameter.type, value, limit) for value in found for limit in values)
    return any(_among(value, condition, subtrees) for value in found)


def _among(value: object, condition: Condition, subtrees: Subtrees) -> bool:
    if condition.subtree:
        return any(value in subtrees[above] for above in condition.values)
    return _text(value) in condition.values


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bound(test: Test, kind: object, value: object, limit: str) -> bool:
    if kind is Scalar.DATE_TIME:
        left, right = instant(str(value)), instant(limit)
        if test is Test.AFTER:
            return left > right
        return left <= right if test in (Test.ON_OR_BEFORE, Test.ON_OR_BEFORE_OR_OPEN) else left >= right
    if test is Test.AFTER:
        return str(value) > limit
    return str(value) <= limit if test in (Test.ON_OR_BEFORE, Test.ON_OR_BEFORE_OR_OPEN) else str(value) >= limit


def _identified(conditions: Sequence[Condition], entry: Mapping[str, object]) -> bool:
    return all(entry.get(c.parameter.columns[0].partition(".")[2]) in c.values for c in conditions)


def _enrolled(conditions: Sequence[Condition], entry: Mapping[str, object], subtrees: Subtrees) -> bool:
    for condition in conditions:
        _, _, name = condition.parameter.columns[0].partition(".")
        if name:
            if not any(_among(value, condition, subtrees) for value in leaves(entry.get, name)):
                return False
        elif not any(holds_on(entry.get, day) for day in condition.values):
            return False
    return True


def holds_on(read: Read, day: str) -> bool:
    """Whether what has a startDate and an endDate, both inclusive, holds on a day; without one it is open there."""
    start, end = read("startDate"), read("endDate")
    return (start is None or str(start) <= day) and (end is None or str(end) >= day)


def related(conditions: Sequence[Condition], relation: Mapping[str, object], subtrees: Subtrees) -> bool:
    """Whether one enrolment satisfies all relationship parameters; a missing date of it counts as fitting."""
    for condition in conditions:
        name = condition.parameter.name
        if name == RELATION_ORGANISATION:
            if not any(_among(value, condition, subtrees) for value in leaves(relation.get, "enroledAt")):
                return False
        elif name != RELATION_TYPE and not timely(condition, relation.get):
            return False
    return True


def timely(condition: Condition, read: Read) -> bool:
    """Whether a relation with startDate and endDate fits one of the relationship parameters about them."""
    _, column, bound = condition.parameter.name.split(".")
    date = read(column)
    if date is None:
        return True
    test = Test.ON_OR_BEFORE if bound == "onOrBefore" else Test.ON_OR_AFTER
    return any(_bound(test, Scalar.DATE, date, limit) for limit in condition.values)
