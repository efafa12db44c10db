"""Bad arguments anywhere below a root field are refused before anything is fetched for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLObjectType, get_argument_values, get_named_type
from strawberry.types.arguments import convert_arguments
from strawberry.types.info import Info

from resolvers.contracts import Limits

from .context import Context
from .selection import Children, ResolveInfo, variables, varies

Check = Callable[[Mapping[str, object], Limits], object]
"""Raises Refused for arguments (by Python name) that its field cannot be asked with."""

_CHECKS: dict[Callable[..., Any], Check] = {}


def register(resolver: Callable[..., Any], check: Check) -> None:
    """Have the arguments of a resolver's field checked."""
    _CHECKS[resolver] = check


def precheck(context: Context, info: Info[Any, Any]) -> None:
    """Check the arguments of all fields selected below the field being resolved. Raises Refused."""
    raw: ResolveInfo = info._raw_info
    kind = get_named_type(raw.return_type)
    key = tuple(map(id, raw.field_nodes))
    if key in context.logical.checked or not isinstance(kind, GraphQLObjectType):
        return
    if not _below(context, info, kind, context.selection(raw, raw.field_nodes)):
        context.logical.checked.add(key)


def _below(context: Context, info: Info[Any, Any], parent: GraphQLObjectType, selected: Children) -> bool:
    """Whether any of the arguments varies with the operation's variables."""
    vary = False
    for name, nodes in selected.items():
        field = parent.fields.get(name)
        if field is None:  # __typename
            continue
        definition: Any = field.extensions["strawberry-definition"]
        resolver = definition.base_resolver
        check = None if resolver is None else _CHECKS.get(resolver.wrapped_func)
        if check is not None:
            vary = vary or any(map(varies, nodes))
            for node in nodes:
                given = convert_arguments(
                    get_argument_values(field, node, variables(info._raw_info)),
                    definition.arguments,
                    scalar_registry=info.schema.schema_converter.scalar_registry,
                    config=info.schema.config,
                )
                check(given, context.operation.federation.limits)
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLObjectType):
            vary = _below(context, info, kind, context.selection(info._raw_info, nodes)) or vary
    return vary
