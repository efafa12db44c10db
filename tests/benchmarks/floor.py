"""Contender (a), the floor: fetch the upstream bytes, ``orjson.loads`` each, ``orjson.dumps`` a ready answer.

It executes no query: which calls to make, and what the answer is, it reads from a file. Nothing in Python that decodes
its sources' answers whole and encodes its own whole can do much less.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvicorn
from starlette.types import Receive, Scope, Send

SECONDS = 120.0
"""The longest that one upstream call may take."""


def key(name: str, variables: Mapping[str, Any]) -> str:
    """By what the plan of a question with its variables is found."""
    return orjson.dumps([name, variables], option=orjson.OPT_SORT_KEYS).decode()


class Floor:
    """The application. ``kept``: upstream bytes by call, where they are kept at all."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._urls = plan["urls"]
        self._plans = plan["plans"]
        self._kept: dict[int, list[bytes]] | None = {} if plan["keep"] else None
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        asked = orjson.loads(body)
        plan = self._plans[key(asked["operationName"], asked["variables"])]
        for calls in plan["rounds"]:
            await asyncio.gather(*(self._load(call) for call in calls))
        answer = orjson.dumps({"data": plan["data"]})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _load(self, call: Mapping[str, Any]) -> None:
        """Decode every page of a call, and do nothing with it."""
        if self._kept is None:
            await self._fetch(call)
            return
        kept = self._kept.get(id(call))
        if kept is None:
            self._kept[id(call)] = await self._fetch(call)
            return
        for page in kept:
            orjson.loads(page)

    async def _fetch(self, call: Mapping[str, Any]) -> list[bytes]:
        url = self._urls[call["source"]] + call["path"]
        if call["ids"]:
            page = await self._called("POST", url, data=orjson.dumps({"ids": call["ids"]}))
            orjson.loads(page)
            return [page]
        pages = [await self._called("GET", url, params=call["parameters"])]
        token = orjson.loads(pages[0]).get("pageToken")
        limit = dict(call["parameters"])["limit"]
        while token and call["whole"]:
            pages.append(await self._called("GET", url, params={"pageToken": token, "limit": limit}))
            token = orjson.loads(pages[-1]).get("pageToken")
        return pages

    async def _called(self, method: str, url: str, **given: Any) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SECONDS), headers={"content-type": "application/json"}
            )
        async with self._session.request(method, url, **given) as response:
            response.raise_for_status()
            return await response.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--plan", type=Path, required=True)
    given = parser.parse_args()
    app = Floor(orjson.loads(given.plan.read_bytes()))
    gc.freeze()  # the ready answers are no part of the work, so they shall not make it dearer
    uvicorn.run(app, port=given.port, lifespan="off", log_level="error", access_log=False)


if __name__ == "__main__":
    main()
