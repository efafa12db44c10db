"""Small questions, answered from the cache: the gateway's endpoint beside Strawberry's own view of the same schema.

``python -m tests.benchmarks.small``: CPU per request of one process that serves both, asked in turn over HTTP; both
write the access log. ``--within`` asks within a process, without HTTP: what is left is the endpoints' own work.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import httpx
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from gateway.app import create_app, schema
from gateway.assemble import assemble
from gateway.config import Executor, parse
from gateway.execution.context import Context
from gateway.telemetry import logs
from resolvers.federation import Federation
from resolvers.operation import Operation

from .measuring import cpu_seconds
from .processes import Server, running
from .table import number, table
from .workload import demo_records

NINE = (
    "givenName middleName familyName displayName birthDate civicNo { value } securityMarking "
    "emails { value type } enrolments { schoolType enroledAt { id } }"
)
"""Nine fields of a person."""
PUPILS = 60
PATHS = {"gateway": "/graphql", "stock": "/stock"}
"""The contenders: where each is asked."""

Ask = Callable[[str, bytes], Awaitable[bytes]]


class Stock(GraphQL[Context, None]):
    """Strawberry's view as it is, with graphql-core's executor."""

    def __init__(self, federation: Federation) -> None:
        super().__init__(schema(Executor.CORE))
        self.federation = federation

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return Context(Operation(self.federation))


def person() -> dict[str, Any]:
    """A pupil of the demonstration who has all nine."""
    persons = demo_records(("persons",), PUPILS)["persons"]
    return next(each for each in persons if each.get("enrolments") and each.get("emails"))


def application() -> Starlette:
    """The gateway over a source with one person, and the stock view beside it."""
    record = person()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [record]})

    settings = parse(
        {
            "sources": {"sis": {"url": "https://sis.example", "resources": ["persons"]}},
            "cache": {"ttl": {"default": "1h"}},
        },
        Path.cwd(),
        {},
    )
    assembled = assemble(settings, {"sis": httpx.MockTransport(answer)})
    app = create_app(assembled)
    app.router.routes.append(Route(PATHS["stock"], Stock(assembled.federation)))
    return app


def questions() -> dict[str, bytes]:
    """The bodies of the requests, by what they ask for."""
    return {
        "{ __typename }": orjson.dumps({"query": "{ __typename }"}),
        "nine fields of a person": orjson.dumps(
            {"query": f"query ($id: ID!) {{ person(id: $id) {{ {NINE} }} }}", "variables": {"id": person()["id"]}}
        ),
    }


async def measured(ask: Ask, cpu: Callable[[], float], rounds: int, requests: int, connections: int = 1) -> str:
    """A table of milliseconds of CPU per request, and how many times the stock view's is the gateway's."""
    rows: list[Sequence[str]] = []
    each = requests // connections
    for name, body in questions().items():
        answers = {who: orjson.loads(await ask(path, body)) for who, path in PATHS.items() for _ in range(5)}
        if answers["gateway"]["data"] != answers["stock"]["data"] or "errors" in answers["stock"]:
            raise RuntimeError(f"{name}: the answers differ, or have errors")
        spent: dict[str, list[float]] = {who: [] for who in PATHS}
        for turn in range(rounds):
            for who in sorted(PATHS, reverse=bool(turn % 2)):
                began = cpu()
                await asyncio.gather(*(several(ask, PATHS[who], body, each) for _ in range(connections)))
                spent[who].append((cpu() - began) * 1000 / (each * connections))
        ratios = [stock / own for stock, own in zip(spent["stock"], spent["gateway"], strict=True)]
        rows.append([name, number(median(spent["gateway"])), number(median(spent["stock"])), number(median(ratios))])
    return table(["query", "gateway ms", "stock ms", "stock/gateway"], rows, left=1)


async def several(ask: Ask, path: str, body: bytes, times: int) -> None:
    for _ in range(times):
        await ask(path, body)


async def within(rounds: int, requests: int) -> str:
    """Both asked within this process."""
    app = application()

    async def ask(path: str, body: bytes) -> bytes:
        return await asked(app, path, body)

    return await measured(ask, time.process_time, rounds, requests)


async def asked(app: Starlette, path: str, body: bytes) -> bytes:
    """What an ASGI application answers to a POST."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "headers": [
            (b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"accept", b"*/*"),
            (b"content-length", str(len(body)).encode()),
        ],
    }  # fmt: skip
    received = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[bytes] = []

    async def receive() -> Any:
        if not received:
            await asyncio.Event().wait()  # nobody goes away
        return received.pop()

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(sent)


async def over_http(rounds: int, requests: int, connections: int) -> str:
    """Both asked over some connections to a process that serves them."""

    def command(port: int) -> Sequence[str | Path]:
        return (sys.executable, "-m", "tests.benchmarks.small", "--serve", str(port))

    with TemporaryDirectory(prefix="ss12000-bench-") as directory, running({"both": command}, Path(directory)) as found:
        server: Server = found["both"]
        headers = {"content-type": "application/json"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=60)) as session:

            async def ask(path: str, body: bytes) -> bytes:
                async with session.post(server.origin + path, data=body) as response:
                    return await response.read()

            return await measured(ask, lambda: cpu_seconds(server.pid), rounds, requests, connections)


def _spare_the_lasting() -> None:
    """As ``serve`` does it: the schema is not collected over and over."""
    schema(Executor.CORE), schema()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--within", action="store_true", help="without HTTP")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=200, help="of one sample (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=16, help="over HTTP (default: %(default)s)")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        logs.configure()
        _spare_the_lasting()
        uvicorn.run(application(), port=given.serve, log_config=None, access_log=False, server_header=False)
        return
    if not given.within:
        print(asyncio.run(over_http(given.rounds, given.requests, given.connections)))
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):  # formatting the lines is part of the work
        logs.configure()
        _spare_the_lasting()
        told = asyncio.run(within(given.rounds, given.requests))
    print(told)


if __name__ == "__main__":
    main()
