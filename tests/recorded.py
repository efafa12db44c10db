"""Sources in process that record which calls overlap: how many rounds an operation needs is counted, not timed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from sources.demo.api import PREFIX, Api
from sources.demo.credentials import Open
from sources.demo.store import Store, Table
from sources.standard import RESOURCES
from tests.hostile.servers import called

Record = dict[str, object]

TURNS = 60
"""Turns of the event loop that a call takes: more than lie between the sending of one round's first and last call."""


@dataclass(frozen=True)
class Seen:
    """One call. ``round``: one later than the latest round of which a call had ended when this one began."""

    source: str
    method: str
    path: str
    query: str
    round: int


@dataclass
class Recorder:
    """The calls of all sources."""

    calls: list[Seen] = field(default_factory=list)
    ended: int = 0

    def reset(self) -> None:
        self.calls.clear()
        self.ended = 0

    @property
    def rounds(self) -> int:
        return max((call.round for call in self.calls), default=0)

    def counted(self) -> dict[tuple[str, str], int]:
        """Per source and path, how many calls."""
        return dict(Counter((call.source, f"{call.method} {call.path}") for call in self.calls))


class Recorded(httpx.AsyncBaseTransport):
    """Carries requests to the source's server in process, and takes its time."""

    def __init__(self, name: str, records: Mapping[str, Sequence[Record]], page_size: int, recorder: Recorder) -> None:
        plural = {each.plural: each.name for each in RESOURCES.values()}
        own = {plural[each]: found for each, found in records.items()}
        empty = {each: Table([]) for each in RESOURCES if each not in own}
        self._app = Api(Store(own, empty), [], Open(), page_size).app()
        self._name, self._recorder = name, recorder

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        recorder, path = self._recorder, request.url.path.removeprefix(PREFIX)
        seen = Seen(self._name, request.method, path, request.url.query.decode(), recorder.ended + 1)
        recorder.calls.append(seen)
        answer = await called(self._app, request.method, request.url.path, request.url.query, request.content)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        recorder.ended = max(recorder.ended, seen.round)
        return answer
