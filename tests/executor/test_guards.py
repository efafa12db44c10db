"""What stands between the printing of records and a wrong answer: take it away, and the comparison shows it.

All guards, one at a time, by hand: ``python -m tests.executor.mutations``.
"""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLList, GraphQLNonNull, GraphQLScalarType, GraphQLString

from gateway.execution.printing import Doubtful, _Printer
from resolvers.federation import Federation
from resolvers.operation import Operation
from tests.fakes import FakeSource

from .mutations import mutations, questions, shown

SILENT = GraphQLScalarType("Silent", serialize=lambda value: None)


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (GraphQLNonNull(GraphQLString), None),
        (GraphQLNonNull(GraphQLList(GraphQLString)), None),
        (GraphQLList(GraphQLNonNull(GraphQLString)), ["a", None]),
        (GraphQLList(GraphQLString), ("a", "b")),
        (GraphQLList(GraphQLString), "ab"),
        (SILENT, "a"),
    ],
)
async def test_what_a_resolver_should_not_give_is_left_to_graphql_core(of: Any, value: object) -> None:
    operation = Operation(Federation({"sis": FakeSource("sis", {})}, {}))
    with pytest.raises(Doubtful):
        _Printer(operation, {})._completing(of, None)(value)


TOLD = (
    "is not int and",
    "is not bool and",
    "is not str and",
    "is not list and",
    'return f"{own} if {own} is None or -2147483648',
)
"""Guards without which an answer is another, by what stands in their line."""


@pytest.mark.slow
async def test_without_a_guard_an_answer_is_another() -> None:
    asked = await questions(30, 0)
    tried = 0
    for mutation in mutations():
        if any(each in mutation.was for each in TOLD):
            tried += 1
            assert await shown(asked, mutation) is not None, str(mutation)
    assert tried >= len(TOLD)
