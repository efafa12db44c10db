"""Either driver fetches the same: the rows that an operation has seen in the end are equal, source by source."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.app import schema
from gateway.config import Executor
from gateway.execution.context import Context
from resolvers.operation import Operation
from tests.hostile.check import Case
from tests.hostile.servers import gateway

from .run import questions
from .varied import Varied

FEW, MANY = 60, 600

Rows = dict[tuple[str, str], dict[str, Any]]


async def rows(case: Case, asked: Varied, executor: Executor) -> Rows:
    """Per source and resource, the records by id; None: the source has none."""
    async with gateway(case.world, case.behaviours, case.losses) as assembled:
        operation = Operation(assembled.federation)
        await schema(executor).execute(asked.document, dict(asked.variables), Context(operation))
        return {
            (name, resource): {id: None if row is None else dict(row.record) for id, row in found.items()}
            for name, source in assembled.federation.sources.items()
            for resource in source.capabilities.resources
            if (found := operation.rows(name, resource))
        }


async def compare(numbers: range) -> None:
    seen = 0
    for number in numbers:
        for case, asked in questions(number):
            found = await rows(case, asked, Executor.PLANNED)
            assert found == await rows(case, asked, Executor.CORE), f"{number}\n{asked.document}\n{asked.variables}"
            seen += len(found)
    assert seen > len(numbers)


async def test_either_driver_has_the_same_rows() -> None:
    await compare(range(FEW))


@pytest.mark.slow
async def test_either_driver_has_the_same_rows_in_many_more() -> None:
    await compare(range(FEW, FEW + MANY))
