"""Where the candidates of a filtered list come from: a superset of the answer, by the push-down law.

Each clause of a filter has its own candidates: the union over every source that speaks for its columns. The answer lies
in the intersection of these sets, so one clause's candidates suffice. Clauses go together in one call only where one
source is the sole speaker for all their columns. Records that a clause accepts for want of a value can stand at
population sources that do not speak for the column; those are read without the clause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sources.requests import Query
from sources.standard.model import Test

from ..authority import Rules
from ..belonging import excludes
from ..contracts import Condition, Lookup
from ..errors import Code, Refused
from ..operation import Operation
from ..predicates import Clause
from .select import unanswerable

CIVIC_NO = "civicNo"


@dataclass(frozen=True, slots=True)
class Stream:
    """One source's list call (or lookup) that gives candidates, with the clauses that were pushed into it."""

    source: str
    query: Query
    pushed: tuple[Clause, ...]
    lookup: Lookup | None = None


def streams(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> list[Stream]:
    """The list calls whose records contain every record that passes ``clauses``; in authority order."""
    if not all(clause.shown for clause in clauses):
        return [_trusted(operation, rules, clauses)]
    civic = next((clause for clause in clauses if _is_civic_no(clause)), None)
    if civic is not None:
        return _by_civic_no(operation, rules, civic)
    pushed = _to_push(operation, rules, clauses)
    if not pushed:
        return [Stream(source, Query(), ()) for source in _having(operation, rules, clauses)]
    required = any(_is_window(clause) for clause in pushed)
    spared = {source for source in rules.scopes for clause in pushed if _excludes(operation, rules, source, clause)}
    speakers = _speakers(rules, pushed)
    open_ended = any(clause.accepts_nothing for clause in pushed)
    found: list[Stream] = []
    for source in rules.servers:
        if source in spared:
            continue
        if source in speakers and (required or not _ignores(operation, rules, source)):
            found += (Stream(source, query, pushed) for query in _queries(operation, rules, source, pushed))
        elif source in speakers or (open_ended and source in rules.population):
            found.append(Stream(source, Query(), ()))
    return found


def _having(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> Sequence[str]:
    """The sources whose whole lists contain every record that passes: not those that a clause leaves out."""
    for clause in clauses:
        spared = {source for source in rules.scopes if _excludes(operation, rules, source, clause)}
        if spared:
            speakers = _speakers(rules, [clause]) - spared
            return [source for source in rules.servers if source in speakers]
    return rules.population


def _is_civic_no(clause: Clause) -> bool:
    return clause.conditions[0].parameter.name == CIVIC_NO


def _by_civic_no(operation: Operation, rules: Rules, clause: Clause) -> list[Stream]:
    """A civicNo never goes into a URL: it is looked up, or the whole list is read."""
    found = []
    for source in rules.speaker_names("civicNo"):
        keys = operation.federation.sources[source].capabilities.lookup_keys(rules.resource.name)
        lookup = Lookup("civicNos", clause.conditions[0].values) if "civicNos" in keys else None
        found.append(Stream(source, Query(), (), lookup))
    return found


def refuse_unanswerable(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> None:
    """Refuse what records do not show, unless a single server of the resource can be trusted with it."""
    for clause in clauses:
        if not clause.shown and (len(rules.servers) != 1 or _ignores(operation, rules, rules.servers[0])):
            raise unanswerable(rules.resource, clause)


def _trusted(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> Stream:
    """The call of the only server, trusted with what its records do not show."""
    source = rules.servers[0]
    pushed = tuple(clause for clause in clauses if not clause.organisations and not _is_civic_no(clause))
    return Stream(source, _query(operation, rules, source, _conditions(pushed)), pushed)


def _is_window(clause: Clause) -> bool:
    return clause.conditions[0].parameter.required


def _ignores(operation: Operation, rules: Rules, source: str) -> bool:
    return rules.resource.name in operation.federation.sources[source].capabilities.filters_ignored


def _speakers(rules: Rules, clauses: Sequence[Clause]) -> set[str]:
    return {source for clause in clauses for column in clause.columns for source in rules.speaker_names(column)}


def _to_push(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    """The clauses that go to the sources: what the standard requires, or else the one that narrows most.

    The others join them where one source is the sole speaker for all.
    """
    pushable = [clause for clause in clauses if _pushable(operation, clause)]
    base = [clause for clause in pushable if _is_window(clause)]
    if not base:
        base = sorted(pushable, key=lambda clause: (*_asks(operation, rules, clause), clause.rank))[:1]
    speakers = _speakers(rules, base)
    if len(speakers) != 1:
        return tuple(base)
    elsewhere = bool(set(rules.population) - speakers)
    joining = [
        clause
        for clause in pushable
        if clause not in base and _speakers(rules, [clause]) == speakers and not (clause.accepts_nothing and elsewhere)
    ]
    return tuple(base + joining)


def _asks(operation: Operation, rules: Rules, clause: Clause) -> tuple[bool, bool]:
    """Whether a clause asks every source, or all that others have: it is better to begin with one that does not."""
    spares = any(_excludes(operation, rules, source, clause) for source in rules.scopes)
    return not spares, clause.accepts_nothing


def _excludes(operation: Operation, rules: Rules, source: str, clause: Clause) -> bool:
    return excludes(rules, source, clause, operation.subtrees)


def _pushable(operation: Operation, clause: Clause) -> bool:
    organisations = {below for each in clause.organisations for below in operation.subtrees[each]}
    return len(organisations) <= operation.federation.limits.max_filter_calls


def _conditions(clauses: Sequence[Clause]) -> list[Condition]:
    return [condition for clause in clauses for condition in clause.conditions]


def _queries(operation: Operation, rules: Rules, source: str, clauses: Sequence[Clause]) -> list[Query]:
    """The calls for some clauses: one, or one per organisation of a subtree, or one per value that cannot be listed."""
    variants: list[list[Condition]] = [[]]
    for condition in _conditions(clauses):
        values: Sequence[str] = condition.values
        if condition.parameter.test is Test.SUBTREE:
            values = sorted({below for each in values for below in operation.subtrees[each]})
        if condition.parameter.many or len(values) == 1:
            options = [Condition(condition.parameter, tuple(values))]
        else:
            options = [Condition(condition.parameter, (value,)) for value in values]
        variants = [[*variant, option] for variant in variants for option in options]
    if len(variants) > operation.federation.limits.max_filter_calls:
        raise Refused(Code.FILTER_NOT_ANSWERABLE, f"The filter of {rules.resource.plural} would take too many calls.")
    return [_query(operation, rules, source, variant) for variant in variants]


def _query(operation: Operation, rules: Rules, source: str, conditions: Sequence[Condition]) -> Query:
    parameters: dict[str, tuple[str, ...]] = {}
    for condition in conditions:
        name = condition.parameter.name
        parameters[name] = (*parameters.get(name, ()), *condition.values)
    return Query.of(parameters)


def would_give(stream: Stream, record: Mapping[str, object], operation: Operation) -> bool:
    """Whether the stream gives a record, judged by its source's own version of it."""
    return all(clause.holds(record.get, operation.subtrees) for clause in stream.pushed)
