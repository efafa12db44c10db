"""Many differential cases by hand: ``python -m tests.executor.run --from 0 --count 5000``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections import Counter
from random import Random
from typing import Any

import orjson

from gateway.app import schema
from gateway.config import Executor
from gateway.execution.context import Context
from gateway.execution.http import body
from gateway.verify import differences
from resolvers.operation import Operation
from tests.hostile.cases import cases
from tests.hostile.check import Case
from tests.hostile.further import ASPECTS
from tests.hostile.servers import gateway

from .varied import Varied, varied


def _without_cursors(value: Any) -> Any:
    """The same with a word for each cursor: they hold nonces, the gateway's and the sources'."""
    if isinstance(value, dict):
        return {
            key: "a cursor" if key == "endCursor" and isinstance(each, str) else _without_cursors(each)
            for key, each in value.items()
        }
    return [_without_cursors(each) for each in value] if isinstance(value, list) else value


async def answered(case: Case, asked: Varied, executor: Executor) -> tuple[bytes, dict[str, Any], int]:
    """What a gateway of its own says, as bytes and as data, and how many calls it made."""
    async with gateway(case.world, case.behaviours, case.losses) as assembled:
        context = Context(Operation(assembled.federation))
        result = await schema(executor).execute(asked.document, dict(asked.variables), context)
        said = _without_cursors(body(result, context))
        calls = sum(source.calls for source in assembled.sources)
    return orjson.dumps(said), said, calls


def questions(number: int) -> list[tuple[Case, Varied]]:
    """The cases of a number: a hostile example's questions, in other words."""
    rng = Random(f"executor {number}")
    aspects = ASPECTS if number % 4 == 3 else ()
    return [
        (case, varied(str(case.question), rng)) for case in cases(number, aspects=aspects) if case.question.walk is None
    ]


async def difference(case: Case, asked: Varied, tally: Counter[str]) -> str | None:
    """What the planned executor says otherwise than graphql-core; None if nothing."""
    core, plain, allowed = await answered(case, asked, Executor.CORE)
    planned, said, calls = await answered(case, asked, Executor.PLANNED)
    tally["cases"] += 1
    tally["with errors"] += "errors" in plain
    tally["refused"] += plain["data"] is None
    if core != planned:
        places = ["/".join(map(str, path)) for path in differences(plain, said)]
        return f"differ in {places[:5]}"
    tally["calls"] += calls
    tally["calls of core"] += allowed
    return f"makes {calls} calls, graphql-core {allowed}" if calls > allowed else None


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", type=int, default=0, dest="start")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--most", type=int, default=10, help="stop after so many differences")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    tally: Counter[str] = Counter()
    began, found = time.perf_counter(), 0
    for number in range(given.start, given.start + given.count):
        for case, asked in questions(number):
            told = await difference(case, asked, tally)
            if told is not None:
                found += 1
                print(f"--- {number}: {told}\n{asked.document}\n{asked.variables}", flush=True)
        if found >= given.most:
            break
        if (number - given.start) % 1000 == 999:
            print(f"{dict(tally)} in {time.perf_counter() - began:.0f} s, {found} differences", flush=True)
    print(f"{dict(tally)}, {found} differences, {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    asyncio.run(_main())
