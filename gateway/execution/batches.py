"""Steps for many items at once: what is asked for under one key runs together, when nothing else goes on in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from resolvers.contracts import Step
from resolvers.operation import Operation
from resolvers.rounds import Job
from resolvers.trace import Field, fetching_for, fields

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(eq=False)
class _Dispatch(Generic[K]):
    """Some items that are asked for together, and who waits for them."""

    items: dict[K, None] = field(default_factory=dict)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    job: Job[Any] | None = None
    fields: frozenset[Field] = frozenset()
    """The fields that want them, where somebody wants to see it."""


@dataclass(eq=False)
class Batch(Generic[K, V]):
    """All that one key was asked for in an operation. No item is ever asked for twice."""

    operation: Operation
    step: Callable[[list[K]], Step[Sequence[V]]]
    values: dict[K, V] = field(default_factory=dict)
    _next: _Dispatch[K] | None = None
    _running: dict[K, _Dispatch[K]] = field(default_factory=dict)

    async def all(self, items: Iterable[K]) -> Mapping[K, V]:
        """The values of these items, among all others that are known. Raises what the step raises.

        For coroutines that the operation's rounds count.
        """
        missing = [item for item in items if item not in self.values]
        while missing:
            fresh = [item for item in missing if item not in self._running]
            if fresh:
                if self._next is None:
                    self._next = _Dispatch()
                    self.operation.rounds.batch(self._dispatch)
                self._next.items.update(dict.fromkeys(fresh))
                if self.operation.trace is not None:
                    self._next.fields |= fields()
                self._running.update(dict.fromkeys(fresh, self._next))
            await self._over(self._running[missing[0]])
            missing = [item for item in missing if item not in self.values]
        return self.values

    async def _over(self, dispatch: _Dispatch[K]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        dispatch.waiters.append(future)
        try:
            await self.operation.rounds.parked(future)
        except asyncio.CancelledError:
            dispatch.waiters.remove(future)
            if not dispatch.waiters and dispatch.job is not None:
                self.operation.rounds.abandon(dispatch.job)
                self._ended(dispatch)
            raise

    def _dispatch(self) -> None:
        dispatch, self._next = self._next, None
        assert dispatch is not None
        if not dispatch.waiters:
            self._ended(dispatch)
            return
        items, rounds = list(dispatch.items), self.operation.rounds

        def then(found: Sequence[V] | None, failure: BaseException | None) -> None:
            if found is not None:
                self.values.update(zip(items, found, strict=True))
            self._ended(dispatch)
            waiters, dispatch.waiters = dispatch.waiters, []
            for waiter in waiters:
                rounds.wake(waiter, None, failure)

        with fetching_for(dispatch.fields):
            dispatch.job = rounds.begin(self.step(items), then)

    def _ended(self, dispatch: _Dispatch[K]) -> None:
        for item in dispatch.items:
            if self._running.get(item) is dispatch:
                del self._running[item]


class Known(Generic[V]):
    """A value that is there, for those who await it."""

    __slots__ = ("value",)

    def __init__(self, value: V) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, V]:
        return self.value
        yield
