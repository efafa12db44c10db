"""Hostile sources in front of random data, random configurations and random questions: the answer is the oracle's.

Example N is the same in every run. What an example is stands in ``tests.hostile.cases``, how to run many more of them
in ``tests.hostile.run``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .run import Tally, run

EXAMPLES = 1020
AT_A_TIME = 60
BATCHES = range(0, EXAMPLES, AT_A_TIME)


@pytest.fixture(scope="module")
def whole() -> Iterator[Tally]:
    """What all batches together came to; printed at the end."""
    tally = Tally()
    yield tally
    print("\n".join(tally.lines()))


@pytest.mark.parametrize("start", BATCHES)
async def test_every_answer_is_the_oracles(whole: Tally, start: int) -> None:
    tally = Tally()
    for number in range(start, start + AT_A_TIME):
        await run(tally, number)
    whole.update(tally)
    assert tally.differences == [], tally.report()


def test_everything_was_asked_for(whole: Tally, request: pytest.FixtureRequest) -> None:
    """With an answer that tells something, not by chance but by plan: nothing is left out or swallowed by refusals."""
    if whole.examples < EXAMPLES:
        pytest.skip("only after all examples")
    assert whole.missing() == []
    assert sum(whole.refused.values()) <= whole.questions / 100
    assert whole.with_gaps > whole.questions / 20
