"""Where the candidates of a filtered list come from: a superset of the answer, by the push-down law.

Each clause of a filter has its own candidates: the union over every source that speaks for its columns. The answer lies
in the intersection of these sets, so one clause's candidates suffice. Clauses go together in one call only where one
source is the sole speaker for all their columns. Records that a clause accepts for want of a value can stand at
population sources that do not speak for the column; those are read without the clause. A source is asked only for what
its profile says it can be relied on for (exact or superset), so leaving a condition out is always safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import prod

from sources.capabilities import Filter
from sources.records import Row
from sources.requests import Query
from sources.standard.model import Test

from ..authority import Rules
from ..belonging import excludes
from ..choose import ARRAY_CHUNK
from ..completeness import Gaps
from ..contracts import Condition, EntityId, Fetch, List, Lookup, Step
from ..errors import Code, Refused
from ..instants import instant
from ..operation import Operation
from ..predicates import RELATION_ORGANISATION, Clause, clause_of

CIVIC_NO = "civicNo"


@dataclass(frozen=True, slots=True)
class Stream:
    """One source's list call (or lookup) that gives candidates, with the clauses that were pushed into it.

    ``exact``: the source's own version of a record tells whether the stream gives it. ``ids``: the candidates are known
    already, and nothing is asked.
    """

    source: str
    query: Query
    pushed: tuple[Clause, ...]
    lookup: Lookup | None = None
    exact: bool = True
    ids: tuple[EntityId, ...] | None = None


def streams(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> list[Stream]:
    """The list calls whose records contain every record that passes ``clauses``; in authority order."""
    named = [_named(clause) for clause in clauses]
    known = [ids for ids in named if ids is not None]
    if known and rules.population:
        ids = tuple(sorted(EntityId(each) for each in frozenset.intersection(*known)))
        return [Stream(rules.population[0], Query(), (), ids=ids)]
    civic = next((clause for clause in clauses if _is_civic_no(clause)), None)
    if civic is not None and not any(clause.trusted for clause in clauses):
        return _by_civic_no(operation, rules, civic)
    pushed = _to_push(operation, rules, clauses)
    if not pushed:
        return [Stream(source, Query(), ()) for source in _having(operation, rules, clauses)]
    spared = {source for source in rules.scopes for clause in pushed if _excludes(operation, rules, source, clause)}
    speakers = speakers_of(rules, pushed)
    silent = {source for clause in pushed for source in _silent(rules, clause)}
    found: list[Stream] = []
    for source in rules.servers:
        if source in spared:
            continue
        if source in silent:
            found.append(Stream(source, Query(), ()))
        elif source in speakers:
            found += _calls(operation, rules, source, pushed)
    return found


def _having(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> Sequence[str]:
    """The sources whose whole lists contain every record that passes: not those that a clause leaves out."""
    for clause in clauses:
        spared = {source for source in rules.scopes if _excludes(operation, rules, source, clause)}
        if spared:
            speakers = speakers_of(rules, [clause]) - spared
            return [source for source in rules.servers if source in speakers]
    return rules.population


def _excludes(operation: Operation, rules: Rules, source: str, clause: Clause) -> bool:
    return excludes(rules, source, clause, operation.subtrees, operation.extents)


def candidates(
    operation: Operation, resource: str, calls: Sequence[Stream], gaps: Gaps | None
) -> Step[dict[EntityId, None]]:
    """All that the streams give, each once. Raises Refused where that is more than ``limits.max_candidates``."""
    found: dict[EntityId, None] = {}
    fetches = []
    for stream in calls:
        if stream.ids is not None:
            found.update(dict.fromkeys(stream.ids))
        elif stream.lookup is None and operation.walked(stream.source, resource):
            found.update(dict.fromkeys(operation.rows(stream.source, resource)))
        else:
            fetches.append(Fetch(stream.source, resource, stream.lookup or List(stream.query)))
    answers = (yield fetches) if fetches else ()
    for ids in operation.absorb_all(fetches, answers, gaps):
        found.update(dict.fromkeys(ids))
    limit = operation.federation.limits.max_candidates
    if len(found) > limit:
        raise Refused(
            Code.TOO_MANY_CANDIDATES,
            f"The answer takes a look at more than {limit} {operation.federation.rules[resource].resource.plural} "
            "(limits.max_candidates); narrow the filter, or leave out orderBy.",
        )
    return found


def would_give(stream: Stream, row: Row, operation: Operation) -> bool:
    """Whether an exact stream gives a record, judged by its source's own version of it."""
    return all(clause.holds(row.value, operation.subtrees) for clause in stream.pushed)


def _named(clause: Clause) -> frozenset[str] | None:
    """The ids of the only records that a clause lets pass, where they are known."""
    if clause.shown or [column for column, _ in clause.named] != ["id"]:
        return None
    return clause.named[0][1]


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


def speakers_of(rules: Rules, clauses: Sequence[Clause]) -> set[str]:
    found = {source for clause in clauses for column in clause.columns for source in rules.speaker_names(column)}
    return found | {source for clause in clauses if clause.trusted for source in rules.servers}


def _silent(rules: Rules, clause: Clause) -> set[str]:
    """The population sources that do not speak for all that a clause reads of every record, where that matters.

    A record that such a source alone has may pass for want of a value, whatever the source's own value is.
    """
    if not clause.accepts_nothing:
        return set()
    return {
        source
        for source in rules.population
        if any(source not in rules.always_speaking(column) for column in clause.columns)
    }


def _is_window(clause: Clause) -> bool:
    return clause.conditions[0].parameter.required


def _to_push(operation: Operation, rules: Rules, clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    """The clauses that go to the sources: what the standard requires, or else the one that narrows most.

    The others join them where one source is the sole speaker for all.
    """
    pushable = [clause for clause in clauses if _relying(operation, rules, clause)]
    base = [clause for clause in clauses if _is_window(clause)]
    if not base:
        base = sorted(pushable, key=lambda clause: _cost(operation, rules, clause))[:1]
    speakers = speakers_of(rules, base)
    if len(speakers) != 1:
        return tuple(base)
    pushed = list(base)
    for clause in pushable:
        alone = speakers_of(rules, [clause]) == speakers and not _silent(rules, clause)
        if alone and clause not in base and not any(_same(clause, other) for other in pushed):
            pushed.append(clause)
    return tuple(pushed)


def _same(one: Clause, other: Clause) -> bool:
    """Whether two clauses are asked for by the same parameter: only terms of a name can stand there together."""
    names = {condition.parameter.name for condition in one.pushes}
    return one.test is not Test.CONTAINS_ALL and any(c.parameter.name in names for c in other.pushes)


def _relying(operation: Operation, rules: Rules, clause: Clause) -> list[str]:
    """The speakers for a clause that are asked for it."""
    speakers = speakers_of(rules, [clause])
    return [source for source in rules.servers if source in speakers and _sent(operation, rules, source, clause)]


def _cost(operation: Operation, rules: Rules, clause: Clause) -> tuple[bool, bool, int, bool, int]:
    """The fewer sources are asked for a clause, the fewer lists are read whole and the more it narrows, the less."""
    spares = any(_excludes(operation, rules, source, clause) for source in rules.scopes)
    speakers = speakers_of(rules, [clause])
    silent = _silent(rules, clause)
    relying = set(_relying(operation, rules, clause)) - silent
    whole = len(speakers | silent) - len(relying)
    return not clause.trusted, not spares, whole, clause.accepts_nothing, clause.rank


@dataclass(frozen=True, slots=True)
class _Sent:
    """One condition as it goes to one source: ``options`` are the values of one call each."""

    condition: Condition
    options: tuple[tuple[str, ...], ...]
    exact: bool


def _sent(operation: Operation, rules: Rules, source: str, clause: Clause) -> list[_Sent]:
    """What a source is asked for a clause: of parameters that must hold together, those it can be relied on for."""
    capabilities = operation.federation.sources[source].capabilities
    honoured = capabilities.honoured(rules.resource.name, [each.parameter.name for each in clause.pushes])
    found = [
        sent
        for condition in clause.pushes
        if condition.parameter.required or condition.parameter.name in honoured
        for sent in _condition(operation, rules, source, condition)
    ]
    return found if prod(len(sent.options) for sent in found) <= operation.federation.limits.max_filter_calls else []


def _condition(operation: Operation, rules: Rules, source: str, condition: Condition) -> Iterator[_Sent]:
    parameter, values = condition.parameter, condition.values
    capabilities = operation.federation.sources[source].capabilities
    exact = capabilities.filter(rules.resource.name, parameter.name) is Filter.EXACT
    if not parameter.required and (
        parameter.name not in rules.resource.parameter or parameter.name == CIVIC_NO or _contradictory(condition)
    ):
        return
    below = False
    if condition.parameter.test is Test.SUBTREE or condition.subtree:
        below, values = _organisations(operation, rules, source, condition)
        exact = exact and (below or parameter.test is not Test.SUBTREE) and parameter.name != RELATION_ORGANISATION
    exact = exact and not capabilities.widens(parameter)
    if _doubtful(condition):
        values, exact = tuple(_earlier(value) for value in values), False
    if parameter.many:
        options = tuple(values[start : start + ARRAY_CHUNK] for start in range(0, len(values), ARRAY_CHUNK))
    else:
        options = tuple((value,) for value in values)
    yield _Sent(Condition(parameter, values, below), options, exact)


def _contradictory(condition: Condition) -> bool:
    """The startDate of organisations and study plans: the standard's text there speaks of records without endDate."""
    parameter = condition.parameter
    return parameter.columns == ("startDate",) and parameter.test in (
        Test.ON_OR_BEFORE_OR_OPEN,
        Test.ON_OR_AFTER_OR_OPEN,
    )


def _doubtful(condition: Condition) -> bool:
    """The absences' onOrAfter: inclusive by its name, exclusive by its text."""
    return condition.parameter.test is Test.AFTER and condition.parameter.name.endswith(".onOrAfter")


def _earlier(value: str) -> str:
    return (instant(value) - timedelta(seconds=1)).isoformat()


def _organisations(
    operation: Operation, rules: Rules, source: str, condition: Condition
) -> tuple[bool, tuple[str, ...]]:
    """The organisations to ask a source for, and whether its own filter goes down the tree from them.

    It does where the parameter does by the standard and nobody but the source says how the tree is.
    """
    values = condition.values
    own_tree = operation.federation.rules["Organisation"].speaker_names("parentOrganisation") == (source,)
    below = condition.subtree and condition.parameter.test is Test.SUBTREE and own_tree
    if condition.subtree and not below:
        values = tuple(sorted({each for value in values for each in operation.subtrees[value]}))
    level = operation.federation.sources[source].capabilities.organisation_level.get(rules.resource.name)
    if level is not None and condition.parameter.name != RELATION_ORGANISATION:
        above = operation.levels.get(level, {})
        values = tuple(sorted({above.get(each, each) for each in values}))
    return below, values


def _calls(operation: Operation, rules: Rules, source: str, clauses: Sequence[Clause]) -> Iterator[Stream]:
    """The calls for some clauses at one source: one, or one per value that cannot stand in a list with others.

    Clauses that would take too many calls together are left to the test, the widest first.
    """
    sent = {place: _sent(operation, rules, source, clause) for place, clause in enumerate(clauses)}
    while prod(len(each.options) for parts in sent.values() for each in parts) > _most(operation):
        del sent[max(sent, key=lambda place: (not clauses[place].trusted, prod(len(p.options) for p in sent[place])))]
    parts = [part for each in sent.values() for part in each]
    pushed = tuple(clause_of(*(part.condition for part in each)) for each in sent.values() if each)
    exact = all(part.exact for part in parts) and all(each.shown and not each.joined for each in pushed)
    variants: list[list[Condition]] = [[]]
    for part in parts:
        variants = [
            [*variant, replace(part.condition, values=option)] for variant in variants for option in part.options
        ]
    for variant in variants:
        yield Stream(source, _query(variant), pushed, exact=exact)


def _most(operation: Operation) -> int:
    return operation.federation.limits.max_filter_calls


def _query(conditions: Sequence[Condition]) -> Query:
    parameters: dict[str, tuple[str, ...]] = {}
    for condition in conditions:
        name = condition.parameter.name
        parameters[name] = (*parameters.get(name, ()), *condition.values)
    return Query.of(parameters)
