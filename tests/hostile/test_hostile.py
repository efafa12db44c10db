"""Hostile sources in front of random data, random configurations and random questions: the answer is the oracle's.

Example N is the same in every run. What an example is stands in ``tests.hostile.cases``, how to run many more of them
in ``tests.hostile.run``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from sources.standard import RESOURCES

from .further import ASPECTS
from .habits import APART, HABITS
from .questions import leaves, targets
from .run import Tally, run

TOGETHER = 640
"""Examples whose sources have habits by chance: more than once about each thing that can be asked for."""
AT_A_TIME = 40
ALONE = 12
"""Examples for each habit, in which all sources have it."""
TRIES = 30
"""Examples at most for each thing about which chance has left no telling answer."""
FURTHER = 10_000
MANY = 400
"""Further examples of each of these, among the slow tests."""
BESIDES = (("ids", "told"), ("parts", "told"), ASPECTS)
"""Own ids, parts and provenance: together, and two at a time."""
ONE_BY_ONE = [name for name in HABITS if name not in APART]


@pytest.fixture(scope="module")
def whole() -> Iterator[Tally]:
    """What all examples together came to; printed at the end."""
    tally = Tally()
    yield tally
    print("\n".join(tally.lines()))


async def examples(whole: Tally, numbers: range, habit: str | None = None) -> None:
    tally = Tally()
    for number in numbers:
        await run(tally, number, only=habit)
    whole.update(tally)
    assert tally.differences == [], tally.report(habit)


@pytest.mark.parametrize("start", range(0, TOGETHER, AT_A_TIME))
async def test_every_answer_is_the_oracles(whole: Tally, start: int) -> None:
    await examples(whole, range(start, start + AT_A_TIME))


@pytest.mark.parametrize("aspects", BESIDES)
async def test_nor_does_what_a_huvudman_has_besides(aspects: Sequence[str]) -> None:
    tally = Tally()
    start = FURTHER + BESIDES.index(aspects) * AT_A_TIME
    for number in range(start, start + AT_A_TIME):
        await run(tally, number, aspects=aspects)
    assert tally.differences == [], tally.report(aspects=aspects)


@pytest.mark.slow
@pytest.mark.parametrize("aspects", BESIDES)
async def test_nor_does_it_in_many_more(aspects: Sequence[str]) -> None:
    tally = Tally()
    start = FURTHER + (BESIDES.index(aspects) + 1) * 1000
    for number in range(start, start + MANY):
        await run(tally, number, aspects=aspects)
    assert tally.differences == [], tally.report(aspects=aspects)


@pytest.mark.parametrize("habit", ONE_BY_ONE)
async def test_no_habit_changes_an_answer(whole: Tally, habit: str) -> None:
    start = TOGETHER + ONE_BY_ONE.index(habit) * ALONE
    await examples(whole, range(start, start + ALONE), habit)


async def test_everything_was_asked_for(whole: Tally) -> None:
    """With an answer that tells something: nothing is swallowed by refusals, and what chance left out is asked now."""
    if whole.examples < TOGETHER + ALONE * len(ONE_BY_ONE):
        pytest.skip("only after all examples")
    assert whole.examples >= 1000
    tally = Tally()
    for place, target in enumerate(whole.missing()):
        for number in range(place * TRIES, (place + 1) * TRIES):
            if not tally.telling[target]:
                await run(tally, 100_000 + number, about=target)
    whole.update(tally)
    assert tally.differences == [], tally.report()
    assert whole.missing() == []
    assert sum(whole.refused.values()) <= whole.questions / 100
    assert whole.with_gaps > whole.questions / 20


def test_the_oracle_knows_every_filter() -> None:
    asked = {target.removeprefix("filter ") for target in targets() if target.startswith("filter ")}
    every = {(name, leaf.name) for name in RESOURCES for leaf in leaves(name)}
    assert asked == {".".join(each) for each in every}
