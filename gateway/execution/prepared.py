"""Operations that were asked before: parsed, validated and planned, so that only their variables are new.

What is kept says nothing of sources, of variables (but those of @skip and @include) or of an operation's state. A
document is kept when it comes a second time: most of those that are written by hand come once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLSchema,
    GraphQLSkipDirective,
    Node,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    VariableValues,
    coerce_input_value,
    get_variable_values,
    parse,
    specified_rules,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValueSource
from strawberry.schema import Schema
from strawberry.schema.schema import validate_document

from resolvers.contracts import Limits

from .context import Logical

MAX_ERRORS = 50
"""Wrong variables after which graphql-core's ``execute`` does not look at more."""


@dataclass(eq=False)
class Prepared:
    """A valid query.

    ``conditions``: the variables in its @skip and @include; ``variants``: of how many combinations of their values
    something is kept.
    """

    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: tuple[str, ...]
    variants: int
    details: Mapping[str, FragmentDetails] = field(init=False)
    """The fragments as graphql-core's executor takes them."""
    _signatures: list[GraphQLVariableSignature] | None = None
    _logical: OrderedDict[Hashable, Logical] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.details = {name: FragmentDetails(each) for name, each in self.fragments.items()}

    def variables(self, schema: GraphQLSchema, given: Mapping[str, Any]) -> VariableValues | None:
        """The operation's variables; None where graphql-core has something to say against them."""
        plain = self._plain(schema, given)
        if plain is not None:
            return plain
        found = get_variable_values(
            schema, self.operation.variable_definitions or (), dict(given), max_errors=MAX_ERRORS
        )
        return found if isinstance(found, VariableValues) else None

    def _plain(self, schema: GraphQLSchema, given: Mapping[str, Any]) -> VariableValues | None:
        """The variables where all are given, single values and right: what graphql-core makes of them, only faster."""
        if self._signatures is None:
            found = [get_variable_signature(schema, each) for each in self.operation.variable_definitions or ()]
            self._signatures = [each for each in found if not isinstance(each, GraphQLError)]
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in self._signatures:
            value = given.get(signature.name, Undefined)
            if value is Undefined or isinstance(value, list | dict):
                return None
            read = coerce_input_value(value, signature.type)
            if read is Undefined:
                return None
            sources[signature.name] = VariableValueSource(signature, value)
            coerced[signature.name] = read
        return VariableValues(sources, coerced)

    def logical(self, variables: VariableValues) -> Logical:
        """What is kept of the document with these values of @skip and @include."""
        key = tuple(variables.coerced.get(name, ...) for name in self.conditions)
        found = self._logical.get(key)
        if found is None:
            found = self._logical[key] = Logical()
            if len(self._logical) > self.variants:
                self._logical.popitem(last=False)
        elif len(self._logical) > 1:
            self._logical.move_to_end(key)
        return found


class PreparedOperations:
    """A schema's prepared operations, by text and name; those that were used longest ago go first."""

    def __init__(self, schema: Schema, limits: Limits) -> None:
        self.bytes = 0
        """Of all texts that are kept."""
        self._schema = schema
        self._limits = limits
        self._kept: OrderedDict[tuple[str, str | None], Prepared | None] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, query: str, name: str | None) -> Prepared | None:
        """The operation; None if it is no valid query. It is kept from the second time on that it is asked for."""
        key = (query, name)
        try:
            found = self._kept[key]
        except KeyError:
            return self._met(key)
        self._kept.move_to_end(key)
        return found

    def _met(self, key: tuple[str, str | None]) -> Prepared | None:
        made = _prepared(self._schema, *key, self._limits.prepared_variants)
        size, sight = _size(key), hash(key)
        if size > self._limits.prepared_bytes:
            return made
        if sight not in self._seen:
            self._seen[sight] = None
            if len(self._seen) > self._limits.prepared_operations:
                self._seen.popitem(last=False)
            return made
        del self._seen[sight]
        self._kept[key] = made
        self.bytes += size
        while self.bytes > self._limits.prepared_bytes or len(self._kept) > self._limits.prepared_operations:
            oldest, _ = self._kept.popitem(last=False)
            self.bytes -= _size(oldest)
        return made


def _size(key: tuple[str, str | None]) -> int:
    return len(key[0].encode("utf-8", "surrogatepass"))


def _prepared(schema: Schema, query: str, name: str | None, variants: int) -> Prepared | None:
    """None for what Strawberry's own way has to answer: errors, and whatever is no query."""
    try:
        document = parse(query)
    except (GraphQLError, RecursionError):
        return None
    operation = operation_of(document, name)
    if operation is None or operation.operation is not OperationType.QUERY:
        return None
    if validate_document(schema._schema, document, tuple(specified_rules)):
        return None
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    return Prepared(document, operation, fragments, tuple(dict.fromkeys(_conditions(document))), variants)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation that Strawberry would execute: the first, where none is named."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name is None:
        return operations[0] if operations else None
    return next((each for each in operations if each.name is not None and each.name.value == name), None)


def _conditions(node: Node) -> Iterator[str]:
    """The variables in @skip and @include, anywhere below a node."""
    if isinstance(node, DirectiveNode):
        if node.name.value in (GraphQLSkipDirective.name, GraphQLIncludeDirective.name):
            values = (argument.value for argument in node.arguments or ())
            yield from (value.name.value for value in values if isinstance(value, VariableNode))
        return
    for key in node.keys:
        below = getattr(node, key, None)
        for each in below if isinstance(below, tuple | list) else (below,):
            if isinstance(each, Node):
                yield from _conditions(each)
