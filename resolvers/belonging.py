"""Which rules hold for one record: by where it belongs (``when``), and without the sources outside whose scope it lies.

Sources without a scope say where a record belongs. Where none of them does, the first source in authority order does
whose own word is that the record lies in its scope. A source whose scope that leaves out is not heard of the record,
nor is one by whose own word it lies outside. What nobody says, leaves nobody out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sources.standard.model import Parameter

from . import merge
from .authority import Rules
from .places import Place, Places, meets, read_places, verdict
from .predicates import RELATION_ORGANISATION, Clause, Subtrees

if TYPE_CHECKING:
    from .entity import Entity


def applied(entity: Entity) -> Rules:
    """The rules for a record; once they are settled, for as long as nothing more is known of its kind."""
    rules, operation = entity.rules, entity.operation
    known = operation.applied.setdefault(rules.resource.name, {})
    found = known.get(entity.id)
    if found is None:
        found = known[entity.id] = _applied(entity)
    return found


def _applied(entity: Entity) -> Rules:
    rules, extents = entity.rules, entity.operation.extents
    heard = frozenset(rules.servers) - _left_out(entity)
    found = rules.settle(heard)
    if rules.authority.when:
        places = _places(entity, found, rules.places)
        for number, when in enumerate(rules.authority.when):
            if any(meets(each, when.scope, extents) for each in places):
                return rules.settle(heard, number)
    return found


def _left_out(entity: Entity) -> set[str]:
    """The sources outside whose scope the record is known to lie."""
    scopes, extents = entity.rules.scopes, entity.operation.extents
    if not scopes:
        return set()
    where = _where(entity, scoped(entity.rules))
    return {
        source
        for source, scope in scopes.items()
        if verdict(where, scope, extents) is False or verdict(_own(entity, source), scope, extents) is False
    }


def spared(entity: Entity, source: str) -> bool:
    """Whether a source need not be asked for the record, by the word of those that are asked before it."""
    before = scoped(entity.rules)
    before = before[: before.index(source)]
    return verdict(_where(entity, before), entity.rules.scopes[source], entity.operation.extents) is False


def told(entity: Entity) -> bool:
    """Whether a source without a scope says where the record belongs."""
    return any(each.told for each in _where(entity, ()))


def scoped(rules: Rules) -> tuple[str, ...]:
    """The sources that have a scope, first authority first: the order in which they are asked."""
    return tuple(source for source in rules.servers if source in rules.scopes)


def excludes(rules: Rules, source: str, clause: Clause, subtrees: Subtrees, extents: Subtrees) -> bool:
    """Whether a clause selects nothing that the source could be heard to say.

    A value of a property that is a list does not count: a source is heard of all of it, also of what lies outside.
    """
    scope, places = rules.scopes.get(source), rules.bounds
    several = not places.entries and any(rules.resource.columns[name].many for name in clause.columns)
    if scope is None or several or not clause.shown or clause.joined or clause.named:
        return False
    if not clause.columns <= places.columns:
        return False
    for condition in clause.conditions:
        says, values = _says(condition.parameter, places), set(condition.values)
        if says == "school type" and scope.school_types and not scope.school_types & values:
            return True
        if says == "organisation" and scope.organisations:
            if condition.subtree:
                values = {below for each in values for below in subtrees[each]}
            if not any(values & extents[root] for root in scope.organisations):
                return True
    return False


def _says(parameter: Parameter, places: Places) -> str:
    """What a query parameter asks of a record's places."""
    if parameter.columns == (places.path(places.school_type),):
        return "school type"
    if parameter.columns == (places.path(places.organisation),) or parameter.name == RELATION_ORGANISATION:
        return "organisation"
    return ""


def _where(entity: Entity, others: Sequence[str]) -> list[Place]:
    """Where the record belongs, by the sources without a scope, or else by one of these others."""
    rules, extents = entity.rules, entity.operation.extents
    places = _places(entity, rules.settle(frozenset(rules.servers).difference(rules.scopes)), rules.bounds)
    if not any(each.told for each in places):
        for source in others:
            if verdict(_own(entity, source), rules.scopes[source], extents):
                return _places(entity, rules.settle(frozenset({source})), rules.bounds)
    return places


def _places(entity: Entity, rules: Rules, places: Places) -> list[Place]:
    """What a record says when it is merged by some settled rules."""
    merged = replace(entity, rules=rules)
    return read_places(places, entity.id, lambda column: merge.value(merged, column))


def _own(entity: Entity, source: str) -> list[Place]:
    """A source's own word, as far as it speaks for it."""
    rules = entity.rules
    return _places(entity, rules.settle(frozenset({source}), scoped=False), rules.bounds)
