"""GraphQL over HTTP: Strawberry's view, with our context, answers and headers. Queries by POST only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema import Schema
from strawberry.types import ExecutionResult

from gateway.explain.explained import BadHeader, Explained, wanted
from gateway.telemetry.graphql_errors import log_graphql_errors, sanitise
from gateway.telemetry.logs import TOLD
from resolvers.errors import Code
from resolvers.federation import Federation
from resolvers.operation import Operation

from .answer import deduplicated, extensions, gap_errors
from .context import Context

_CONTEXT = "ss12000.context"
_RESPONSE = "ss12000.response"
_STARTED = "ss12000.started"

RETRY_AFTER = 30
"""Seconds that a client is told to wait after a strict refusal."""


def body(result: ExecutionResult, context: Context, *, lenient: bool = False) -> dict[str, Any]:
    """The answer as the client reads it. ``lenient`` keeps gaps out of ``errors``."""
    errors = sorted((_core_error(error) for error in result.errors or ()), key=_place)
    log_graphql_errors(errors)
    formatted: list[dict[str, Any]] = [dict(sanitise(error).formatted) for error in errors]
    if not lenient:
        formatted += gap_errors(context)
    answer: dict[str, Any] = {"data": result.data}
    if formatted:
        answer["errors"] = deduplicated(formatted)
    further = {**(result.extensions or {}), **extensions(context)}
    if further:
        answer["extensions"] = further
    return answer


def _place(error: GraphQLError) -> list[tuple[int, str]]:
    """Where an error stands in the answer: in what order values were completed must not matter."""
    return [(each, "") if isinstance(each, int) else (-1, each) for each in error.path or ()]


def _core_error(error: Any) -> GraphQLError:
    return error if isinstance(error, GraphQLError) else GraphQLError(str(type(error).__name__), original_error=error)


def preference(header: str | None) -> str | None:
    """``strict`` or ``lenient`` of ``Prefer: handling=…`` (RFC 7240, section 4.4)."""
    for part in (header or "").split(","):
        name, _, value = part.partition(";")[0].strip().partition("=")
        if name.strip().lower() == "handling":
            value = value.strip().strip('"').lower()
            return value if value in ("strict", "lenient") else None
    return None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and what HTTP says of it. Headers in the order in which they are sent.

    ``told``: what the log is told of the operation.
    """

    status: int
    headers: Mapping[str, str]
    answer: dict[str, Any]
    told: Mapping[str, object]


def reply(result: ExecutionResult, context: Context, prefer: str | None, started: float) -> Reply:
    """What an operation is answered with. ``started``: by ``time.perf_counter``."""
    headers = {"Cache-Control": "private, no-store"}
    handling = preference(prefer)
    if handling is not None:
        headers["Preference-Applied"] = f"handling={handling}"
    operation = context.operation
    gaps = operation.gaps.all()
    answer = body(result, context, lenient=handling == "lenient")
    status = 200
    if handling == "strict" and gaps:
        status = 503
        headers["Retry-After"] = str(RETRY_AFTER)
        answer["data"] = None
    told = {
        "milliseconds": round((time.perf_counter() - started) * 1000, 1),
        "fetches": operation.calls,
        "errors": len(answer.get("errors", ())),
        "gaps": [{"source": gap.source, "code": gap.code} for gap in gaps],
    }
    return Reply(status, headers, answer, told)


class GraphQLApp(GraphQL[Context, None]):
    """The GraphQL endpoint of a federation."""

    def __init__(self, schema: Schema, federation: Federation) -> None:
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=())
        self.federation = federation

    async def run(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().run(request, *args, **kwargs)
        except BadHeader as problem:
            error = {"message": str(problem), "extensions": {"code": str(Code.BAD_USER_INPUT)}}
            return Response(orjson.dumps({"errors": [error]}), 400, media_type="application/json")

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        context = Context(Operation(self.federation))
        if isinstance(request, Request) and (mode := wanted(request.headers)) is not None:
            context.explained = Explained(mode)
        request.scope[_CONTEXT] = context
        request.scope[_RESPONSE] = response
        request.scope[_STARTED] = time.perf_counter()
        return context

    async def process_result(self, request: Request, result: Any) -> Any:
        response: Response = request.scope[_RESPONSE]
        context: Context = request.scope[_CONTEXT]
        made = reply(result, context, request.headers.get("prefer"), request.scope[_STARTED])
        response.headers.update(made.headers)
        response.status_code = made.status
        request.scope[TOLD] = made.told
        return made.answer

    def encode_json(self, data: object) -> str | bytes:
        return orjson.dumps(data)
