"""A client that goes away ends what is done for it."""

from __future__ import annotations

import asyncio

from starlette.types import Receive

PATIENCE = 0.02
"""Seconds after which it is worth listening whether the client is still there; most answers are given before."""


class Leaving:
    """Cancels the task it was made in when the client goes away; ``gone`` then. To be closed."""

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        self._receive = receive
        self._task = asyncio.current_task()
        self._listening: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._listen)

    def close(self) -> None:
        self._timer.cancel()
        if self._listening is not None:
            self._listening.cancel()

    def _listen(self) -> None:
        self._listening = asyncio.ensure_future(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        assert self._task is not None
        self._task.cancel()
