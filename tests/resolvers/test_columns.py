"""Columns that are read of many records at once have the values that each record's own columns have."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings

from resolvers.columns import reader
from resolvers.contracts import EntityId, Want
from resolvers.driver import run
from resolvers.entity import Entity
from resolvers.operation import Operation
from resolvers.steps.complete import complete

from .worlds import IDS, NOWHERE, SELECTABLE, World, fakes, federation, worlds


def compared(world: World, resource: str, **capabilities: bool) -> None:
    """All columns of all records, by both ways."""
    columns = [*SELECTABLE[resource], "meta"]

    async def both() -> list[tuple[list[object], list[object]]]:
        operation = Operation(federation(world, fakes(world, **capabilities)))
        ids = [EntityId(each) for each in (*IDS[resource], NOWHERE)]
        await run(operation, complete(operation, resource, ids, Want(frozenset(columns), everything=True)))
        rules = operation.federation.rules[resource]
        read = reader(operation, rules, columns)
        entities = [Entity(operation, rules, each) for each in ids]
        nothing = [None] * len(columns)
        return [
            (nothing if values is None else list(values), [each.value(column) for column in columns])
            for values, each in zip(read(entities), entities, strict=True)
        ]

    for at_once, one_by_one in asyncio.run(both()):
        assert at_once == one_by_one


thorough = settings(
    max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@thorough
@given(worlds("Person"))
def test_persons_with_united_lists_and_markings(world: World) -> None:
    compared(world, "Person")
    compared(world, "Person", null_is_absent=True)


@thorough
@given(worlds("Duty"))
def test_duties(world: World) -> None:
    compared(world, "Duty")
    compared(world, "Duty", null_is_absent=True)
