"""The planned executor says what graphql-core says, byte for byte, errors and all, and asks the sources for no more.

The questions are those to hostile huvudmän, written otherwise: with fragments, merged fields, variables, directives and
``__typename``; a quarter of the huvudmän have lost something. Many more by hand: ``python -m tests.executor.run``.
"""

from __future__ import annotations

from collections import Counter

import pytest

from .run import difference, questions

FEW, MANY = 200, 2500
AT_A_TIME = 100


async def compared(numbers: range) -> Counter[str]:
    tally: Counter[str] = Counter()
    for number in numbers:
        for case, asked in questions(number):
            told = await difference(case, asked, tally)
            assert told is None, f"{number}: {told}\n{asked.document}\n{asked.variables}"
    return tally


@pytest.mark.parametrize("start", range(0, FEW, AT_A_TIME))
async def test_it_says_what_graphql_core_says(start: int) -> None:
    tally = await compared(range(start, start + AT_A_TIME))
    assert tally["cases"] > 1.7 * AT_A_TIME
    assert tally["with errors"] > AT_A_TIME / 10


@pytest.mark.slow
@pytest.mark.parametrize("start", range(FEW, FEW + MANY, AT_A_TIME))
async def test_it_says_it_in_many_more(start: int) -> None:
    await compared(range(start, start + AT_A_TIME))
