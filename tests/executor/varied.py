"""A document written otherwise: with fragments, repeated fields, variables, @skip and @include, and ``__typename``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import FieldNode, GraphQLObjectType, OperationDefinitionNode, get_named_type, parse, print_ast

from gateway.app import schema

from .documents import Document, Draw


@dataclass
class _Writer:
    rng: Random
    fragments: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Draw] = field(default_factory=dict)
    fields: set[tuple[str, str]] = field(default_factory=set)

    def selection(self, of: GraphQLObjectType, nodes: Sequence[Any]) -> str:
        parts = []
        for node in nodes:
            assert isinstance(node, FieldNode)
            parts.append(self.field(of, node))
            if self.rng.random() < 0.1:
                parts.append(self.again(of, node))
        if self.rng.random() < 0.15:
            parts.insert(self.rng.randint(0, len(parts)), self.rng.choice(("__typename", "kind: __typename")))
        if self.rng.random() < 0.2:
            at = self.rng.randint(0, len(parts))
            parts = [*parts[:at], self.fragment(of, parts[at:])] if parts[at:] else parts
        return " ".join(parts)

    def field(self, of: GraphQLObjectType, node: FieldNode) -> str:
        """The field, by chance with a directive, and with its arguments as variables."""
        name = node.name.value
        self.fields.add((of.name, name))
        alias = f"{node.alias.value}: " if node.alias else ""
        given = [self.argument(of, name, each) for each in node.arguments or ()]
        arguments = f"({', '.join(given)})" if given else ""
        below = ""
        if node.selection_set is not None:
            inner = get_named_type(of.fields[name].type)
            assert isinstance(inner, GraphQLObjectType)
            below = f" {{ {self.selection(inner, node.selection_set.selections)} }}"
        return f"{alias}{name}{arguments}{self.directive()}{below}"

    def again(self, of: GraphQLObjectType, node: FieldNode) -> str:
        """The same field once more, to be merged; of what is below it, ``__typename`` or one field."""
        name = node.name.value
        alias = f"{node.alias.value}: " if node.alias else ""
        arguments = f"({', '.join(map(print_ast, node.arguments))})" if node.arguments else ""
        if any(each.startswith(f"${name}_") for each in self.declared) and arguments:
            return "__typename"  # its arguments became variables, and fields with other ones cannot be merged
        if node.selection_set is None:
            return f"{alias}{name}{arguments}"
        one = self.rng.choice(node.selection_set.selections)
        assert isinstance(one, FieldNode)
        leaf = print_ast(one) if one.selection_set is None and not one.arguments else "__typename"
        return f"{alias}{name}{arguments} {{ {leaf} }}"

    def argument(self, of: GraphQLObjectType, name: str, node: Any) -> str:
        literal = print_ast(node.value)
        if self.rng.random() < 0.3 and literal.lstrip("-").isdigit():
            variable = f"${name}_{len(self.declared)}"
            kind = of.fields[name].args[node.name.value].type
            if self.rng.random() < 0.5:
                self.declared.append(f"{variable}: {kind} = {literal}")
            else:
                self.declared.append(f"{variable}: {kind}")
                self.variables[variable[1:]] = lambda rng: int(literal)
            return f"{node.name.value}: {variable}"
        return f"{node.name.value}: {literal}"

    def directive(self) -> str:
        if self.rng.random() > 0.06:
            return ""
        directive, value = self.rng.choice(("skip", "include")), self.rng.random() < 0.5
        if self.rng.random() < 0.3:
            return f" @{directive}(if: {str(value).lower()})"
        variable = f"$if_{len(self.declared)}"
        if self.rng.random() < 0.5:
            self.declared.append(f"{variable}: Boolean! = {str(value).lower()}")
        else:
            self.declared.append(f"{variable}: Boolean!")
            self.variables[variable[1:]] = lambda rng: rng.random() < 0.5
        return f" @{directive}(if: {variable})"

    def fragment(self, of: GraphQLObjectType, parts: Sequence[str]) -> str:
        on = of.name
        if self.rng.random() < 0.5:
            return f"... {self.rng.choice((f'on {on} ', ''))}{{ {' '.join(parts)} }}"
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {on} {{ {' '.join(parts)} }}")
        return f"...{name}{self.directive()}"


def varied(document: str, rng: Random) -> Document:
    """The same question in other words, or a part of it."""
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    root = schema()._schema.query_type
    assert root is not None
    writer = _Writer(rng)
    written = writer.selection(root, operation.selection_set.selections)
    declared = f"({', '.join(writer.declared)})" if writer.declared else ""
    text = "\n".join([f"query Asked{declared} {{ {written} }}", *writer.fragments])
    return Document(text, writer.variables, None, frozenset(writer.fields))
