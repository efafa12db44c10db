"""What a question costs a contender: time, its process's CPU, upstream calls, memory."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson

from .processes import Server

ANSWER_SECONDS = 180.0
"""The longest that one answer may take."""


@dataclass(frozen=True)
class Asked:
    """What is sent, and how many bytes the answer had when it was checked."""

    body: bytes
    size: int


@dataclass(frozen=True)
class Sample:
    """Some queries of one question to one contender. ``failed``: how many were not answered as when it was checked."""

    milliseconds: list[float]
    wall: float
    cpu: float
    calls: int
    failed: int

    @property
    def queries(self) -> int:
        return len(self.milliseconds)


class Client:
    """Asks contenders, and reads and sets what the sources count and delay."""

    def __init__(self, session: aiohttp.ClientSession, sources: Mapping[str, Server]) -> None:
        self._session = session
        self._sources = sources

    async def ask(self, server: Server, body: bytes) -> tuple[int, bytes]:
        async with self._session.post(f"{server.origin}/graphql", data=body) as response:
            return response.status, await response.read()

    async def set_latency(self, milliseconds: float) -> None:
        await self._all("POST", f"/_config?latency_ms={milliseconds}")

    async def reset(self) -> None:
        await self._all("POST", "/_reset")

    async def calls(self) -> dict[str, int]:
        """The calls since the last reset, by method and path."""
        found: dict[str, int] = {}
        for content in await self._all("GET", "/_stats"):
            found |= orjson.loads(content)["requests"]
        return found

    async def _all(self, method: str, path: str) -> list[bytes]:
        contents = []
        for source in self._sources.values():
            async with self._session.request(method, source.origin + path) as response:
                response.raise_for_status()
                contents.append(await response.read())
        return contents


@contextlib.asynccontextmanager
async def client(sources: Mapping[str, Server], connections: int) -> AsyncIterator[Client]:
    """A client with so many connections at most, to the contenders; every answer has a deadline."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit_per_host=connections),
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        headers={"content-type": "application/json"},
    ) as session:
        yield Client(session, sources)


async def sample(asking: Client, server: Server, asked: Sequence[Asked], connections: int, queries: int) -> Sample:
    """Ask ``queries`` times over ``connections`` at once, one of ``asked`` after the other."""
    milliseconds: list[float] = []
    failed = started = 0

    async def worker() -> None:
        nonlocal started, failed
        while started < queries:
            each = asked[started % len(asked)]
            started += 1
            began = time.perf_counter()
            status, content = await asking.ask(server, each.body)
            milliseconds.append((time.perf_counter() - began) * 1000)
            failed += status != 200 or len(content) != each.size

    await asking.reset()
    cpu, began = cpu_seconds(server.pid), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    wall, cpu = time.perf_counter() - began, cpu_seconds(server.pid) - cpu
    return Sample(milliseconds, wall, cpu, sum((await asking.calls()).values()), failed)


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process has used, ended threads included, to the nanosecond (/proc has ticks of 10 ms)."""
    # what clock_getcpuclockid(3) makes of a process's id on Linux
    return time.clock_gettime((~pid << 3) | 2)


def megabytes(pid: int) -> float:
    """The most memory that a process has had since ``forget_peak``."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no memory")


def forget_peak(pid: int) -> None:
    """Let the peak be what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
