"""Contenders side by side: first each answer is checked, then all are asked in turn, round after round."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import orjson

from .contenders import Contender, Place
from .measuring import Asked, Client, Sample, client, forget_peak, megabytes, sample
from .processes import Server, running
from .questions import Question, Variant, essential
from .workload import Workload

MOST = 400
"""Queries of one sample at most."""


@dataclass(frozen=True)
class Effort:
    """``rounds``: how often everything is measured. ``seconds``: about how long one sample takes at least."""

    rounds: int = 5
    seconds: float = 0.4


@dataclass(frozen=True)
class Setting:
    """``keep``: whether answers of sources may be kept (a warm cache). ``latency``: of the sources, in milliseconds."""

    keep: bool = False
    latency: float = 0
    connections: int = 1

    def __str__(self) -> str:
        cache = "warm" if self.keep else "cold"
        many = "1 connection" if self.connections == 1 else f"{self.connections} connections"
        return f"{cache} cache, source latency {self.latency:g} ms, {many}"


@dataclass
class Row:
    """One question to one contender. ``wrong``: what is wrong with an answer of it, which then is not measured.

    ``calls``: of the sources, for the question itself, by method and path; ``seconds``: how long it took.
    """

    question: Question
    contender: Contender
    wrong: str | None
    calls: Mapping[str, int]
    seconds: float
    asked: Sequence[Asked]
    samples: list[Sample] = field(default_factory=list)

    @property
    def milliseconds(self) -> list[float]:
        """The median of each round."""
        return [median(each.milliseconds) for each in self.samples]

    @property
    def cpu(self) -> list[float]:
        """Milliseconds per query of each round."""
        return [each.cpu * 1000 / each.queries for each in self.samples]

    @property
    def failed(self) -> int:
        return sum(each.failed for each in self.samples)


@dataclass(frozen=True)
class Memory:
    """Megabytes of a contender: when it had started, and at most."""

    idle: float
    peak: float


@contextmanager
def sources(workload: Workload) -> Iterator[dict[str, Server]]:
    """The workload's sources, running."""
    with TemporaryDirectory(prefix="ss12000-bench-") as directory, running(workload.commands, Path(directory)) as found:
        yield found


@contextmanager
def contending(
    contenders: Sequence[Contender],
    workload: Workload,
    upstream: Mapping[str, Server],
    asked: Sequence[Question],
    keep: bool,
) -> Iterator[dict[str, Server]]:
    """The contenders, running, with nothing kept yet."""
    urls = {name: source.origin + workload.prefix for name, source in upstream.items()}
    with TemporaryDirectory(prefix="ss12000-bench-") as directory:
        place = Place(urls, asked, keep, Path(directory))
        with running({each.name: each.command(place) for each in contenders}, Path(directory)) as found:
            yield found


async def check(
    contenders: Sequence[Contender],
    servers: Mapping[str, Server],
    upstream: Mapping[str, Server],
    asked: Sequence[Question],
    connections: int = 1,
) -> list[Row]:
    """Check every answer that so many connections will get."""
    async with client(upstream, 1) as asking:
        await asking.set_latency(0)
        return [
            await _checked(asking, servers[who.name], who, what, connections) for what in asked for who in contenders
        ]


async def measure(
    rows: Sequence[Row],
    servers: Mapping[str, Server],
    upstream: Mapping[str, Server],
    setting: Setting,
    effort: Effort,
) -> list[Row]:
    """The same rows with samples, taken in turn of all that answer rightly."""
    rows = [replace(row, samples=[]) for row in rows]
    right = [row for row in rows if row.wrong is None]
    async with client(upstream, setting.connections) as asking:
        await asking.set_latency(setting.latency)
        for turn in range(effort.rounds):
            # whoever comes first finds the machine as the last one of the round before has left it
            for row in _rotated(right, turn):
                queries = _queries(row, setting, effort)
                server = servers[row.contender.name]
                row.samples.append(await sample(asking, server, row.asked, setting.connections, queries))
    return rows


async def _checked(asking: Client, server: Server, contender: Contender, question: Question, many: int) -> Row:
    """Ask the question itself once untimed, then once more for its calls; then its variants."""
    first, *further = question.variants[:many]
    body = _body(contender, question, first)
    await asking.ask(server, body)
    await asking.reset()
    began = time.perf_counter()
    status, content = await asking.ask(server, body)
    seconds = time.perf_counter() - began
    calls = await asking.calls()
    wrong = _wrong(status, content, first)
    asked = [Asked(body, len(content))]
    for variant in further:
        body = _body(contender, question, variant)
        status, content = await asking.ask(server, body)
        wrong = wrong or _wrong(status, content, variant)
        asked.append(Asked(body, len(content)))
    return Row(question, contender, wrong, calls, seconds, asked)


def _wrong(status: int, content: bytes, variant: Variant) -> str | None:
    if status != 200:
        return f"HTTP {status}"
    answer = orjson.loads(content)
    if answer.get("errors"):
        return str(answer["errors"][0].get("message"))
    found, right = essential(answer["data"]), essential(variant.data)
    return None if found == right else f"not the right answer: {_difference(found, right)}"


def _difference(found: object, right: object, path: str = "") -> str:
    """Where the first difference is, and what stands there."""
    if isinstance(found, dict) and isinstance(right, dict):
        for key in sorted(found.keys() | right.keys()):
            if found.get(key) != right.get(key):
                return _difference(found.get(key), right.get(key), f"{path}.{key}")
    if isinstance(found, list) and isinstance(right, list) and len(found) == len(right):
        at = next(index for index, pair in enumerate(zip(found, right, strict=True)) if pair[0] != pair[1])
        return _difference(found[at], right[at], f"{path}[{at}]")
    return f"{path}: {_short(found)} instead of {_short(right)}"


def _short(value: object) -> str:
    return f"{len(value)} entries" if isinstance(value, list) else repr(value)[:60]


def _body(contender: Contender, question: Question, variant: Variant) -> bytes:
    content = {"query": question.documents[contender.dialect], "operationName": question.name}
    return orjson.dumps(content | {"variables": variant.variables})


def _queries(row: Row, setting: Setting, effort: Effort) -> int:
    """As many as fill the time, at least one for each connection, and of each variant equally many."""
    expected = row.seconds + setting.latency / 1000 * len(row.question.variants[0].rounds)
    fitting = max(setting.connections, min(MOST, round(effort.seconds / expected)))
    return -(-fitting // len(row.asked)) * len(row.asked)


def _rotated(rows: list[Row], turn: int) -> list[Row]:
    """The rows question by question, another contender first in every round."""
    found: list[Row] = []
    for name in dict.fromkeys(row.question.name for row in rows):
        of_it = [row for row in rows if row.question.name == name]
        at = turn % len(of_it)
        found += of_it[at:] + of_it[:at]
    return found


def memory(servers: Mapping[str, Server]) -> dict[str, Memory]:
    """What each contender has now, from where peaks are counted again."""
    for server in servers.values():
        forget_peak(server.pid)
    return {name: Memory(size := megabytes(server.pid), size) for name, server in servers.items()}


def peaks(servers: Mapping[str, Server], before: Mapping[str, Memory]) -> dict[str, Memory]:
    """The same with the peaks until now."""
    return {name: replace(before[name], peak=megabytes(server.pid)) for name, server in servers.items()}
