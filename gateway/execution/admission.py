"""How many operations run at the same time: the others wait their turn, and are refused if it does not come in time."""

from __future__ import annotations

import asyncio
from collections import deque

from resolvers.contracts import Limits
from resolvers.errors import Code, Refused


class Admission:
    """First come, first served, within ``limits.concurrency``, ``limits.queue`` and ``limits.queue_timeout``."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Take a place, to be left. Raises Refused (OVERLOADED): too many wait already, or none gets free in time."""
        if self._running < self._limits.concurrency:
            self._running += 1
        else:
            await self._wait()

    def leave(self) -> None:
        """Give the place to who has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # who is being cancelled has not left the queue yet
                turn.set_result(None)
                return
        self._running -= 1

    async def _wait(self) -> None:
        if len(self._waiting) >= self._limits.queue:
            raise Refused(Code.OVERLOADED, "Too many operations are waiting; try again later.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._limits.queue_timeout):
                await turn
        except BaseException as ended:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place came at the same moment
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(ended, TimeoutError):
                raise Refused(Code.OVERLOADED, "No other operation ended in time; try again later.") from None
            raise
