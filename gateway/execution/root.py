"""The operation's own fields: their resolvers asked without what graphql-core and Strawberry put around each.

Only what is plain is: a resolver without extensions or permissions. What it gives, and what it raises, graphql-core
completes and places.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType, VariableValues, get_argument_values
from strawberry.schema import Schema
from strawberry.types.arguments import convert_arguments
from strawberry.types.info import Info

from .selection import varies


@dataclass(frozen=True, slots=True, eq=False)
class RootField:
    """A field, and how it is asked.

    ``arguments``: by Python name; None where the operation's variables stand in them.
    """

    declared: GraphQLField
    definition: Any
    nodes: Sequence[FieldNode]
    arguments: Mapping[str, object] | None
    resolve: Callable[..., Awaitable[object] | object]

    def ask(self, schema: Schema, info: Any, variables: VariableValues) -> Awaitable[object] | object:
        """What the resolver gives. Raises what it raises, and GraphQLError for arguments that are wrong."""
        given = self.arguments
        if given is None:
            given = _arguments(schema, self.declared, self.definition, self.nodes[0], variables)
        return self.resolve(None, info=Info(_raw_info=info, _field=self.definition), **given)


def root_field(schema: Schema, of: GraphQLObjectType, nodes: Sequence[FieldNode]) -> RootField | None:
    """None for what graphql-core has to ask. Raises GraphQLError for arguments that are wrong."""
    declared = of.fields.get(nodes[0].name.value)
    definition: Any = None if declared is None else declared.extensions.get("strawberry-definition")
    if declared is None or definition is None or definition.extensions or definition.permission_classes:
        return None
    resolver = definition.base_resolver
    if resolver is None or resolver.self_parameter is None or resolver.info_parameter is None:
        return None
    given = None
    if not varies(nodes[0]):
        given = _arguments(schema, declared, definition, nodes[0], VariableValues({}, {}))
    return RootField(declared, definition, nodes, given, resolver.wrapped_func)


def _arguments(
    schema: Schema, declared: GraphQLField, definition: Any, node: FieldNode, variables: VariableValues
) -> Mapping[str, object]:
    found: Mapping[str, object] = convert_arguments(
        get_argument_values(declared, node, variables),
        definition.arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
    )
    return found
