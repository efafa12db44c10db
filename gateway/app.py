"""The ASGI application: page, GraphQL endpoint, health."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache

import strawberry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from sources.source import Source

from .assemble import Assembled
from .config import Executor
from .examples import examples
from .execution.endpoint import Endpoint
from .execution.http import GraphQLApp
from .execution.planned import PlannedExecution
from .execution.prepared import PreparedOperations
from .health import Phase, Readiness, SourceState, health_routes
from .page import page_routes
from .schema.query import build_schema
from .telemetry.logs import AccessLog
from .verify import VerifiedSchema


@cache
def schema(executor: Executor = Executor.PLANNED) -> strawberry.Schema:
    """The schema with an executor; on nothing else in the configuration does it depend."""
    match executor:
        case Executor.CORE:
            return build_schema()
        case Executor.PLANNED:
            return build_schema(PlannedExecution)
        case Executor.VERIFY:
            return build_schema(PlannedExecution, VerifiedSchema)


class _LastCalls:
    """The last known state of each source, told by its calls."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._states: dict[str, dict[str, str | int | float | bool | None]] = {}
        for source in sources:
            self._states[source.name] = {"name": source.name, "state": "not asked yet"}
            source.on_call = self._listener(source)

    def _listener(self, source: Source) -> Callable[[str, str, int | None, float], None]:
        def called(resource: str, operation: str, status: int | None, seconds: float) -> None:
            answered = status is not None and status < 500
            self._states[source.name] = {
                "name": source.name,
                "state": "answering" if answered else "failing",
                "status": status,
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "milliseconds": round(seconds * 1000, 1),
                "calls": source.calls,
            }

        return called

    def states(self) -> list[SourceState]:
        return list(self._states.values())


def endpoint(assembled: Assembled) -> ASGIApp:
    """The GraphQL endpoint."""
    of, federation = schema(assembled.executor), assembled.federation
    planned = assembled.executor is Executor.PLANNED
    prepared = PreparedOperations(of, federation.limits) if planned else None
    return Endpoint(of, federation, GraphQLApp(of, federation), prepared)


def create_app(assembled: Assembled) -> Starlette:
    """The application over assembled sources, which it closes when it shuts down."""
    readiness = Readiness()
    calls = _LastCalls(assembled.sources)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        schema(assembled.executor)
        readiness.phase = Phase.READY
        yield
        readiness.phase = Phase.DRAINING
        await assembled.aclose()

    return Starlette(
        routes=[
            *page_routes(examples()[0].query),
            Route("/graphql", endpoint(assembled)),
            *health_routes(readiness, calls.states),
        ],
        middleware=[Middleware(AccessLog)],
        lifespan=lifespan,
    )
