"""The sources of a world: the demonstration's own server, called in process, behind a gateway of its own.

What a server is, its habits and faults, is a function of the world's seed: asked again it is the same again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

from gateway.assemble import Assembled, assemble
from gateway.config import parse
from sources.demo.api import PREFIX, Api
from sources.demo.credentials import Open
from sources.demo.store import Store, Table
from sources.standard import RESOURCES

from .worlds import World

FAULTS = ("unavailable", "forbidden", "unreachable", "garbage")
"""How a resource of a source can be lost."""
CODES = {
    "unavailable": "SOURCE_UNAVAILABLE",
    "forbidden": "SOURCE_FORBIDDEN",
    "unreachable": "SOURCE_UNREACHABLE",
    "garbage": "SOURCE_ANSWER_INVALID",
}
Losses = Mapping[tuple[str, str], str]
"""Source and resource → the kind of fault by which everything asked of it fails."""


@dataclass(frozen=True)
class Behaviour:
    """How one source serves. ``declared`` is what its part of gateway.yaml says beyond what it serves and holds."""

    page_size: int = 100
    ignores_filters: frozenset[str] = frozenset()
    no_lookup: frozenset[str] = frozenset()
    declared: Mapping[str, Any] = field(default_factory=dict)


class _InProcess(httpx.AsyncBaseTransport):
    """Carries requests to an ASGI application, without sockets."""

    def __init__(self, app: ASGIApp, name: str, behaviour: Behaviour, losses: Losses) -> None:
        self._app = app
        self._paths = {RESOURCES[resource].path: kind for (source, resource), kind in losses.items() if source == name}
        self._ignoring = {RESOURCES[resource].path: RESOURCES[resource] for resource in behaviour.ignores_filters}
        self._without_lookup = {f"{RESOURCES[resource].path}/lookup" for resource in behaviour.no_lookup}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(PREFIX)
        base = "/" + path.split("/")[1]
        lost = self._paths.get(base)
        if lost is not None:
            return _lost(lost, request)
        if path in self._without_lookup:
            return httpx.Response(404)
        query = request.url.query
        if path in self._ignoring:
            kept = {*self._ignoring[path].window, "limit", "pageToken"}
            query = b"&".join(pair for pair in query.split(b"&") if pair.partition(b"=")[0].decode() in kept)
        return await _called(self._app, request.method, request.url.path, query, request.content)


def _lost(kind: str, request: httpx.Request) -> httpx.Response:
    match kind:
        case "unreachable":
            raise httpx.ConnectError("nobody listens", request=request)
        case "forbidden":
            return httpx.Response(403, json={"code": "FORBIDDEN", "message": "no"})
        case "garbage":
            return httpx.Response(200, content=b"<html>under maintenance</html>")
    return httpx.Response(500)


async def _called(app: ASGIApp, method: str, path: str, query: bytes, body: bytes) -> httpx.Response:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"source"), (b"content-type", b"application/json")],
        "client": None,
        "server": ("source", 80),
    }
    sent: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    status, headers, content = 500, [], b""

    async def receive() -> Message:
        return sent.pop() if sent else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, headers, content
        if message["type"] == "http.response.start":
            status, headers = message["status"], message["headers"]
        else:
            content += message.get("body", b"")

    await app(scope, receive, send)
    return httpx.Response(status, headers=headers, content=content)


_EMPTY = {resource: Table([]) for resource in RESOURCES}


def _app(world: World, name: str, behaviour: Behaviour, losses: Losses) -> ASGIApp:
    """The source's server. What is lost is not embedded in anything else either, although the server knows it."""
    served = world.records[name]
    lost = {resource for source, resource in losses if source == name}
    own = {resource: records for resource, records in served.items() if resource not in lost}
    behind = {**_EMPTY, **{resource: Table(served[resource]) for resource in lost}}
    return Api(Store(own, behind), (), Open(), behaviour.page_size).app()


def document(world: World, behaviours: Mapping[str, Behaviour]) -> dict[str, Any]:
    """The gateway.yaml of a world, as data."""
    configuration = world.configuration
    for name, section in configuration["sources"].items():
        behaviour = behaviours[name]
        section["url"] = f"http://{name}.example{PREFIX}"
        for key, resources in (("filters_ignored", behaviour.ignores_filters), ("no_lookup", behaviour.no_lookup)):
            if resources:
                section[key] = [RESOURCES[resource].plural for resource in sorted(resources)]
        section.update(behaviour.declared)
    policy = {"protected_persons": "show" if world.show_protected else "hide"}
    return {**configuration, "policy": policy, "server": {"secret": "one secret for all hostile worlds"}}


@asynccontextmanager
async def gateway(
    world: World, behaviours: Mapping[str, Behaviour], losses: Losses | None = None
) -> AsyncIterator[Assembled]:
    """A gateway in front of the world's sources, with an empty cache."""
    losses = losses or {}
    transports = {
        name: _InProcess(_app(world, name, behaviours[name], losses), name, behaviours[name], losses)
        for name in world.records
    }
    assembled = assemble(parse(document(world, behaviours), Path.cwd(), {}), transports)
    try:
        yield assembled
    finally:
        await assembled.aclose()
