"""Root fields of a resource: by id, by ids, and as a connection."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import strawberry
from graphql import FieldNode

from gateway.execution.context import Context
from gateway.execution.precheck import precheck
from gateway.execution.selection import Children, ResolveInfo
from resolvers.completeness import Gaps
from resolvers.contracts import EntityId, Gap, Limits, Selector
from resolvers.cost import ByIds, Leads, ListPage
from resolvers.dated import dated
from resolvers.driver import run
from resolvers.entity import Entity
from resolvers.errors import Code, Refused
from resolvers.steps.connection import Listed, connection
from resolvers.steps.root import by_ids
from sources.standard.model import Resource

from .fields import field, optional, optional_list
from .inputs import DEFAULT_FIRST, canonical_id, conditions, required_arguments, selector
from .inverses import Arguments, list_arguments, period_arguments
from .naming import python_name
from .properties import context_of
from .registry import lazy


@strawberry.type(description="A part that is missing: which source did not give it, and why.")
class GapEntry:
    source: str = strawberry.field(description="The source's name in the configuration.")
    resource: str = strawberry.field(description="The resource that was asked for.")
    code: str = strawberry.field(description="Why; the codes are listed in the documentation.")
    retryable: bool = strawberry.field(description="Whether asking again later may help.")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow; false only where that is proven.")
    has_previous_page: bool = strawberry.field(description="Whether the page was asked for with `after`.")
    start_cursor: str | None = strawberry.field(description="The first record's cursor.")
    end_cursor: str | None = strawberry.field(description="The cursor to go on with: `after` of the next page.")


def gap_entry(gap: Gap) -> GapEntry:
    return GapEntry(source=gap.source, resource=gap.resource, code=gap.code, retryable=gap.retryable)


def connection_types(resource: Resource) -> tuple[type, type]:
    """``<Name>Connection`` and ``<Name>Edge``."""
    name = resource.name
    edge = strawberry.type(
        type(
            f"{name}Edge",
            (),
            {
                "__annotations__": {"node": lazy(name), "cursor": str},
                "node": strawberry.field(description="The record."),
                "cursor": strawberry.field(description="Its place in the list."),
            },
        ),
        description=f"A {name} in a list.",
    )
    made = strawberry.type(
        type(
            f"{name}Connection",
            (),
            {
                "__annotations__": {
                    "nodes": list[lazy(name)],  # type: ignore[misc]
                    "edges": list[edge],  # type: ignore[valid-type]
                    "page_info": PageInfo,
                    "complete": bool,
                    "gaps": list[GapEntry],
                },
                "nodes": strawberry.field(description="The records of the page."),
                "edges": strawberry.field(description="The records of the page, with their cursors."),
                "page_info": strawberry.field(description="Where the page stands in the list."),
                "complete": strawberry.field(description="Whether every source that was to be asked gave its part."),
                "gaps": strawberry.field(description="What is missing of the page, one entry per source and code."),
            },
        ),
        description=f"A page of {resource.plural}, from all sources that have some.",
    )
    return made, edge


def _connection(made: Any, edge: Any, listed: Listed, nodes: object, after: str | None, *, edges: bool) -> object:
    pairs = zip(listed.entities, listed.cursors, strict=True) if edges else ()
    return made(
        nodes=nodes,
        edges=[edge(node=entity, cursor=cursor) for entity, cursor in pairs],
        page_info=PageInfo(
            has_next_page=listed.has_next,
            has_previous_page=after is not None,
            start_cursor=listed.cursors[0] if listed.cursors else None,
            end_cursor=listed.cursors[-1] if listed.cursors else after,
        ),
        complete=not listed.gaps,
        gaps=[gap_entry(gap) for gap in listed.gaps],
    )


def root_fields(resource: Resource) -> dict[str, Any]:
    """The root fields of a resource, by name."""
    fields = {resource.plural: _list_field(resource)}
    if resource.get:
        single = resource.name[:1].lower() + resource.name[1:]
        fields[single] = _by_id(resource, single)
        fields[f"{resource.plural}ByIds"] = _by_ids(resource)
    return fields


def _list_field(resource: Resource) -> Any:
    made, edge = connection_types(resource)
    needed = required_arguments(resource)
    arguments: Arguments = {
        python_name(name): (name, kind, doc, inspect.Parameter.empty) for name, (kind, doc) in needed.items()
    }
    arguments |= list_arguments(resource)
    if not needed:
        arguments |= period_arguments(dated(resource), required=False)
    arguments["first"] = ("first", int, "At most this many.", DEFAULT_FIRST)
    arguments["after"] = ("after", optional(str), "Go on after this cursor of the same list.", strawberry.UNSET)

    def asked_for(given: Mapping[str, Any], limits: Limits) -> Selector:
        asked = selector(resource, given, limits.max_first, DEFAULT_FIRST)
        if not needed:
            return asked
        window = type("Window", (), {python_name(name): given[python_name(name)] for name in needed})
        return replace(asked, conditions=(*asked.conditions, *conditions(resource, window, required=True)))

    def leading(given: Mapping[str, object], limits: Limits) -> tuple[Leads, ...]:
        return (ListPage(resource.name, asked_for(given, limits)),)

    async def resolve(self: object, info: Any, **given: Any) -> object:
        context = context_of(info)
        operation = context.operation
        precheck(context, info)
        asked = asked_for(given, operation.federation.limits)
        selected = context.selection(info._raw_info, info._raw_info.field_nodes)
        nodes = entity_nodes(context, info._raw_info, selected)
        wanted = context.want(resource.name, info._raw_info, nodes)
        after = given.get("after", strawberry.UNSET)
        after = after if isinstance(after, str) else None
        pages, context.pages = context.pages, None
        take = None if pages is None else pages.take
        with context.fetching_for(info.field_name):
            listed = await run(operation, connection(operation, resource.name, asked, after, wanted, take))
        if listed is None:
            return None
        nodes_or_pages = pages if listed.taken else listed.entities
        return _connection(made, edge, listed, nodes_or_pages, after, edges="edges" in selected)

    doc = f"{resource.doc} The list of all that sources have ({resource.swedish})."
    return field(
        resolve, optional(made), name=resource.plural, doc=doc, info=True, arguments=arguments, leading=leading
    )


def entity_nodes(context: Context, info: ResolveInfo, selected: Children) -> list[FieldNode]:
    """The nodes below which records are selected: ``nodes`` and ``edges { node }``."""
    found = list(selected.get("nodes", ()))
    if "edges" in selected:
        found += context.selection(info, selected["edges"]).get("node", [])
    return found


def _by_id(resource: Resource, name: str) -> Any:
    async def resolve(self: object, info: Any, id: str) -> object:
        return (await _fetch(resource, info, [id]))[0]

    return field(
        resolve,
        optional(lazy(resource.name)),
        name=name,
        doc=f"The {resource.name} with this id; null where there is none ({resource.swedish}).",
        info=True,
        arguments={"id": ("id", strawberry.ID, "Its id.", inspect.Parameter.empty)},
        leading=lambda given, limits: (ByIds(resource.name, 1),),
    )


def _by_ids(resource: Resource) -> Any:
    def leading(given: Mapping[str, object], limits: Limits) -> tuple[Leads, ...]:
        ids = given.get("ids")
        return (ByIds(resource.name, len(ids) if isinstance(ids, list) else 0),)

    async def resolve(self: object, info: Any, ids: list[str]) -> object:
        maximum = context_of(info).operation.federation.limits.max_first
        if len(ids) > maximum:
            raise Refused(Code.FIRST_OUT_OF_RANGE, f"At most {maximum} ids at a time.")
        return await _fetch(resource, info, ids)

    return field(
        resolve,
        optional_list(optional(lazy(resource.name))),
        name=f"{resource.plural}ByIds",
        doc=f"The {resource.plural} with these ids, in their order; null where there is none.",
        info=True,
        arguments={"ids": ("ids", list[strawberry.ID], "Their ids.", inspect.Parameter.empty)},
        leading=leading,
    )


async def _fetch(resource: Resource, info: Any, ids: list[str]) -> list[Entity | None]:
    context = context_of(info)
    precheck(context, info)
    asked = [EntityId(canonical_id(each)) for each in ids]
    gaps = Gaps()
    wanted = context.want(resource.name, info._raw_info, info._raw_info.field_nodes)
    with context.fetching_for(info.field_name):
        found = await run(context.operation, by_ids(context.operation, resource.name, asked, wanted, gaps))
    if gaps.all() and None in found:
        context.null_because(gaps, info._raw_info.path.as_list())
    return found
