"""An operation as what it leads to: root fields, relations, entries, with what is wanted of each kind of record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    VariableValues,
    get_argument_values,
    get_named_type,
    get_variable_values,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields, collect_subfields
from strawberry.schema import Schema
from strawberry.types.arguments import convert_arguments

from gateway.execution import kinds
from gateway.execution.context import Context
from gateway.execution.leads import leading_of
from gateway.execution.plan import Attribute, Item, Planner, Resolved, Selection, Unplanned
from gateway.execution.prepared import operation_of
from gateway.schema.connection import entity_nodes
from resolvers.contracts import Want
from resolvers.cost import Ask, Forward, Inside, Inverse, Leads, ListPage
from resolvers.errors import Refused
from resolvers.steps.forward import guarded
from resolvers.trace import Field
from sources.standard import RESOURCES

UNREADABLE = (Unplanned, Refused, GraphQLError)
"""What ``read`` raises for an operation whose execution will say what is wrong, before it fetches anything."""


def read(
    schema: Schema, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any], context: Context
) -> list[Ask]:
    """What a valid operation asks. Raises one of UNREADABLE."""
    operation = operation_of(document, operation_name)
    if operation is None:
        raise GraphQLError("No such operation.")
    values = get_variable_values(schema._schema, operation.variable_definitions or (), dict(variables))
    if not isinstance(values, VariableValues):
        raise values[0]
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    return list(_Reader(schema, operation, fragments, values, context).roots())


@dataclass(eq=False)
class _Reader:
    """Stands in for graphql-core's executor and its info, as far as a plan needs them."""

    strawberry: Schema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variable_values: VariableValues
    context: Context

    def __post_init__(self) -> None:
        self.schema = self.strawberry._schema
        self.details = {name: FragmentDetails(each) for name, each in self.fragments.items()}
        self.planner = Planner(self, self.context, self, self.strawberry)  # type: ignore[arg-type]
        federation = self.context.operation.federation
        self.limits = federation.limits
        self.policed = bool(federation.policy.columns("Person"))

    def collect_subfields(self, return_type: GraphQLObjectType, field_details_list: Any) -> Any:
        return collect_subfields(
            self.schema, self.details, self.variable_values, self.operation, return_type, field_details_list
        )

    def roots(self) -> Iterator[Ask]:
        query = self.schema.query_type
        assert query is not None
        collected = collect_fields(self.schema, self.details, self.variable_values, query, self.operation)
        for details in collected.grouped_field_set.values():
            nodes = [each.node for each in details]
            declared = query.fields.get(nodes[0].name.value)
            if declared is None:  # introspection
                continue
            definition: Any = declared.extensions["strawberry-definition"]
            leading = leading_of(definition)
            named = get_named_type(declared.type)
            if leading is None or not isinstance(named, GraphQLObjectType):
                continue
            leads = leading(self._given(declared, definition, nodes[0]), self.limits)
            below = tuple(self._asks(self.planner.select(named, details), ()))
            yield Ask((nodes[0].name.value,), query.name, leads, self._want_of_root(leads[-1], nodes), below)

    def _want_of_root(self, leads: Leads, nodes: list[FieldNode]) -> Want:
        resource = getattr(leads, "resource", None)
        if resource is None:
            return Want()
        if isinstance(leads, ListPage):
            nodes = entity_nodes(self.context, self, self.context.selection(self, nodes))  # type: ignore[arg-type]
        return self._want(resource, nodes)

    def _want(self, resource: str, nodes: list[FieldNode]) -> Want:
        return self.context.want(resource, self, nodes)  # type: ignore[arg-type]

    def _asks(self, selection: Selection, above: Field) -> Iterator[Ask]:
        """What the fields of an object lead to. ``above``: the fields before, that lead to no records."""
        for item in selection.items:
            if item.below is None:
                continue
            path = (*above, item.details[0].node.name.value)
            leads, want = self._leads(item)
            if leads is None:
                yield from self._asks(item.below, path)
                continue
            below = tuple(self._asks(item.below, ()))
            if item.below.type.name not in RESOURCES:
                want |= _of_parts(leads, below)
            if leads != (Inside(),) or below:
                yield Ask(path, selection.type.name, leads, want, below)

    def _leads(self, item: Item) -> tuple[tuple[Leads, ...] | None, Want]:
        """What a field leads to, and what is wanted there; None for an object that only stands around others."""
        kind, below = item.kind, item.below
        assert below is not None
        match kind:
            case kinds.Forward(target=target, many=many):
                return ((Inside(), Forward(target)) if many else (Forward(target),)), item.want
            case kinds.Back(relation=relation):
                return (Forward(relation.owner, known=True),), item.want
            case kinds.Inverse(relation=relation):
                assert item.selector is not None
                return (Inverse(relation, item.selector),), item.want
            case kinds.Part(structure=structure, many=True):
                guards = {each.name for each in guarded(structure)} if self.policed else set()
                shown = {each.details[0].node.name.value for each in below.items}
                return ((Inside(), Forward("Person")) if guards - shown else (Inside(),)), Want()
            case Resolved(definition=declared):
                return self._derived(item, declared)
            case kinds.Part() | Attribute():
                return None, Want()
        return None, Want()

    def _derived(self, item: Item, declared: GraphQLField) -> tuple[tuple[Leads, ...] | None, Want]:
        """Of a field with a resolver of its own: what it declares, or else the record of its type."""
        definition: Any = declared.extensions["strawberry-definition"]
        nodes = [each.node for each in item.details]
        leading = leading_of(definition)
        named = get_named_type(declared.type).name
        want = self._want(named, nodes) if named in RESOURCES else Want()
        if leading is not None:
            return leading(self._given(declared, definition, nodes[0]), self.limits), want
        return ((Forward(named),) if named in RESOURCES else None), want

    def _given(self, declared: GraphQLField, definition: Any, node: FieldNode) -> Mapping[str, object]:
        found: Mapping[str, object] = convert_arguments(
            get_argument_values(declared, node, self.variable_values),
            definition.arguments,
            scalar_registry=self.strawberry.schema_converter.scalar_registry,
            config=self.strawberry.config,
        )
        return found


def _of_parts(leads: tuple[Leads, ...], below: tuple[Ask, ...]) -> Want:
    """What is wanted of records that entries stand for: they are fetched with the entries."""
    want, last = Want(), leads[-1]
    for each in below:
        if isinstance(last, Forward) and each.leads == (Forward(last.target, known=True),):
            want |= each.want
    return want
