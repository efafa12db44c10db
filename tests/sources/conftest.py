"""A source in front of whatever a test says: a handler without network, or a small server on a loopback port."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import fields, replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn

from sources.cache import Cache
from sources.capabilities import Capabilities
from sources.records import Answer
from sources.settings import SourceSettings
from sources.source import Source
from sources.standard import RESOURCES

URL = "https://sis.example/ss12000/v2.0"
CAPABILITIES = Capabilities(frozenset(RESOURCES))
SETTINGS = SourceSettings("sis", URL, CAPABILITIES)


def soon(seconds: float = 5.0) -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + seconds


def settings(**changes: Any) -> SourceSettings:
    capabilities = {each.name: changes.pop(each.name) for each in fields(Capabilities) if each.name in changes}
    return replace(SETTINGS, capabilities=replace(CAPABILITIES, **capabilities), **changes)


Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Awaitable[httpx.Response]]


def source_of(handler: Handler, cache: Cache | None = None, clock: Any = None, **changes: Any) -> Source:
    """A source whose requests ``handler`` answers."""
    more = {} if clock is None else {"clock": clock}
    return Source(settings(**changes), cache or Cache(), transport=httpx.MockTransport(handler), **more)


def ids(answer: Answer) -> list[str]:
    return [identity for slab in answer.slabs for identity in slab.ids]


def codes(answer: Any) -> list[str]:
    return [fault.code.value for fault in answer.faults]


def asked(request: httpx.Request) -> dict[str, list[str]]:
    """The query parameters of a request."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.url.query.decode(), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def body(request: httpx.Request) -> Any:
    return json.loads(request.content)


class Clock:
    """A clock that moves when told."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[str]:
    """A real server for an ASGI application; gives its URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    options = {"log_config": None, "log_level": "critical", "lifespan": "off", "ws": "none", **options}
    server = uvicorn.Server(uvicorn.Config(app, **options))
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it by a flag alone
        await asyncio.sleep(0.01)
    scheme = "https" if options.get("ssl_certfile") else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = options["lifespan"] == "off"
        await running
        listener.close()


@asynccontextmanager
async def raw_server(answer: bytes, *, hold: bool = False) -> AsyncIterator[str]:
    """A server that answers every connection with these bytes and closes it (or holds it open); gives its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with suppress(ConnectionError):  # the client has what it wants
            await writer.drain()
            if hold:
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
