"""The benchmarks work: every contender answers rightly, with exactly the calls that it should make. No times here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import small
from .compare import Effort, Setting, check, contending, measure, sources
from .contenders import CONTENDERS
from .processes import Server
from .questions import Question, questions
from .run import measured, remarks
from .workload import BENCH, Workload, bench_directory, demonstration, huvudman

pytestmark = pytest.mark.slow

PUPILS = 240
MANY = 2
"""Connections, and so variants of each question."""
FEWEST = {"Q1": 1, "Q2": 1, "Q3": 2, "Q4": 6, "Q5": 20, "Q6": 6}
"""Of the synthetic huvudman, by its own description."""
FEWEST_DEMO = FEWEST | {"Q5": 1}
"""The demonstration's persons fit on one page."""

World = tuple[Workload, tuple[Question, ...], dict[str, Server]]


@pytest.fixture(scope="module", params=["demonstration", "huvudman"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """What is asked about, and its running sources."""
    directory = bench_directory()
    if request.param == "huvudman" and directory is None:
        pytest.skip(f"{BENCH} names no directory with the synthetic huvudman")
    asked_of = demonstration(PUPILS) if request.param == "demonstration" or directory is None else huvudman(directory)
    with sources(asked_of) as upstream:
        yield asked_of, questions(asked_of, MANY), upstream


@pytest.mark.parametrize("keep", [False, True], ids=["cold", "warm"])
async def test_answers_are_right_and_cost_the_fewest_calls(world: World, keep: bool) -> None:
    asked_of, asked, upstream = world
    fewest = FEWEST_DEMO if asked_of.prefix else FEWEST
    with contending(CONTENDERS, asked_of, upstream, asked, keep) as servers:
        checked = await check(CONTENDERS, servers, upstream, asked, MANY)
        rows = await measure(checked, servers, upstream, Setting(keep, connections=MANY), Effort(1, 0.0))
    assert [f"{row.question.name} {row.contender.name}: {row.wrong}" for row in rows if row.wrong] == []
    assert [row for row in rows if row.failed] == []
    expected = {
        (row.question.name, row.contender.name): 0 if keep and row.contender.keeps else fewest[row.question.name]
        for row in rows
    }
    assert {(row.question.name, row.contender.name): sum(row.calls.values()) for row in rows} == expected, remarks(rows)
    assert len(measured(rows).splitlines()) == len(rows) + 2


async def test_small_questions_are_answered_alike_by_both_and_measured() -> None:
    told = await small.within(rounds=1, requests=2)
    assert [line.split("  ")[0] for line in told.splitlines()[2:]] == list(small.questions())
