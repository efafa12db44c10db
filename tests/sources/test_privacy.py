"""Nothing personal and no secret gets into logs, faults, cache keys or URLs."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sources.cache import Cache
from sources.requests import Query
from sources.settings import OAuth2, Secret
from sources.source import Source

from .conftest import serving, settings, soon

CIVIC_NO = "199901011234"
CANARIES = (CIVIC_NO, "canary-secret", "canary-token", "canary-name", "canary-page", "canary-body")


async def api(request: Request) -> Response:
    path = request.url.path
    if path == "/token":
        return JSONResponse({"access_token": "canary-token", "expires_in": 3600})
    if path.endswith("/lookup") and "groups" in path:
        return PlainTextResponse(f"canary-body {CIVIC_NO}", 400)
    if path.startswith("/groups"):
        return PlainTextResponse(f"canary-body {CIVIC_NO}")
    person = {"id": "p", "givenName": "canary-name", "civicNo": {"value": CIVIC_NO}, "birthDate": CIVIC_NO}
    more = "canary-page" if request.method == "GET" and "pageToken" not in request.query_params else None
    return JSONResponse({"data": [person, {"givenName": "canary-name"}], "pageToken": more})


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


async def test_no_canary_gets_out(everything_logged: pytest.LogCaptureFixture) -> None:
    paths: list[str] = []
    told: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["path"] + "?" + scope["query_string"].decode())
        await Starlette(routes=[Route("/{path:path}", api, methods=["GET", "POST"])])(scope, receive, send)

    cache = Cache()
    async with serving(app) as url:
        credentials = OAuth2(f"{url}/token", "client", Secret("canary-secret"))
        source = Source(settings(url=url, credentials=credentials), cache)
        source.on_call = lambda *seen: told.append(seen)
        answers: list[Any] = [
            await source.lookup("Person", "civicNos", [CIVIC_NO], (), soon()),
            await source.page("Person", Query.of({"civicNo": (CIVIC_NO,)}), None, soon()),
            await source.walk("Person", Query.of({"nameContains": ("canary-name",)}), soon()),
            await source.walk("Group", Query.of(), soon()),
            await source.lookup("Group", "ids", ["g"], (), soon()),
            await source.deleted(None, (), soon()),
        ]
        await source.aclose()
    assert [bool(answer.faults) for answer in answers] == [True, True, True, True, True, True]
    assert answers[0].slabs[0].issues == {0: ("birthDate: expected a date",)}

    def shown(*values: object) -> str:
        return " ".join(repr(value) for value in values)

    for canary in CANARIES:
        assert canary not in everything_logged.text, f"{canary} in a log"
        assert canary not in shown(*(answer.faults for answer in answers), *told), f"{canary} in a fault"
        assert canary not in shown(*cache._units, *cache._units.values(), *cache._current, *cache._store._cache)
        assert canary not in shown(source.settings)
    for canary in (CIVIC_NO, "canary-secret", "canary-token"):
        assert canary not in " ".join(paths), f"{canary} in a URL"
    assert not [record for record in everything_logged.records if "127.0.0.1" in record.getMessage()]
