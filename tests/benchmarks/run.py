"""One command, and a table: ``SS12000_BENCH=… python -m tests.benchmarks.run --quick``.

Without ``SS12000_BENCH`` (the directory of the synthetic huvudman) the demonstration's municipality is asked instead.
All contenders stand side by side and are asked in turn; only their ratios say anything. Without arguments it takes
some twenty minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import signal
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import product
from statistics import median

from .compare import Effort, Memory, Row, Setting, check, contending, measure, memory, peaks, sources
from .contenders import CHOICES, CONTENDERS, REFERENCES, Contender
from .processes import Server
from .questions import Question, questions
from .table import number, table
from .workload import BENCH, PUPILS, Workload, bench_directory, workload

CACHES = {"cold": False, "warm": True}
HEAVY = ("Q5",)
"""Asked over one connection only, unless told otherwise: many at once are a test of memory, not of speed."""
LIBRARIES = ("strawberry-graphql", "graphql-core", "httpx", "aiohttp", "orjson")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [each.name for each in CONTENDERS]
    parser.add_argument("--queries", nargs="+", choices=[f"Q{n}" for n in range(1, 7)], metavar="Q")
    parser.add_argument("--contenders", nargs="+", choices=names, default=names)
    parser.add_argument("--cache", nargs="+", choices=CACHES)
    parser.add_argument("--latency", nargs="+", type=float, metavar="MS", help="of the sources (default: 0 20)")
    parser.add_argument("--connections", nargs="+", type=int, metavar="N", help="at once (default: 1 32)")
    parser.add_argument("--rounds", type=int, help="how often each is measured (default: 5)")
    parser.add_argument("--heavy", action="store_true", help=f"{', '.join(HEAVY)} over many connections too")
    parser.add_argument("--quick", action="store_true", help="3 short rounds; cold, 0 ms, 1 connection where not given")
    parser.add_argument("--pupils", type=int, default=PUPILS, help="of the demonstration (default: %(default)s)")
    return parser


async def run(given: argparse.Namespace) -> None:
    asked_of = workload(bench_directory(), given.pupils)
    contenders = [each for each in CONTENDERS if each.name in given.contenders]
    effort = Effort(given.rounds or 3, 0.15) if given.quick else Effort(given.rounds or 5)
    caches = given.cache or (["cold"] if given.quick else list(CACHES))
    latencies = given.latency or ([0.0] if given.quick else [0.0, 20.0])
    connections = given.connections or ([1] if given.quick else [1, 32])
    variants = questions(asked_of, max(connections))
    asked = [each for each in variants if not given.queries or each.name in given.queries]
    print(header(asked_of, contenders, effort), flush=True)
    gc.freeze()  # a collection of all these records would be a pause in somebody's time
    with sources(asked_of) as upstream:
        for cache, many in product(caches, connections):
            fitting = [each for each in asked if many == 1 or given.heavy or each.name not in HEAVY]
            settings = [Setting(CACHES[cache], latency, many) for latency in latencies]
            await group(contenders, asked_of, upstream, fitting, settings, effort)


async def group(
    contenders: Sequence[Contender],
    asked_of: Workload,
    upstream: Mapping[str, Server],
    asked: Sequence[Question],
    settings: Sequence[Setting],
    effort: Effort,
) -> None:
    """Settings that the same processes can be measured in; they start anew for the next, for the sake of memory."""
    with contending(contenders, asked_of, upstream, asked, settings[0].keep) as servers:
        before = memory(servers)
        checked = await check(contenders, servers, upstream, asked, settings[0].connections)
        for setting in settings:
            rows = await measure(checked, servers, upstream, setting, effort)
            print(f"\n{setting}\n\n{measured(rows)}\n", flush=True)
            if setting.latency and not setting.keep and setting.connections == 1:
                print(f"{bounded(rows, setting.latency)}\n", flush=True)
        for line in remarks(checked):
            print(line, flush=True)
        print(f"{remembered(peaks(servers, before), [each.name for each in asked])}", flush=True)


def header(asked_of: Workload, contenders: Sequence[Contender], effort: Effort) -> str:
    """What was measured, with what."""
    instead = "" if bench_directory() else f" ({BENCH} is not set: the same questions, asked of other data)"
    return "\n".join(
        [
            f"Asked about {asked_of.name}{instead}: {sum(map(len, asked_of.records.values()))} records.",
            f"Python {platform.python_version()}, {os.cpu_count()} CPUs; "
            + ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
            + ".",
            f"Rounds: {effort.rounds}, all in turn. Times are medians, ratios the medians of each round's ratios; "
            "CPU is that of the contender's process, per query.",
            f"The gateway's configuration: {CHOICES}.",
            *(f"  {each.name:<10}{each.about}" for each in contenders),
        ]
    )


def measured(rows: Sequence[Row]) -> str:
    """A row per question and contender; ``/x``: how many times that of x."""
    present = [name for name in REFERENCES if any(row.contender.name == name for row in rows)]
    against = [f"/{name}" for name in present]
    head = ["query", "contender", "answer", "calls", "ms", *against, "CPU ms", *against]
    by_name = {(row.question.name, row.contender.name): row for row in rows}
    lines = []
    for row in rows:
        others = [by_name[row.question.name, name] for name in present]
        lines.append(
            [
                row.question.name,
                row.contender.name,
                "WRONG" if row.wrong else f"{row.failed} FAILED" if row.failed else "right",
                _calls(row),
                _median(row.milliseconds),
                *(_ratio(row.milliseconds, other.milliseconds) for other in others),
                _median(row.cpu),
                *(_ratio(row.cpu, other.cpu) for other in others),
            ]
        )
    return table(head, lines, left=3)


BOUND = 1.15
"""What a query may take: its dependent rounds, times the sources' latency, times this; and its CPU."""


def bounded(rows: Sequence[Row], latency: float) -> str:
    """Each query's time beside its bound: more than 1 is too slow. The fixed cost of a call is in the CPU."""
    lines = []
    for row in rows:
        rounds = _rounds(row)
        bound = [rounds * latency * BOUND + cpu for cpu in row.cpu]
        times = [_median(row.milliseconds), _median(bound), _ratio(row.milliseconds, bound)]
        lines.append([row.question.name, row.contender.name, str(rounds), *times])
    return table(["query", "contender", "rounds", "ms", "bound ms", "ms/bound"], lines, left=2)


def _rounds(row: Row) -> int:
    """The fewest dependent rounds; of a whole list, as many as it has pages: each page tells of the next."""
    rounds = row.question.variants[0].rounds
    chained = any(call.whole for call in rounds[0]) and len(rounds) == 1
    return sum(row.calls.values()) if chained else len(rounds)


def _calls(row: Row) -> str:
    """Of one query alone; and on average, where the measured ones came to another number."""
    alone = sum(row.calls.values())
    queries = sum(each.queries for each in row.samples)
    average = sum(each.calls for each in row.samples) / queries if queries else alone
    return str(alone) if average == alone else f"{alone} ({number(average)})"


def _median(values: Sequence[float]) -> str:
    return number(median(values)) if values else "-"


def _ratio(own: Sequence[float], others: Sequence[float]) -> str:
    ratios = [one / other for one, other in zip(own, others, strict=False)]
    return _median(ratios)


def remarks(rows: Sequence[Row]) -> list[str]:
    """What is wrong with answers, and which calls are more than the fewest."""
    found = [f"{row.question.name} {row.contender.name}: {row.wrong}" for row in rows if row.wrong]
    fewest = {row.question.name: row for row in rows if row.contender.name == "floor"}
    for row in rows:
        least = fewest.get(row.question.name)
        if least is None or (not least.calls and not row.contender.keeps):
            continue  # a warm cache is no measure for who has none
        if sum(row.calls.values()) > sum(least.calls.values()):
            extra = ", ".join(f"{count} × {what}" for what, count in sorted(row.calls.items()))
            found.append(f"{row.question.name} {row.contender.name} calls {extra}")
    return found


def remembered(found: Mapping[str, Memory], asked: Sequence[str]) -> str:
    """Memory of each contender's process over the settings above."""
    lines = [[name, number(each.idle), number(each.peak)] for name, each in found.items()]
    return f"Memory, {', '.join(asked)}\n\n" + table(["contender", "idle MB", "peak MB"], lines, left=1)


async def _until_stopped(given: argparse.Namespace) -> None:
    """Servers are stopped, too, where somebody ends the run."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await run(given)


if __name__ == "__main__":
    asyncio.run(_until_stopped(arguments().parse_args()))
