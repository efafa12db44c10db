"""A student information system by a third party, with its habits, over the records of a directory.

- Filters and ``expand`` are taken and ignored: a list is everything. Only calendarEvents needs and keeps its window.
- The page token is an offset and carries nothing: page 2 of calendarEvents without the window is a bad request.
- A page has a fixed size, whatever the limit.
- A single person lacks ``enrolments`` and ``responsibles``, which the list has.
- There is no lookup, and no other resource than the six. Records go out as they lie there, date-times without zone.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PREFIX = "/v2"
RESOURCES = ("organisations", "persons", "duties", "groups", "activities", "calendarEvents")
WINDOW = ("startTime.onOrAfter", "startTime.onOrBefore")
NOT_IN_SINGLE = frozenset({"enrolments", "responsibles"})
PAGE_SIZE = 50
START_DEADLINE = 10.0
STOP_DEADLINE = 5.0
"""Seconds."""

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""By the path of the resource, in the order in which they are sent."""


def read(directory: Path) -> Records:
    """The JSON arrays of a directory. Raises OSError where one of the six is not there."""
    return {name: json.loads((directory / f"{name}.json").read_text()) for name in RESOURCES}


def moment(text: str) -> datetime:
    """A date-time as an instant; without zone it is in UTC, for that is how this source means it."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class ThirdParty:
    """The API. ``calls`` are the requests so far, as (method, path, query); those without credentials too."""

    def __init__(self, records: Records, page_size: int = PAGE_SIZE) -> None:
        self.records = records
        self.page_size = page_size
        self.calls: list[tuple[str, str, str]] = []
        self.token = secrets.token_urlsafe()
        self.client = ("gateway", secrets.token_urlsafe())
        self.url = ""
        """Where it listens, while it does."""
        self._issued: set[str] = set()

    def app(self) -> Starlette:
        routes = [Route("/token", self._issue, methods=["POST"])]
        for name in RESOURCES:
            routes.append(Route(f"{PREFIX}/{name}", self._list, methods=["GET"], name=name))
            routes.append(Route(f"{PREFIX}/{name}/{{id}}", self._single, methods=["GET"], name=f"{name}/id"))
        return Starlette(routes=routes, exception_handlers={HTTPException: _detail})

    async def _issue(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("grant_type") != "client_credentials":
            raise HTTPException(400, "unsupported_grant_type")
        if (form.get("client_id"), form.get("client_secret")) != self.client:
            raise HTTPException(401, "invalid_client")
        token = secrets.token_urlsafe()
        self._issued.add(token)
        return JSONResponse({"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def _admit(self, request: Request) -> str:
        """The resource asked for."""
        path = request.url.path.removeprefix(PREFIX)
        self.calls.append((request.method, path, request.url.query))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in {self.token, *self._issued}:
            raise HTTPException(401, "Not authenticated")
        return path.split("/")[1]

    async def _list(self, request: Request) -> Response:
        name = self._admit(request)
        found = self.records[name]
        if name == "calendarEvents":
            found = self._in_window(request, found)
        try:
            offset = int(request.query_params.get("pageToken", "0"))
        except ValueError:
            raise HTTPException(400, "pageToken") from None
        following = offset + self.page_size
        return JSONResponse(
            {"data": found[offset:following], "pageToken": str(following) if following < len(found) else None}
        )

    def _in_window(self, request: Request, found: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        try:
            first, last = (moment(request.query_params[name]) for name in WINDOW)
        except (KeyError, ValueError):
            raise HTTPException(400, "startTime.onOrAfter and startTime.onOrBefore are required") from None
        return [event for event in found if first <= moment(event["startTime"]) <= last]

    async def _single(self, request: Request) -> Response:
        name = self._admit(request)
        for record in self.records[name]:
            if record["id"] == request.path_params["id"]:
                without = NOT_IN_SINGLE if name == "persons" else frozenset()
                return JSONResponse({key: value for key, value in record.items() if key not in without})
        raise HTTPException(404, "Not found")


async def _detail(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code)


@contextlib.contextmanager
def serving(api: ThirdParty) -> Iterator[ThirdParty]:
    """The API on a loopback port, in a thread of its own. Raises TimeoutError if it does not come up."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(api.app(), lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + START_DEADLINE
            while not server.started:
                if time.monotonic() > deadline or not thread.is_alive():
                    raise TimeoutError("the third party's server did not start")
                time.sleep(0.01)
            api.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield api
        finally:
            server.should_exit = True
            thread.join(STOP_DEADLINE)
