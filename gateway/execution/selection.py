"""What an operation selects below a field: names and nodes, fragments merged, @skip and @include obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLResolveInfo,
    GraphQLSkipDirective,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    VariableValues,
    get_directive_values,
)

ResolveInfo = GraphQLResolveInfo[Any]
Children = dict[str, list[FieldNode]]


def variables(info: ResolveInfo) -> VariableValues:
    """The operation's variables as graphql-core's functions take them; Strawberry's info holds the coerced values."""
    given: object = info.variable_values
    return given if isinstance(given, VariableValues) else VariableValues({}, cast("dict[str, Any]", given))


def children(info: ResolveInfo, nodes: Iterable[FieldNode]) -> Children:
    """The fields selected below ``nodes``, by name (not alias), each with all its nodes."""
    found: Children = {}
    for node in nodes:
        if node.selection_set is not None:
            _collect(info, node.selection_set, found, set())
    return found


def _collect(info: ResolveInfo, selections: SelectionSetNode, found: Children, seen: set[str]) -> None:
    for selection in selections.selections:
        if not _included(info, selection):
            continue
        if isinstance(selection, FieldNode):
            found.setdefault(selection.name.value, []).append(selection)
        elif isinstance(selection, InlineFragmentNode):
            _collect(info, selection.selection_set, found, seen)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
            seen.add(selection.name.value)
            fragments: Mapping[str, FragmentDefinitionNode] = info.fragments
            _collect(info, fragments[selection.name.value].selection_set, found, seen)


def _included(info: ResolveInfo, node: FieldNode | InlineFragmentNode | FragmentSpreadNode | object) -> bool:
    if not isinstance(node, FieldNode | InlineFragmentNode | FragmentSpreadNode) or not node.directives:
        return True
    skip = get_directive_values(GraphQLSkipDirective, node, variables(info))
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, variables(info))
    return not include or bool(include["if"])


def varies(node: FieldNode) -> bool:
    """Whether the operation's variables stand in a field's arguments."""
    return any(_varies(argument.value) for argument in node.arguments or ())


def _varies(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_varies, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_varies(each.value) for each in value.fields)
    return isinstance(value, VariableNode)
