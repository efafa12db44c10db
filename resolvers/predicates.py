"""A filter of the standard as a test on a record.

The query parameters given become clauses. A clause is the smallest part that a source may be asked for on its own:
one parameter, one term of ``nameContains``, or a group of parameters that must hold for one and the same entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sources.standard.model import Scalar, Test

from .contracts import Condition
from .instants import instant

Read = Callable[[str], object]
"""Gives the value of a top-level property."""
Subtrees = Mapping[str, frozenset[str]]
"""Per organisation, itself and all below it."""

_OPEN = frozenset({Test.ON_OR_BEFORE_OR_OPEN, Test.ON_OR_AFTER_OR_OPEN})
_BOUNDS = _OPEN | {Test.ON_OR_BEFORE, Test.ON_OR_AFTER, Test.AFTER}


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a filter: what is asked of a source for it, and how a record is tested.

    ``shown``: the record itself shows whether it holds. ``columns``: the top-level properties that show it.
    """

    conditions: tuple[Condition, ...]
    columns: frozenset[str]
    shown: bool
    accepts_nothing: bool
    rank: int
    """How much the clause narrows a list, roughly: 0 most."""

    @property
    def organisations(self) -> tuple[str, ...]:
        """The organisations whose subtrees the test needs."""
        condition = self.conditions[0]
        return condition.values if condition.parameter.test is Test.SUBTREE else ()

    def holds(self, read: Read, subtrees: Subtrees) -> bool:
        """Whether a record passes. ``read`` gives its properties: the merged ones, or one source's own.

        What records do not show is only asked of a source that is trusted with it, and passes here.
        """
        if not all(condition.values for condition in self.conditions):
            return False
        if not self.shown:
            return True  # decided by the one source that was trusted with it
        test = self.conditions[0].parameter.test
        if test is Test.RELATION:
            return _relation(self.conditions, read)
        if test is Test.IDENTIFIER:
            return _identifier(self.conditions, read)
        return _single(self.conditions[0], read, subtrees)


def clauses(conditions: Sequence[Condition]) -> tuple[Clause, ...]:
    """The clauses of a filter; all of them must hold."""
    found: list[Clause] = []
    groups: dict[Test, list[Condition]] = {}
    for condition in conditions:
        test = condition.parameter.test
        if test in (Test.RELATION, Test.IDENTIFIER):
            groups.setdefault(test, []).append(condition)
        elif test is Test.CONTAINS_ALL and len(condition.values) > 1:
            found += (_clause((Condition(condition.parameter, (term,)),)) for term in condition.values)
        else:
            found.append(_clause((condition,)))
    return tuple(found + [_clause(tuple(group)) for group in groups.values()])


def _clause(conditions: tuple[Condition, ...]) -> Clause:
    first = conditions[0].parameter
    if first.test is Test.RELATION:
        kinds = [value for c in conditions if c.parameter.name == _RELATION_TYPE for value in c.values]
        return Clause(conditions, frozenset({"enrolments"}), kinds == ["enrolment"], False, 1)
    columns = frozenset(column.partition(".")[0] for c in conditions for column in c.parameter.columns)
    if first.test in _BOUNDS:
        rank = 4
    elif first.test is Test.SUBTREE:
        rank = 2
    elif first.test is Test.CONTAINS_ALL:
        rank = 1
    else:
        rank = 0 if isinstance(first.type, Scalar) else 3
    return Clause(conditions, columns, first.test is not Test.UNSHOWN, first.test in _OPEN, rank)


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


def _single(condition: Condition, read: Read, subtrees: Subtrees) -> bool:
    parameter, values = condition.parameter, condition.values
    found = [value for column in parameter.columns for value in leaves(read, column)]
    test = parameter.test
    if test is Test.CONTAINS_ALL:
        names = [str(name).casefold() for name in found]
        return all(any(term.casefold() in name for name in names) for term in values)
    if test is Test.SUBTREE:
        return any(organisation in subtrees[value] for value in values for organisation in found)
    if test in _BOUNDS:
        if not found:
            return test in _OPEN
        return any(_bound(test, parameter.type, value, limit) for value in found for limit in values)
    return any(_text(value) in values for value in found)


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


def _identifier(conditions: tuple[Condition, ...], read: Read) -> bool:
    wanted = [(c.parameter.columns[0].partition(".")[2], c.values) for c in conditions]
    entries = read("externalIdentifiers")
    return isinstance(entries, list) and any(
        isinstance(entry, Mapping) and all(entry.get(name) in values for name, values in wanted) for entry in entries
    )


_RELATION_TYPE = "relationship.entity.type"
RELATED_ORGANISATION = "relationship.organisation"


def _relation(conditions: tuple[Condition, ...], read: Read) -> bool:
    """Whether one enrolment satisfies all parameters; a missing date of it counts as fitting."""
    entries = read("enrolments")
    return isinstance(entries, list) and any(
        isinstance(entry, Mapping) and all(_enrolment(condition, entry) for condition in conditions)
        for entry in entries
    )


def _enrolment(condition: Condition, entry: Mapping[str, object]) -> bool:
    name = condition.parameter.name
    if name == _RELATION_TYPE:
        return True
    if name == RELATED_ORGANISATION:
        return any(value in condition.values for value in _descend(entry.get("enroledAt"), ""))
    _, column, bound = name.split(".")
    date = entry.get(column)
    if date is None:
        return True
    test = Test.ON_OR_BEFORE if bound == "onOrBefore" else Test.ON_OR_AFTER
    return any(_bound(test, Scalar.DATE, date, limit) for limit in condition.values)
