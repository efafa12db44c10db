"""Is the gateway alive, should it get traffic, and how did its sources last answer? JSON, for probes and people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_FRESH = {"Cache-Control": "no-store"}

SourceState = Mapping[str, str | int | float | bool | None]
"""What is known of one source: its name, its last result, when; never a text that the source sent."""


class Phase(StrEnum):
    """Where the process is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    """It finishes what it has and wants nothing new."""


class Readiness:
    """The phase of this process; the application's lifespan moves it on."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING


def health_routes(readiness: Readiness, sources: Callable[[], Sequence[SourceState]]) -> list[Route]:
    """``/health``, ``/ready`` and ``/health/sources``.

    ``/ready`` is 503 while starting and draining. A source that is down does not change it: the gateway still answers,
    with gaps. ``sources`` gives the last known state of each source; it must not wait for anything.
    """

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"}, headers=_FRESH)

    async def ready(request: Request) -> JSONResponse:
        status = 200 if readiness.phase is Phase.READY else 503
        return JSONResponse({"status": readiness.phase}, status, headers=_FRESH)

    async def source_states(request: Request) -> JSONResponse:
        return JSONResponse({"sources": [dict(state) for state in sources()]}, headers=_FRESH)

    return [Route("/health", health), Route("/ready", ready), Route("/health/sources", source_states)]
