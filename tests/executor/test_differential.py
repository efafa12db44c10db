"""The planned executor says what graphql-core says, byte for byte, errors and all, and asks the sources for no more.

Random documents, put to random huvudmän whose sources send damaged JSON or nothing, and to some whose records are such
as reading them would never let through. Many more by hand: ``python -m tests.executor.run --cases 200000``.
"""

from __future__ import annotations

import pytest

from .compared import CASES, Tally, block

FEW = 2
MANY = -(-5000 // CASES)
"""Blocks; together 5,000 cases."""


async def compared(numbers: range) -> Tally:
    tally = Tally()
    for number in numbers:
        told = await block(number, tally)
        assert not told, told[0]
    print(tally)
    return tally


async def test_it_says_what_graphql_core_says() -> None:
    tally = await compared(range(FEW))
    assert tally.cases == FEW * CASES
    assert tally.counts["says something"] > tally.cases / 2
    assert tally.counts["with errors"] > tally.cases / 10
    assert tally.counts["calls"] <= tally.counts["calls of core"] * 1.01


@pytest.mark.slow
async def test_it_says_it_in_many_more() -> None:
    tally = await compared(range(FEW, MANY))
    assert len(tally.damage) > 70
    assert tally.counts["with nulls by propagation"] > 0
    assert tally.counts["calls"] <= tally.counts["calls of core"] * 1.01
