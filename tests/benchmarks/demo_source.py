"""One part of the demonstration as a source: ``python -m tests.benchmarks.demo_source --port 9101 --serve persons``.

Beside the standard's calls: ``GET /_stats`` counts calls per path, ``POST /_reset`` clears the counts, and
``POST /_config?latency_ms=20`` delays every answer.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from urllib.parse import parse_qs

import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from sources.demo.api import PREFIX, Api
from sources.demo.credentials import Open
from sources.demo.store import Store, Table
from sources.standard import RESOURCES

from .workload import ASKED, PUPILS, demo_records

PAGE_SIZE = 1000


class Counted:
    """An application whose calls are counted and can be made slow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._calls: Counter[str] = Counter()
        self._latency = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/_"):
            await _answer(send, self._control(path, scope["query_string"].decode()))
            return
        self._calls[f"{scope['method']} {_shape(path.removeprefix(PREFIX))}"] += 1
        if self._latency:
            await asyncio.sleep(self._latency)
        await self._app(scope, receive, send)

    def _control(self, path: str, query: str) -> dict[str, object]:
        if path == "/_reset":
            self._calls.clear()
        elif path == "/_config":
            self._latency = float(parse_qs(query)["latency_ms"][0]) / 1000
        return {"requests": dict(self._calls), "total": self._calls.total()}


def _shape(path: str) -> str:
    resource, _, rest = path.strip("/").partition("/")
    return f"/{resource}" + ("" if not rest else "/lookup" if rest == "lookup" else "/{id}")


async def _answer(send: Send, content: dict[str, object]) -> None:
    body = orjson.dumps(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def source(served: list[str], pupils: int) -> ASGIApp:
    """The source of some resources, by plural; it knows internally of all others."""
    named = {each.plural: each.name for each in RESOURCES.values()}
    known = {named[plural]: records for plural, records in demo_records({*ASKED, *served}, pupils).items()}
    own = {named[plural]: known[named[plural]] for plural in served}
    behind = {name: Table(records) for name, records in known.items() if name not in own}
    return Counted(Api(Store(own, behind), [], Open(), PAGE_SIZE).app())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--serve", required=True)
    parser.add_argument("--pupils", type=int, default=PUPILS)
    given = parser.parse_args()
    app = source(given.serve.split(","), given.pupils)
    uvicorn.run(app, port=given.port, lifespan="off", log_level="error", access_log=False)


if __name__ == "__main__":
    main()
