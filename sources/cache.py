"""Answers of sources, kept as bytes for a while.

Two kinds are kept. A *walk* is a query's list: a generation of pages that expire together; a page is only ever added to
the generation whose token asked for it, so two states of a list are never mixed. A *record* is one thing asked for by
id (or the fact that it is not there), so that a lookup of many ids asks a source only for those that are not known.

The bytes lie in aiocache's memory cache. What that lacks stands here: a bound in bytes (the least recently used goes
first), expiry without timers (a timer of a value that was replaced would delete its successor), and one upstream call
for equal concurrent requests. Keys are keyed digests: nothing that was asked for can be read from them.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import TypeVar, cast

from aiocache import SimpleMemoryCache

from .errors import CallError, FaultCode

T = TypeVar("T")

_OVERHEAD = 512
"""Bytes that the bookkeeping of one value takes, about."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A cached value; no bytes (``b""``) say that the source has no such record. ``fetched_at``: of the original."""

    body: bytes
    fetched_at: datetime


@dataclass(slots=True)
class _Unit:
    """What expires, and is thrown out, as one: a record, or all pages of a generation."""

    expires: float
    size: int = 0
    fetched: dict[str, datetime] = field(default_factory=dict)
    """When each value was fetched, by its key in the store."""
    sizes: dict[str, int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    """Of a generation: the pages that its pages lead to, by their keys in the store."""


class Cache:
    """One for the process. ``max_bytes`` bounds what is kept; ``clock`` gives seconds that only ever grow."""

    def __init__(self, max_bytes: int = 256 * 1024 * 1024, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self.flights = Flights()
        self._clock = clock
        self._keyed = blake2b(key=secrets.token_bytes(32), digest_size=16)
        self._store = SimpleMemoryCache(timeout=None)
        self._units: OrderedDict[str, _Unit] = OrderedDict()
        self._current: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def digest(self, *parts: str) -> str:
        """A key for these parts, in this order. It tells nothing about them, and is another in each process."""
        data = [part.encode("utf-8", "surrogatepass") for part in parts]
        lengths = ",".join([str(len(each)) for each in data])
        state = self._keyed.copy()
        state.update(b"".join([lengths.encode(), b":", *data]))
        return state.hexdigest()

    # Walks

    def generation(self, walk: str, token: str | None) -> str | None:
        """The generation of a walk that holds ``token`` (None: its newest), if it has not expired."""
        generation = self._current.get(walk)
        unit = None if generation is None else self._alive(generation)
        if generation is None or unit is None:
            return None
        return generation if token is None or self._page_key(generation, token) in unit.tokens else None

    async def page(self, generation: str | None, token: str | None) -> Stored | None:
        """A page of a generation, if it is kept."""
        if generation is None or self._alive(generation) is None:
            return None
        return (await self._read([(generation, self._page_key(generation, token))]))[0]

    async def put_page(
        self,
        walk: str,
        generation: str | None,
        token: str | None,
        page: Stored,
        following: str | None,
        ttl: float,
    ) -> str | None:
        """Keep a page. A first page (no token) begins a new generation, which is given back and lives ``ttl`` seconds.

        A later page is kept only while the generation that its token came from lives; ``following`` is its own token.
        """
        if ttl <= 0:
            return None
        if token is None:
            previous = self._current.pop(walk, None)
            if previous is not None:
                await self._drop(previous)
            generation = f"{walk}:{next(self._numbers)}"
            self._units[generation] = _Unit(self._clock() + ttl)
            self._current[walk] = generation
        elif generation is None or self._alive(generation) is None:
            return None
        unit, key = self._units[generation], self._page_key(generation, token)
        if token is not None and key not in unit.tokens:
            return None
        if following is not None:
            unit.tokens.add(self._page_key(generation, following))
        await self._write(generation, {key: page.body}, page.fetched_at)
        return generation

    def watch(self, walk: str, generation: str | None) -> Callable[[], bool]:
        """Tells whether a generation has neither expired nor been replaced, also after its pages were thrown out."""
        unit = None if generation is None else self._alive(generation)
        expires = 0.0 if unit is None else unit.expires

        def alive() -> bool:
            return self._clock() < expires and self._current.get(walk, generation) == generation

        return alive

    async def forget(self, walk: str) -> None:
        """Throw out a walk whose source says that it changed."""
        generation = self._current.pop(walk, None)
        if generation is not None:
            await self._drop(generation)

    # Records

    async def records(self, keys: Sequence[str]) -> list[Stored | None]:
        """What is kept under each key, in order."""
        known = [key for key in keys if self._alive(key) is not None]
        found = dict(zip(known, await self._read([(key, key) for key in known]), strict=True)) if known else {}
        return [found.get(key) for key in keys]

    def has(self, key: str) -> bool:
        """Whether a record, or that there is none, is kept under a key."""
        return self._alive(key) is not None

    async def put_records(self, bodies: Mapping[str, bytes], fetched_at: datetime, ttl: float) -> None:
        """Keep a record under each key for ``ttl`` seconds; ``b""`` keeps that there is none."""
        if ttl <= 0:
            return
        expires = self._clock() + ttl
        for key, body in bodies.items():
            previous = self._units.pop(key, None)
            if previous is not None:
                self.bytes -= previous.size
            size = len(body) + _OVERHEAD
            self._units[key] = _Unit(expires, size, {key: fetched_at}, {key: size})
            self.bytes += size
        await self._store.multi_set(list(bodies.items()), ttl=None)
        await self._evict()

    # Inside

    def _page_key(self, generation: str, token: str | None) -> str:
        return self.digest(generation, "" if token is None else token)

    def _alive(self, name: str) -> _Unit | None:
        unit = self._units.get(name)
        return unit if unit is not None and unit.expires > self._clock() else None

    async def _read(self, places: Sequence[tuple[str, str]]) -> list[Stored | None]:
        bodies = cast("list[bytes | None]", await self._store.multi_get([key for _, key in places]))
        if len(bodies) != len(places):  # aiocache switched off by its own environment variable
            return [None] * len(places)
        result: list[Stored | None] = []
        for (name, key), body in zip(places, bodies, strict=True):
            unit = self._units.get(name)
            if body is None or unit is None or key not in unit.fetched:
                result.append(None)
                continue
            self._units.move_to_end(name)
            result.append(Stored(body, unit.fetched[key]))
        return result

    async def _write(self, name: str, bodies: Mapping[str, bytes], fetched_at: datetime) -> None:
        unit = self._units[name]
        self._units.move_to_end(name)
        for key, body in bodies.items():
            size = len(body) + _OVERHEAD
            change = size - unit.sizes.get(key, 0)
            unit.sizes[key] = size
            unit.fetched[key] = fetched_at
            unit.size += change
            self.bytes += change
        await self._store.multi_set(list(bodies.items()), ttl=None)
        await self._evict()

    async def _drop(self, name: str) -> None:
        unit = self._units.pop(name, None)
        if unit is None:
            return
        self.bytes -= unit.size
        walk = name.partition(":")[0]
        if self._current.get(walk) == name:
            del self._current[walk]
        for key in unit.fetched:
            await self._store.delete(key)

    async def _evict(self) -> None:
        """Make room: what was used longest ago goes first, expired or not (expired values are not touched again)."""
        while self.bytes > self.max_bytes and self._units:
            await self._drop(next(iter(self._units)))


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[object]
    deadline: float
    waiting: int = 0


class Flights:
    """Equal requests at the same time are one call. Each waiter keeps its own deadline, and may leave alone."""

    def __init__(self) -> None:
        self._flying: dict[str, _Flight] = {}

    async def share(self, key: str, deadline: float, make: Callable[[], Awaitable[T]]) -> T:
        """The outcome of ``make`` under this key, made here or by whoever asked first; an exception is shared too.

        Raises CallError (SOURCE_TIMEOUT) at the deadline. A flight that ended because its first passenger had less
        time than this one is made again.
        """
        while True:
            flight = self._flying.get(key)
            joined = flight is not None
            if flight is None:
                flight = _Flight(asyncio.ensure_future(_run(make)), deadline)
                self._flying[key] = flight
                flight.task.add_done_callback(partial(self._done, key, flight))
            flight.waiting += 1
            try:
                async with asyncio.timeout_at(deadline):
                    return cast(T, await asyncio.shield(flight.task))
            except TimeoutError:
                raise CallError(FaultCode.SOURCE_TIMEOUT) from None
            except CallError as failure:
                timeout = failure.code is FaultCode.SOURCE_TIMEOUT
                if timeout and joined and flight.deadline < deadline:
                    continue
                raise
            finally:
                flight.waiting -= 1
                if flight.waiting == 0 and not flight.task.done():
                    # Nobody is left who wants it. It must not be joined while it is being cancelled.
                    self._landed(key, flight)
                    flight.task.cancel()

    def _done(self, key: str, flight: _Flight, _task: asyncio.Task[object]) -> None:
        self._landed(key, flight)

    def _landed(self, key: str, flight: _Flight) -> None:
        if self._flying.get(key) is flight:
            del self._flying[key]
        if flight.task.done() and not flight.task.cancelled():
            flight.task.exception()  # seen, even where the last waiter has just left


async def _run(make: Callable[[], Awaitable[T]]) -> object:
    return await make()
