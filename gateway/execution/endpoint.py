"""The endpoint: what was asked before is answered without Strawberry's view, and no otherwise than the view answers it.

Whatever is not plainly a query by POST with a JSON object goes to the view as it came.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.telemetry.logs import TOLD
from resolvers.federation import Federation
from resolvers.operation import Operation
from strawberry.schema import Schema

from .context import Context
from .http import reply
from .planned import execute
from .prepared import Prepared, PreparedOperations

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


class Endpoint:
    """An ASGI application over a schema and its view."""

    def __init__(self, schema: Schema, federation: Federation, view: ASGIApp) -> None:
        self.prepared = PreparedOperations(schema, federation.limits)
        self._schema = schema
        self._federation = federation
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._view(scope, receive, send)
            return
        started = time.perf_counter()
        headers = _first(scope["headers"])
        body = await _body(receive)
        if body is None:
            return
        asked = _asked(headers, body)
        prepared = None if asked is None else self.prepared.of(asked.query, asked.name)
        if asked is not None and prepared is not None:
            variables = prepared.variables(self._schema._schema, asked.variables)
            if variables is not None:
                context = Context(Operation(self._federation), prepared.logical(variables))
                result = await execute(self._schema, prepared, variables, context, asked.extensions)
                prefer = headers.get(b"prefer")
                made = reply(result, context, None if prefer is None else prefer.decode("latin-1"), started)
                scope[TOLD] = made.told
                await _send(send, made.status, made.headers, orjson.dumps(made.answer))
                return
        await self._view(scope, _again(body, receive), send)


def _first(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The first value of each header; names are in lower case (ASGI)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found.setdefault(name, value)
    return found


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if the client went away."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _again(body: bytes, receive: Receive) -> Receive:
    """The same request, for who reads it after us."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

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


async def _send(send: Send, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """As Starlette's ``Response`` does it."""
    sent = [(b"content-length", b"%d" % len(content)), (b"content-type", b"application/json")]
    sent += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": content})
