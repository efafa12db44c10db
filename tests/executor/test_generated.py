"""The same of operations that hypothesis-graphql generates: it knows the schema, and nothing of this project."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from graphql import (
    REMOVE,
    ArgumentNode,
    GraphQLNonNull,
    GraphQLScalarType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    print_ast,
    specified_scalar_types,
    visit,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from gateway.app import schema

from .compared import Tally, compare, prepared
from .documents import Document
from .worlds import served

VALUES = {
    "Date": ["2026-03-29", "2026-03-30"],
    "DateTime": ["2026-03-29T01:30:00+01:00", "2026-03-29T00:00:00Z"],
    "Time": ["08:30"],
    "JSON": ["{}"],
}
"""Values of our own scalars."""
WORLDS = 4


class _Plainer(Visitor):
    """Leaves out arguments that need not be there: no record of a school answers to a random filter."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types

    def leave_argument(self, node: ArgumentNode, *_: Any) -> Any:
        argument = self._types.get_argument()
        return None if argument is not None and isinstance(argument.type, GraphQLNonNull) else REMOVE


def plainer(text: str) -> str:
    types = TypeInfo(schema()._schema)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, _Plainer(types))))


def check(examples: int, seed: int) -> Tally:
    own = {
        name
        for name, each in schema()._schema.type_map.items()
        if isinstance(each, GraphQLScalarType) and name not in specified_scalar_types
    }
    assert own == {*VALUES}
    scalars = {name: st.sampled_from(values).map(nodes.String) for name, values in VALUES.items()}
    tally = Tally()
    worlds = [served(seed + number, Counter()) for number in range(WORLDS)]

    async def both(text: str, number: int) -> str | None:
        both = worlds[number]
        both.forget()
        asked = Document(text)
        with prepared(asked):
            return await compare(asked, both, {}, tally)

    with asyncio.Runner() as runner:

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(queries(schema().as_str(), custom_scalars=scalars), st.integers(0, WORLDS - 1), st.booleans())
        def generated(text: str, number: int, plain: bool) -> None:
            told = runner.run(both(plainer(text) if plain else text, number))
            assert told is None, told

        try:
            generated()
        finally:
            for each in worlds:
                runner.run(each.aclose())
    return tally


def test_generated_operations_are_answered_alike() -> None:
    tally = check(150, 0)
    assert tally.counts["says something"] > 2


@pytest.mark.slow
def test_many_more_generated_operations_are_answered_alike() -> None:
    check(1500, 100)
