"""Steps for many items at once: what is asked for under one key in the same turn of the event loop runs together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from resolvers.contracts import Step
from resolvers.driver import run
from resolvers.operation import Operation
from resolvers.trace import Field, fetching_for, fields

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(eq=False)
class Batch(Generic[K, V]):
    """All that one key was asked for in an operation. No item is ever asked for twice."""

    operation: Operation
    step: Callable[[list[K]], Step[Sequence[V]]]
    values: dict[K, V] = field(default_factory=dict)
    _next: dict[K, None] = field(default_factory=dict)
    _running: dict[K, asyncio.Task[None]] = field(default_factory=dict)
    _turn: asyncio.Task[None] | None = None
    _fields: frozenset[Field] = frozenset()
    """The fields that want what is asked for next, where somebody wants to see it."""

    async def all(self, items: Iterable[K]) -> Mapping[K, V]:
        """The values of these items, among all others that are known. Raises what the step raises."""
        missing = [item for item in items if item not in self.values]
        while missing:
            waiting = {self._running[item] for item in missing if item in self._running}
            fresh = [item for item in missing if item not in self._running]
            if fresh:
                self._next.update(dict.fromkeys(fresh))
                if self.operation.trace is not None:
                    self._fields |= fields()
                if self._turn is None:
                    self._turn = asyncio.ensure_future(self._dispatch())
                waiting.add(self._turn)
            await asyncio.gather(*waiting)
            missing = [item for item in missing if item not in self.values]
        return self.values

    async def _dispatch(self) -> None:
        await asyncio.sleep(0)  # others of this turn join
        items, self._next, turn, self._turn = list(self._next), {}, self._turn, None
        assert turn is not None
        self._running.update(dict.fromkeys(items, turn))
        if self._fields:
            asking, self._fields = self._fields, frozenset()
            with fetching_for(asking):
                found = await run(self.operation, self.step(items))
        else:
            found = await run(self.operation, self.step(items))
        self.values.update(zip(items, found, strict=True))


class Known(Generic[V]):
    """A value that is there, for those who await it."""

    __slots__ = ("value",)

    def __init__(self, value: V) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, V]:
        return self.value
        yield
