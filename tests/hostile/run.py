"""Many examples by hand: ``python -m tests.hostile.run --from 0 --count 5000``.

Prints each difference with its number, made smaller as far as it stays one, and at the end what was asked how often.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from .cases import cases
from .check import Case, Outcome, ask_and_compare
from .further import ASPECTS
from .habits import HABITS
from .oracle import oracle_of
from .questions import targets
from .servers import gateway
from .shrink import shrunk


@dataclass
class Tally:
    """What a run came to."""

    examples: int = 0
    questions: int = 0
    lossy: int = 0
    with_gaps: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    telling: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    differences: list[tuple[int, Case, str]] = field(default_factory=list)

    def add(self, number: int, case: Case, outcome: Outcome) -> None:
        self.questions += 1
        self.lossy += bool(case.losses)
        self.with_gaps += bool(outcome.gaps)
        if outcome.refused is not None:
            self.refused[outcome.refused] += 1
        elif outcome.difference is not None:
            self.differences.append((number, case, outcome.difference))
        else:
            self.asked.update(case.question.asked)
            self.telling.update(case.question.asked if outcome.telling else ())

    def update(self, other: Tally) -> None:
        """Add what another part of the run came to."""
        self.examples += other.examples
        self.questions += other.questions
        self.lossy += other.lossy
        self.with_gaps += other.with_gaps
        for own, its in ((self.asked, other.asked), (self.telling, other.telling), (self.refused, other.refused)):
            own.update(its)
        self.differences += other.differences

    def report(self, habit: str | None = None, aspects: Collection[str] = ()) -> str:
        """The differences, and how to look at each."""
        further = (f' --habit "{habit}"' if habit else "") + (f" --with {' '.join(aspects)}" if aspects else "")
        return "\n".join(
            f"{difference}\n    {case.question}\n    python -m tests.hostile.run --from {number} --count 1{further}"
            for number, case, difference in self.differences
        )

    def missing(self) -> list[str]:
        """What was never asked for, or never with an answer that tells anything."""
        return [each for each in targets() if not self.telling[each]]

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.examples} examples, {self.questions} questions ({self.lossy} with losses, {self.with_gaps} with "
            f"gaps), {sum(self.refused.values())} refused, {len(self.differences)} differences"
        )
        counts = sorted((self.telling[each], self.asked[each], each) for each in targets())
        yield f"{len(counts) - len(self.missing())} of {len(counts)} things asked for with a telling answer; the least:"
        yield from (f"  {telling:6} of {asked:6}  {each}" for telling, asked, each in counts[:12])
        for code, count in self.refused.most_common(12):
            yield f"  refused {count:6}  {code}"


async def run(
    tally: Tally, number: int, *, only: str | None = None, about: str | None = None, aspects: Collection[str] = ()
) -> None:
    """One example: its questions, one after the other, to the same gateway."""
    tally.examples += 1
    assembled = None
    for case in cases(number, only=only, about=about, aspects=aspects):
        if assembled is None:
            context = gateway(case.world, case.behaviours, case.losses)
            assembled = await context.__aenter__()
            oracle = oracle_of(case)
        tally.add(number, case, await ask_and_compare(case, assembled, oracle))
    if assembled is not None:
        await assembled.aclose()


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", type=int, default=0, dest="start")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--about", choices=targets(), metavar="WHAT", help='e.g. "filter Person.nameContains"')
    parser.add_argument("--habit", choices=HABITS, help="all sources have this one habit, instead of some by chance")
    parser.add_argument(
        "--with", nargs="+", choices=ASPECTS, default=(), dest="aspects", help="what huvudmän have besides"
    )
    parser.add_argument("--most", type=int, default=10, help="stop after so many differences")
    parser.add_argument("--whole", action="store_true", help="do not make differences smaller")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    tally = Tally()
    began = time.perf_counter()
    shown = 0
    for number in range(given.start, given.start + given.count):
        await run(tally, number, only=given.habit, about=given.about, aspects=given.aspects)
        for which, case, difference in tally.differences[shown:]:
            print(f"--- {which}: {difference}", flush=True)
            print(await shrunk(case) if not given.whole else str(case.question), flush=True)
        shown = len(tally.differences)
        if shown >= given.most:
            break
        if tally.examples % 1000 == 0:
            print(f"{tally.examples} in {time.perf_counter() - began:.0f} s, {shown} differences", flush=True)
    seconds = time.perf_counter() - began
    print("\n".join(tally.lines()))
    print(f"{seconds:.1f} s, {tally.examples / seconds:.1f} examples a second")


if __name__ == "__main__":
    asyncio.run(_main())
