"""The sources of a world: the demonstration's own server, called in process, behind a gateway of its own.

What a server is, its habits and faults, is a function of the world's seed: asked again it is the same again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

from gateway.assemble import Assembled, assemble
from gateway.config import parse
from sources.demo.api import PREFIX, Api
from sources.demo.credentials import Open
from sources.demo.habits import STANDARD, Habits, Pages, declared
from sources.demo.store import Store, Table
from sources.demo.world import Deleted
from sources.standard import RESOURCES

from .habits import held
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
    """How one source serves. ``page_size``: the most records of its pages; ``limit``: what the gateway asks for.

    ``chunk``: the most ids that the gateway puts into a lookup; ``silent``: how much a lookup takes is not declared, so
    that the gateway finds out by itself.
    """

    page_size: int = 100
    limit: int | None = 100
    chunk: int | None = None
    habits: Habits = STANDARD
    silent: bool = False

    def declared(self, served: Sequence[str]) -> dict[str, Any]:
        """Its part of gateway.yaml, as far as the habits go."""
        section = declared(self.habits, served, self.limit)
        if self.silent:
            section = {key: value for key, value in section.items() if key != "lookup_chunk"}
        if self.habits.paging is not Pages.NONE and self.limit is None:
            section["page_size"] = None
        if self.chunk is not None and "lookup_chunk" not in section:
            section["lookup_chunk"] = self.chunk
        return section


class _InProcess(httpx.AsyncBaseTransport):
    """Carries requests to an ASGI application, without sockets."""

    def __init__(self, app: ASGIApp, name: str, behaviour: Behaviour, losses: Losses) -> None:
        self._app = app
        paths = behaviour.habits.paths
        self._lost = {
            paths.get(resource, RESOURCES[resource].path).split("/")[1]: kind
            for (source, resource), kind in losses.items()
            if source == name
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        lost = self._lost.get(request.url.path.removeprefix(PREFIX).split("/")[1])
        if lost is not None:
            return _failed(lost, request)
        return await called(self._app, request.method, request.url.path, request.url.query, request.content)


def _failed(kind: str, request: httpx.Request) -> httpx.Response:
    match kind:
        case "unreachable":
            raise httpx.ConnectError("nobody listens", request=request)
        case "forbidden":
            return httpx.Response(403, json={"code": "FORBIDDEN", "message": "no"})
        case "garbage":
            return httpx.Response(200, content=b"<html>under maintenance</html>")
    return httpx.Response(500)


async def called(app: ASGIApp, method: str, path: str, query: bytes, body: bytes) -> httpx.Response:
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
    served = held(world.records[name], behaviour.habits)
    lost = {resource for source, resource in losses if source == name}
    own = {resource: records for resource, records in served.items() if resource not in lost}
    behind = {**_EMPTY, **{resource: Table(served[resource]) for resource in lost}}
    gone = [Deleted(each.resource, each.id, datetime.fromisoformat(each.at)) for each in world.deleted.get(name, ())]
    return Api(Store(own, behind), gone, Open(), behaviour.page_size, behaviour.habits).app()


def document(world: World, behaviours: Mapping[str, Behaviour]) -> dict[str, Any]:
    """The gateway.yaml of a world, as data."""
    configuration = world.configuration
    for name, section in configuration["sources"].items():
        section |= behaviours[name].declared(list(world.records[name]))
        section["url"] = f"http://{name}.example{PREFIX}"
    policy = {"protected_persons": "show" if world.show_protected else "hide"}
    of_its_own = {
        each for name, served in world.records.items() for each in served if each in behaviours[name].habits.own_ids
    }
    identity = {
        RESOURCES[name].plural: {"keys": list(keys)} for name, keys in world.identity.items() if name in of_its_own
    }
    secret = {"secret": "one secret for all hostile worlds"}
    return {**configuration, "policy": policy, "identity": identity, "server": secret}


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
