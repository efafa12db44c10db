"""Bounds on the calls to one source: how many at once, and how long each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .errors import CallError, FaultCode


class Gate:
    """At most ``concurrency`` calls in flight; each lasts at most ``timeout`` seconds and never past its deadline.

    Deadlines are in the running loop's time.
    """

    def __init__(self, concurrency: int, timeout: float) -> None:
        self._free = asyncio.Semaphore(concurrency)
        self._timeout = timeout

    @asynccontextmanager
    async def slot(self, deadline: float) -> AsyncIterator[None]:
        """Hold one of the places. Raises CallError (SOURCE_TIMEOUT) if none gets free before the deadline."""
        if deadline <= asyncio.get_running_loop().time():
            raise CallError(FaultCode.SOURCE_TIMEOUT)
        try:
            async with asyncio.timeout_at(deadline):
                await self._free.acquire()
        except TimeoutError:
            raise CallError(FaultCode.SOURCE_TIMEOUT) from None
        try:
            yield
        finally:
            self._free.release()

    def until(self, deadline: float) -> float:
        """When a call that starts now must end."""
        return min(deadline, asyncio.get_running_loop().time() + self._timeout)
