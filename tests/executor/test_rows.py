"""Either driver fetches the same: the rows that an operation has seen in the end are equal, source by source."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from gateway.app import schema
from gateway.config import Executor
from gateway.execution.context import Context
from resolvers.operation import Operation
from tests.hostile.cases import cases
from tests.hostile.check import Case
from tests.hostile.servers import gateway

from .varied import varied

FEW, MANY = 60, 600

Rows = dict[tuple[str, str], dict[str, Any]]


async def rows(case: Case, document: str, given: Mapping[str, Any], executor: Executor) -> Rows:
    """Per source and resource, the records by id; None: the source has none."""
    async with gateway(case.world, case.behaviours, case.losses) as assembled:
        operation = Operation(assembled.federation)
        await schema(executor).execute(document, dict(given), Context(operation))
        return {
            (name, resource): {id: None if row is None else dict(row.record) for id, row in found.items()}
            for name, source in assembled.federation.sources.items()
            for resource in source.capabilities.resources
            if (found := operation.rows(name, resource))
        }


async def compare(numbers: range) -> None:
    seen = 0
    for number in numbers:
        rng = Random(f"rows {number}")
        for case in cases(number):
            if case.question.walk is not None:
                continue
            asked = varied(str(case.question), rng)
            given = asked.given(rng)
            found = await rows(case, asked.text, given, Executor.PLANNED)
            assert found == await rows(case, asked.text, given, Executor.CORE), f"{number}\n{asked.text}\n{given}"
            seen += len(found)
    assert seen > len(numbers)


async def test_either_driver_has_the_same_rows() -> None:
    await compare(range(FEW))


@pytest.mark.slow
async def test_either_driver_has_the_same_rows_in_many_more() -> None:
    await compare(range(FEW, FEW + MANY))
