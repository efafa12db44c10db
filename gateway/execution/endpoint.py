"""The endpoint: what was asked before is answered without Strawberry's view, and no otherwise than the view answers it.

Whatever is not plainly a query by POST with a JSON object goes to the view as it came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strawberry.schema import Schema
from strawberry.types import ExecutionResult

from gateway.explain.admission import admit
from gateway.telemetry.logs import TOLD
from resolvers.errors import Refused
from resolvers.federation import Federation
from resolvers.operation import Operation

from .admission import Admission
from .context import Context
from .http import RETRY_AFTER, reply
from .leaving import Leaving
from .pages import Pieces
from .planned import PAGE, execute
from .prepared import PreparedOperations

JSON = (b"application/json", b"application/json; charset=utf-8")
"""Content types whose bodies are read here; the view reads others that say the same otherwise."""
VIEW_ONLY = frozenset({b"x-explain"})
"""Headers that ask for something that only the view gives."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request's body says."""

    query: str
    name: str | None
    variables: Mapping[str, Any]
    extensions: Mapping[str, Any] | None


DEPTH = 3
"""How deep long lists are looked for: ``data``, a root field, ``nodes`` of a connection."""
GONE = 499
"""The status that the log has of a request whose client went away, as nginx writes it."""


class Endpoint:
    """An ASGI application over a schema and its view. ``prepared``: what it answers without the view; None: nothing."""

    def __init__(
        self, schema: Schema, federation: Federation, view: ASGIApp, prepared: PreparedOperations | None
    ) -> None:
        self.prepared = prepared
        self._schema = schema
        self._federation = federation
        self._view = view
        self._admission = Admission(federation.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._view(scope, receive, send)
            return
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._federation.limits.operation_timeout):
                body = await _body(receive, self._federation.limits.max_request)
        except _TooLarge:
            await PlainTextResponse("The request is too large.", 413)(scope, receive, send)
            return
        except TimeoutError:
            await PlainTextResponse("The request did not come in time.", 408)(scope, receive, send)
            return
        except _Gone:
            await _gone(send)
            return
        leaving = Leaving(receive)
        try:
            await self._admission.enter()
            try:
                if not await self._answered(scope, body, send, started):
                    await self._view(scope, _again(body), send)
            finally:
                self._admission.leave()
        except Refused as refused:
            await _refuse(send, refused)
        except asyncio.CancelledError:
            if not leaving.gone:
                raise
            await _gone(send)
        finally:
            leaving.close()

    async def _answered(self, scope: Scope, body: bytes, send: Send, started: float) -> bool:
        """Whether it is one of those that are answered here."""
        headers = _first(scope["headers"])
        asked = None if self.prepared is None else _asked(headers, body)
        if asked is None or self.prepared is None:
            return False
        prepared = self.prepared.of(asked.query, asked.name)
        if prepared is None:
            return False
        variables = prepared.variables(self._schema._schema, asked.variables)
        if variables is None:
            return False
        context = Context(Operation(self._federation), prepared.logical(variables))
        context.in_pieces = True
        refused = admit(self._schema, asked.query, prepared.document, asked.name, asked.variables, context)
        if refused is not None:
            result = ExecutionResult(refused.data, refused.errors)
        else:
            result = await execute(self._schema, prepared, variables, context, asked.extensions)
        prefer = headers.get(b"prefer")
        made = reply(result, context, None if prefer is None else prefer.decode("latin-1"), started)
        scope[TOLD] = made.told
        await _send(send, made.status, made.headers, await _printed(made.answer))
        return True


def _first(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The first value of each header; names are in lower case (ASGI)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found.setdefault(name, value)
    return found


class _TooLarge(Exception):
    """The body has more bytes than it may have."""


class _Gone(Exception):
    """The client went away."""


async def _body(receive: Receive, most: int) -> bytes:
    """The whole body. Raises _TooLarge and _Gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunk: bytes = message.get("body", b"")
        body = body + chunk if body else chunk
        if len(body) > most:
            raise _TooLarge
        if not message.get("more_body", False):
            return body


def _again(body: bytes) -> Receive:
    """The same request, for the view; whether the client is still there is looked after by us."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        if not waiting:
            await asyncio.get_running_loop().create_future()  # until the operation ends
        return waiting.pop()

    return received


def _asked(headers: Mapping[bytes, bytes], body: bytes) -> Asked | None:
    """None for what is left to the view: it has the words for what is wrong."""
    if headers.get(b"content-type") not in JSON or not VIEW_ONLY.isdisjoint(headers):
        return None
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if data.__class__ is not dict:
        return None
    query, name = data.get("query"), data.get("operationName")
    variables, extensions = data.get("variables"), data.get("extensions")
    if (
        query.__class__ is not str
        or not (name is None or name.__class__ is str)
        or not (variables is None or (variables.__class__ is dict and _exact(variables)))
        or not (extensions is None or extensions.__class__ is dict)
    ):
        return None
    return Asked(query, name, variables or {}, extensions)


def _exact(value: Any) -> bool:
    """Whether it is what Python's own decoder makes of it: where that has a large integer, orjson has a float."""
    if isinstance(value, dict):
        return all(map(_exact, value.values()))
    if isinstance(value, list):
        return all(map(_exact, value))
    return not isinstance(value, float)


async def _send(send: Send, status: int, headers: Mapping[str, str], pieces: Sequence[bytes]) -> None:
    """As Starlette's ``Response`` does it; a long answer in pieces, so that it never stands in memory twice."""
    sent = [(b"content-length", b"%d" % sum(map(len, pieces))), (b"content-type", b"application/json")]
    sent += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    for piece in pieces[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": pieces[-1]})


async def _printed(answer: Mapping[str, Any]) -> list[bytes]:
    """The answer as JSON, in pieces; others have their turn between those of long lists."""
    if not _long(answer):
        return [orjson.dumps(answer)]
    pieces = []
    for piece in _pieces(answer):
        pieces.append(piece)
        await asyncio.sleep(0)
    return pieces


def _long(value: object, depth: int = DEPTH) -> bool:
    """Whether there is a list in it, at its top, that is worth being printed page by page."""
    if isinstance(value, list | Pieces):
        return isinstance(value, Pieces) or len(value) > PAGE
    return isinstance(value, dict) and depth > 0 and any(_long(each, depth - 1) for each in value.values())


def _pieces(value: Any, depth: int = DEPTH) -> Iterator[bytes]:
    """What ``orjson.dumps`` gives, piece by piece."""
    if not _long(value, depth):
        yield orjson.dumps(value)
    elif isinstance(value, Pieces):
        for place, piece in enumerate(value.records):
            yield (b"," if place else b"[") + piece
        yield b"]" if value.records else b"[]"
    elif isinstance(value, list):
        for start in range(0, len(value), PAGE):
            yield (b"," if start else b"[") + orjson.dumps(value[start : start + PAGE])[1:-1]
        yield b"]"
    else:
        for place, (key, each) in enumerate(value.items()):
            yield (b"," if place else b"{") + orjson.dumps(key) + b":"
            yield from _pieces(each, depth - 1)
        yield b"}"


async def _refuse(send: Send, refused: Refused) -> None:
    """503: not now."""
    error = {"message": refused.message, "extensions": {"code": str(refused.code)}}
    headers = {"Cache-Control": "private, no-store", "Retry-After": str(RETRY_AFTER)}
    await _send(send, 503, headers, [orjson.dumps({"data": None, "errors": [error]})])


async def _gone(send: Send) -> None:
    """Nobody reads it, but the log."""
    await _send(send, GONE, {}, [b""])
