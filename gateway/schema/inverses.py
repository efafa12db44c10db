"""The relations backwards as GraphQL fields, made from ``resolvers.relations``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import strawberry

from gateway.execution.kinds import Back, Inverse
from resolvers.contracts import EntityId, Limits, Selector, Step, Want
from resolvers.dated import Dated
from resolvers.entity import Entity, Entry
from resolvers.relations import INVERSES, RELATIONS, Relation
from resolvers.steps.inverse import inverse, inverse_entries
from resolvers.steps.select import require_period
from sources.standard.model import Resource, Structure

from .enums import order
from .fields import field, optional, optional_list
from .inputs import DateRange, filter_input, selector
from .properties import ON_AND_DURING, context_of
from .registry import lazy

Arguments = dict[str, tuple[str, Any, str, object]]

_UNSET = strawberry.UNSET


def period_arguments(how: Dated | None, *, required: bool) -> Arguments:
    """``on`` and ``during`` for what is placed in time; ``during`` alone where a period is required."""
    if required:
        doc = "The period, in whole local days; both ends are required."
        return {"during": ("during", DateRange, doc, inspect.Parameter.empty)}
    return dict(ON_AND_DURING) if how is not None else {}


def list_arguments(resource: Resource) -> Arguments:
    """``filter`` and ``orderBy`` of a list of records."""
    found: Arguments = {
        "filter": ("filter", optional(filter_input(resource)), f"Which {resource.plural} to give.", _UNSET)
    }
    if resource.sort_keys:
        found["order_by"] = (
            "orderBy",
            optional_list(order(resource.name).type),
            "What to sort by, most important first; Swedish collation, missing values last.",
            _UNSET,
        )
    return found


def inverse_field(relation: Relation) -> Any:
    """The field on the target that gives what refers to it."""
    resource = relation.resource
    arguments = period_arguments(relation.dated, required=relation.window)
    if relation.back is None:
        arguments |= list_arguments(resource)
    arguments["first"] = ("first", optional(int), "At most this many; without it, all.", _UNSET)
    returns = relation.entry_name or (relation.entry.name if relation.back and relation.entry else resource.name)

    def checked(given: Mapping[str, object], limits: Limits) -> Selector:
        asked = selector(resource, given, limits.max_candidates, None)
        if relation.window:
            require_period(asked.during, relation.inverse)
        return asked

    def resolve(self: Entity, info: Any, **given: object) -> object:
        context = context_of(info)
        asked = checked(given, context.operation.federation.limits)
        nodes = info._raw_info.field_nodes
        if relation.back is not None:
            below = context.selection(info._raw_info, nodes).get(relation.back, [])
            wanted = context.want(relation.owner, info._raw_info, below) if below else Want()
            return context.load(
                ("entries", relation.name, asked, wanted), self.id, _entries(context.operation, relation, asked, wanted)
            )
        wanted = context.want(relation.owner, info._raw_info, nodes)
        return context.load(
            ("inverse", relation.name, asked, wanted), self.id, _records(context.operation, relation, asked, wanted)
        )

    doc = relation.doc if relation.back else f"{relation.doc} In the order of their ids unless orderBy says otherwise."
    return field(
        resolve,
        optional_list(lazy(returns)),
        name=relation.inverse,
        doc=doc,
        info=True,
        arguments=arguments,
        check=checked,
        kind=Inverse(relation, checked),
    )


def _records(operation: Any, relation: Relation, asked: Selector, wanted: Want) -> Any:
    def step(parents: list[EntityId]) -> Step[list[list[Entity]]]:
        return inverse(operation, relation, parents, asked, wanted)

    return step


def _entries(operation: Any, relation: Relation, asked: Selector, wanted: Want) -> Any:
    def step(parents: list[EntityId]) -> Step[list[list[Entry]]]:
        return inverse_entries(operation, relation, parents, asked, wanted)

    return step


def inverse_fields(target: str) -> dict[str, Any]:
    """All inverse fields of a type, by name."""
    return {name: inverse_field(relation) for (on, name), relation in INVERSES.items() if on == target}


def back_field(relation: Relation) -> Any:
    """The field of an entry that leads to the record it stands in."""
    assert relation.back is not None

    def resolve(self: Entry, info: Any) -> object:
        context = context_of(info)
        asked = context.want(relation.owner, info._raw_info, info._raw_info.field_nodes)
        return context.reference(relation.owner, self.owner.id, asked)

    doc = f"The {relation.resource.name} that this stands in ({relation.resource.swedish})."
    return field(resolve, optional(lazy(relation.owner)), name=relation.back, doc=doc, info=True, kind=Back(relation))


def back_fields(structure: Structure) -> dict[str, Any]:
    """The fields of a structure that lead to its record."""
    return {
        relation.back: back_field(relation)
        for relation in RELATIONS
        if relation.back is not None and relation.entry is structure and relation.entry_name is None
    }
