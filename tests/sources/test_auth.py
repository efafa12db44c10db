"""Credentials: what is sent, when a token is renewed, and what happens when it is refused."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from sources.auth import Authorizer, Incoming, Outgoing, client_credentials
from sources.errors import CallError, FaultCode
from sources.requests import Query
from sources.settings import ApiKey, Bearer, ClientAuthentication, OAuth2, Secret

from .conftest import Clock, codes, ids, soon, source_of

ALL = Query.of()
TOKEN_URL = "https://login.example/connect/token"
OAUTH = OAuth2(TOKEN_URL, "the client", Secret("s&cret:ö"), scope="read")


class Api:
    """A token endpoint and a list that only the newest token opens."""

    def __init__(self, **grant: Any) -> None:
        self.grant = {"expires_in": 3600, **grant}
        self.tokens = 0
        self.valid = ""
        self.sent: list[str] = []
        self.token_answer: httpx.Response | Exception | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKEN_URL:
            self.tokens += 1
            await asyncio.sleep(0.002)
            if isinstance(self.token_answer, Exception):
                raise self.token_answer
            if self.token_answer is not None:
                return self.token_answer
            self.valid = f"token-{self.tokens}"
            return httpx.Response(200, json={"access_token": self.valid, **self.grant})
        self.sent.append(request.headers.get("authorization", ""))
        fine = self.sent[-1] == f"Bearer {self.valid}"
        return httpx.Response(200, json=[{"id": "a"}]) if fine else httpx.Response(401)


class TestFixed:
    @pytest.mark.parametrize(
        ("credentials", "header", "value"),
        [
            (Bearer(Secret("abc")), "authorization", "Bearer abc"),
            (ApiKey(Secret("abc")), "x-api-key", "abc"),
            (ApiKey(Secret("abc"), "X-Other"), "x-other", "abc"),
        ],
    )
    async def test_a_header(self, credentials: Any, header: str, value: str) -> None:
        seen: list[httpx.Headers] = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(request.headers)
            return httpx.Response(401)

        answer = await source_of(handle, credentials=credentials).page("Person", ALL, None, soon())
        assert [headers[header] for headers in seen] == [value]
        assert codes(answer) == ["SOURCE_CREDENTIALS_REFUSED"]

    async def test_none(self) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            assert "authorization" not in request.headers
            return httpx.Response(200, json=[])

        assert codes(await source_of(handle).page("Person", ALL, None, soon())) == []


class TestFlow:
    def test_the_client_in_the_form(self) -> None:
        request = next(client_credentials(OAUTH, 0))
        assert parse_qs((request.content or b"").decode()) == {
            "grant_type": ["client_credentials"],
            "client_id": ["the client"],
            "client_secret": ["s&cret:ö"],
            "scope": ["read"],
        }
        assert "Authorization" not in request.headers
        assert "cret" not in repr(request)

    def test_the_client_in_the_header(self) -> None:
        basic = OAuth2(TOKEN_URL, "the client", Secret("s&cret:ö"), authentication=ClientAuthentication.BASIC)
        request = next(client_credentials(basic, 0))
        assert (
            base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"the+client:s%26cret%3A%C3%B6"
        )
        assert request.content == b"grant_type=client_credentials"

    @pytest.mark.parametrize(
        ("expires_in", "renew_at"), [(3600, 1000 + 3540), ("3600", 1000 + 3540), (60, 1030), (None, None), ("x", None)]
    )
    def test_a_token_is_renewed_before_it_expires(self, expires_in: Any, renew_at: float | None) -> None:
        flow = client_credentials(OAUTH, 1000)
        next(flow)
        with pytest.raises(StopIteration) as done:
            flow.send(Incoming(200, httpx.Response(200, json={"access_token": "t", "expires_in": expires_in}).content))
        assert done.value.value.renew_at == renew_at
        assert "'t'" not in repr(done.value.value)

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (Incoming(400), "SOURCE_CREDENTIALS_REFUSED"), (Incoming(401), "SOURCE_CREDENTIALS_REFUSED"),
            (Incoming(200, b"{}"), "SOURCE_CREDENTIALS_REFUSED"), (Incoming(200, b"x"), "SOURCE_CREDENTIALS_REFUSED"),
            (Incoming(200, b'{"access_token": "a\\nb"}'), "SOURCE_CREDENTIALS_REFUSED"),
            (Incoming(429), "SOURCE_UNREACHABLE"), (Incoming(500), "SOURCE_UNREACHABLE"),
            (Incoming(302), "SOURCE_UNREACHABLE"),
        ],
    )  # fmt: skip
    def test_no_token(self, answer: Incoming, code: str) -> None:
        flow = client_credentials(OAUTH, 0)
        next(flow)
        with pytest.raises(CallError, match=code):
            flow.send(answer)


class TestTokens:
    async def test_one_is_asked_for_however_many_wait(self) -> None:
        api = Api()
        source = source_of(api, credentials=OAUTH)
        queries = [Query.of({"nameContains": (str(number),)}) for number in range(8)]
        answers = await asyncio.gather(*(source.page("Person", query, None, soon()) for query in queries))
        assert [ids(answer) for answer in answers] == [["a"]] * 8
        assert (api.tokens, source.calls) == (1, 8)

    async def test_it_is_renewed_in_time(self) -> None:
        clock, made = Clock(), 0

        async def send(_: Outgoing) -> Incoming:
            nonlocal made
            made += 1
            return Incoming(200, b'{"access_token": "t%d", "expires_in": 3600}' % made)

        authorizer = Authorizer(OAUTH, clock)
        assert await authorizer.headers(send) == {"Authorization": "Bearer t1"}
        clock.now = 3539
        assert await authorizer.headers(send) == {"Authorization": "Bearer t1"}
        clock.now = 3540
        assert await authorizer.headers(send) == {"Authorization": "Bearer t2"}

    async def test_a_refused_token_is_renewed_once(self) -> None:
        api = Api()
        source = source_of(api, credentials=OAUTH, ttl={"default": 0})
        await source.page("Person", ALL, None, soon())
        api.valid = "another"
        assert ids(await source.page("Person", ALL, None, soon())) == ["a"]
        assert api.sent == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]

    async def test_and_not_again(self) -> None:
        tokens = 0

        def handle(request: httpx.Request) -> httpx.Response:
            nonlocal tokens
            if str(request.url) == TOKEN_URL:
                tokens += 1
                return httpx.Response(200, json={"access_token": f"t{tokens}"})
            return httpx.Response(401)

        source = source_of(handle, credentials=OAUTH)
        assert codes(await source.page("Person", ALL, None, soon())) == ["SOURCE_CREDENTIALS_REFUSED"]
        assert (tokens, source.calls) == (2, 2)

    async def test_refused_at_once_they_renew_together(self) -> None:
        api = Api()
        source = source_of(api, credentials=OAUTH, ttl={"default": 0})
        await source.page("Person", ALL, None, soon())
        api.valid = "another"
        queries = [Query.of({"nameContains": (str(number),)}) for number in range(4)]
        answers = await asyncio.gather(*(source.page("Person", query, None, soon()) for query in queries))
        assert [ids(answer) for answer in answers] == [["a"]] * 4
        assert api.tokens == 2

    @pytest.mark.parametrize(
        ("outcome", "code"),
        [
            (httpx.Response(400, text="canary"), "SOURCE_CREDENTIALS_REFUSED"),
            (httpx.Response(503, text="canary"), "SOURCE_UNREACHABLE"),
            (httpx.ConnectError("canary"), "SOURCE_UNREACHABLE"),
        ],
    )
    async def test_without_a_token_nothing_is_asked(self, outcome: Any, code: str) -> None:
        api = Api()
        api.token_answer = outcome
        source = source_of(api, credentials=OAUTH)
        queries = [Query.of({"nameContains": (str(number),)}) for number in range(4)]
        answers = await asyncio.gather(*(source.page("Person", query, None, soon()) for query in queries))
        assert [codes(answer) for answer in answers] == [[code]] * 4
        assert "canary" not in repr(answers)
        assert (source.calls, api.tokens) == (0, 1)

    async def test_one_who_runs_out_of_time_does_not_fail_the_others(self) -> None:
        started = asyncio.Event()

        async def slow_then_fast(_: Outgoing) -> Incoming:
            if not started.is_set():
                started.set()
                await asyncio.sleep(0.02)
                raise CallError(FaultCode.SOURCE_TIMEOUT)
            return Incoming(200, b'{"access_token": "t"}')

        authorizer = Authorizer(OAUTH, Clock())
        first = asyncio.ensure_future(authorizer.headers(slow_then_fast))
        await started.wait()
        assert await authorizer.headers(slow_then_fast) == {"Authorization": "Bearer t"}
        with pytest.raises(CallError, match="SOURCE_TIMEOUT"):
            await first
