"""The six servers over real sockets: credentials, TLS, counting, stopping, and the configuration that reaches them."""

from __future__ import annotations

import asyncio
import ssl
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvloop
import yaml

from gateway.config import load, parse
from sources.demo.configuration import gateway_config, write
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServer, DemoServers, start
from sources.demo.split import SOURCES

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(municipality: Municipality) -> AsyncIterator[DemoServers]:
    async with await start(municipality) as running:
        yield running


def client(server: DemoServer, *, certificate: bool = True, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    verify: ssl.SSLContext | bool = True
    if server.tls is not None:
        verify = ssl.create_default_context(cafile=str(server.tls.ca))
        if certificate:
            verify.load_cert_chain(server.tls.client, server.tls.client_key)
    return httpx.AsyncClient(base_url=server.url, verify=verify, headers=headers, trust_env=False, timeout=10)


async def token(server: DemoServer, *, basic: bool, secret: str | None = None) -> httpx.Response:
    auth = server.auth
    given = (auth["client_id"], secret or auth["client_secret"])
    form = {"grant_type": "client_credentials"}
    async with client(server) as http:
        if basic:
            return await http.post(auth["token_url"], data=form, auth=given)
        return await http.post(auth["token_url"], data=form | {"client_id": given[0], "client_secret": given[1]})


async def authorised(server: DemoServer) -> httpx.AsyncClient:
    auth = server.auth
    match auth["type"]:
        case "oauth2":
            answer = await token(server, basic=auth["authentication"] == "basic")
            return client(server, headers={"authorization": f"Bearer {answer.json()['access_token']}"})
        case "bearer":
            return client(server, headers={"authorization": f"Bearer {auth['token']}"})
        case "api_key":
            return client(server, headers={auth["header"]: auth["key"]})
        case _:
            return client(server)


async def test_each_server_wants_credentials_of_its_own(servers: DemoServers) -> None:
    kinds = {name: server.auth["type"] for name, server in servers.items()}
    assert kinds == {
        "sis": "oauth2", "schema": "api_key", "narvaro": "bearer", "lms": "bearer", "hr": "oauth2", "forskola": "none",
    }  # fmt: skip
    for server in servers.values():
        async with client(server) as http:
            refused = await http.get("/persons")
        async with client(server, headers={"authorization": "Bearer wrong", "x-api-key": "wrong"}) as http:
            wrong = await http.get("/persons")
        expected = 200 if server.name == "forskola" else 401
        assert (refused.status_code, wrong.status_code) == (expected, expected)
        if expected == 401:
            assert set(refused.json()) == {"code", "message"}
        async with await authorised(server) as http:
            assert (await http.get("/persons", params={"limit": 1})).status_code == 200


async def test_the_token_endpoints_take_the_methods_they_say(servers: DemoServers) -> None:
    for name, basic, status in (("sis", True, 200), ("sis", False, 200), ("hr", True, 200), ("hr", False, 401)):
        answer = await token(servers[name], basic=basic)
        assert answer.status_code == status, (name, basic)
        if status == 200:
            assert answer.json()["expires_in"] == 3600
            assert answer.json()["token_type"] == "Bearer"
    refused = await token(servers["sis"], basic=False, secret="wrong")
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})


async def test_narvaro_speaks_only_to_those_with_a_certificate(servers: DemoServers) -> None:
    async with client(servers["narvaro"], certificate=False, headers=_bearer(servers["narvaro"])) as http:
        with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
            await http.get("/absences")
    async with await authorised(servers["narvaro"]) as http:
        assert (await http.get("/absences")).status_code == 200


async def test_pages_are_of_the_servers_own_size(servers: DemoServers) -> None:
    for name, path, size in (("lms", "/grades", 50), ("forskola", "/attendanceEvents", 25)):
        async with await authorised(servers[name]) as http:
            page = (await http.get(path, params={"limit": 10_000})).json()
            assert len(page["data"]) == size
            assert page["pageToken"]


async def test_calls_are_counted_without_query_and_tokens_apart(servers: DemoServers) -> None:
    sis = servers["sis"]
    async with await authorised(sis) as http:
        servers.reset()
        await http.get("/persons", params={"limit": 1})
        await http.post("/persons/lookup", json={"ids": []})
        assert sis.calls == [("GET", "/persons"), ("POST", "/persons/lookup")]
        await token(sis, basic=True)
        assert (len(sis.calls), sis.token_calls) == (2, 1)
        assert servers["hr"].calls == []
        sis.reset()
        assert (sis.calls, sis.token_calls) == ([], 0)


async def test_a_resource_can_be_forbidden(servers: DemoServers) -> None:
    sis = servers["sis"]
    async with await authorised(sis) as http:
        sis.forbidden.add("Person")
        try:
            assert (await http.get("/persons")).status_code == 403
            assert (await http.post("/persons/lookup", json={})).status_code == 403
            assert (await http.get("/groups")).status_code == 200
        finally:
            sis.forbidden.clear()
        assert (await http.get("/persons")).status_code == 200


async def test_one_source_stops_while_the_others_go_on_and_comes_back(servers: DemoServers) -> None:
    lms, url = servers["lms"], servers["lms"].url
    async with await authorised(lms) as kept_open:
        await kept_open.get("/grades")
        await lms.stop()
        with pytest.raises(httpx.ConnectError):
            async with client(lms) as http:
                await http.get("/grades")
        async with await authorised(servers["hr"]) as http:
            assert (await http.get("/duties")).status_code == 200
        await lms.start()
        assert lms.url == url
        assert (await kept_open.get("/grades")).status_code == 200


async def test_answers_are_utf_8_and_letters_in_a_query_are_understood(servers: DemoServers) -> None:
    async with await authorised(servers["sis"]) as http:
        found = (await http.get("/organisations", params={"type": "Förvaltning"})).json()["data"]
        assert [o["displayName"] for o in found] == ["Barn- och utbildningsförvaltningen"]
        raw = (await http.get("/organisations", params={"type": "Verksamhetsområde"})).content
        assert "Förskola".encode() in raw


async def test_the_configuration_reaches_the_running_servers(servers: DemoServers, tmp_path: Path) -> None:
    settings = parse(gateway_config(servers), base=tmp_path, environ={})
    assert [s.name for s in settings.sources] == list(SOURCES)
    for source in settings.sources:
        assert source.url == servers[source.name].url
        assert source.capabilities.resources == frozenset(SOURCES[source.name])


async def test_the_written_configuration_is_whole_and_keeps_secrets_apart(servers: DemoServers, tmp_path: Path) -> None:
    file = write(servers, tmp_path / "demo")
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, server in servers.items():
        for key in ("client_secret", "token", "key"):
            if key in server.auth:
                assert server.auth[key] not in file.read_text(encoding="utf-8")
                secret = file.parent / content["sources"][name]["auth"][key]["file"]
                assert secret.read_text(encoding="utf-8") == server.auth[key]
    for other in file.parent.iterdir():
        if other != file:
            assert stat.S_IMODE(other.stat().st_mode) == 0o600
    settings = load(file, environ={})
    assert [s.name for s in settings.sources] == list(SOURCES)


async def test_a_taken_port_leaves_nothing_running(municipality: Municipality, servers: DemoServers) -> None:
    taken = int(servers["lms"].origin.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        await start(municipality, ports={"hr": taken})


def _bearer(server: DemoServer) -> dict[str, str]:
    return {"authorization": f"Bearer {server.auth['token']}"}


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
async def test_an_open_tls_connection_does_not_hold_up_a_stop(municipality: Municipality, new_loop: Any) -> None:
    async def stop_beside_an_open_connection() -> float:
        running = await start(municipality)
        async with await authorised(running["narvaro"]) as http:
            assert (await http.get("/absences")).status_code == 200
            begun = time.monotonic()
            await running.stop()
            return time.monotonic() - begun

    def run() -> float:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(asyncio.wait_for(stop_beside_an_open_connection(), 20))

    assert await asyncio.to_thread(run) < 1.5
