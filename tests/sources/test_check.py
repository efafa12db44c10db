"""What ``check`` finds out about a source."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from starlette.responses import JSONResponse

from sources.cache import Cache
from sources.check import ResourceReport, check_source, today
from sources.errors import FaultCode
from sources.settings import Tls
from sources.source import Source
from sources.standard import RESOURCES

from .conftest import asked, serving, settings, soon, source_of

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)


async def test_every_resource_is_asked_for_one_record() -> None:
    seen: dict[str, Any] = {}

    def handle(request: httpx.Request) -> httpx.Response:
        seen[request.url.path.rpartition("/")[2]] = asked(request)
        return httpx.Response(200, json={"data": []})

    report = await check_source(source_of(handle, clock=lambda: NOW), soon())
    assert (report.ok, report.reachable, report.credentials_accepted) == (True, True, True)
    assert [found.resource for found in report.resources] == list(RESOURCES)
    assert seen.pop("aggregatedAttendance") == {"startDate": ["2026-11-24"], "endDate": ["2026-11-24"], "limit": ["1"]}
    assert seen.pop("calendarEvents") == {
        "startTime.onOrAfter": ["2026-11-24T00:00:00+01:00"],
        "startTime.onOrBefore": ["2026-11-25T00:00:00+01:00"],
        "limit": ["1"],
    }
    assert all(parameters == {"limit": ["1"]} for parameters in seen.values())
    assert len(seen) == len(RESOURCES) - 2


async def test_a_resource_that_does_not_answer_says_why() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if request.url.path.endswith("/grades") else httpx.Response(200, json=[])

    report = await check_source(source_of(handle), soon())
    bad = [found for found in report.resources if not found.answers]
    assert bad == [ResourceReport("Grade", False, FaultCode.SOURCE_ENDPOINT_MISSING, 404)]
    assert (report.ok, report.reachable) == (False, True)
    assert json.loads(json.dumps(report.as_json()))["ok"] is False


@pytest.mark.parametrize(("status", "accepted"), [(401, False), (500, None), (200, True)])
async def test_whether_the_credentials_are_accepted(status: int, accepted: bool | None) -> None:
    report = await check_source(source_of(lambda _: httpx.Response(status, json=[])), soon())
    assert (report.reachable, report.credentials_accepted) == (True, accepted)


async def test_nobody_is_there(free_port: int) -> None:
    source = Source(settings(url=f"https://127.0.0.1:{free_port}"), Cache())
    report = await check_source(source, soon())
    await source.aclose()
    assert (report.ok, report.reachable, report.credentials_accepted) == (False, False, None)
    assert report.server_certificate_days is None


async def test_the_days_that_certificates_have_left(tmp_path: Path) -> None:
    ca = trustme.CA()
    now = datetime.now(UTC)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = ca.issue_cert(
        "127.0.0.1", not_after=now + timedelta(days=-3, hours=12), not_before=now - timedelta(days=9)
    )
    server.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    client = ca.issue_cert("client.example", not_after=now + timedelta(days=20, hours=1))
    client.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse([])(scope, receive, send)

    async with serving(app, ssl_certfile=str(tmp_path / "server.pem")) as url:
        source = Source(settings(url=url, tls=Tls(tmp_path / "client.pem", ca=tmp_path / "ca.pem")), Cache())
        report = await check_source(source, soon())
        await source.aclose()
    assert report.client_certificate_days == 20
    assert report.server_certificate_days == -3  # which is why it is not reached
    assert not report.reachable


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_a_required_window_is_always_filled(name: str) -> None:
    query = today(name, NOW, "Europe/Stockholm")
    assert {parameter for parameter, _ in query.parameters} == set(RESOURCES[name].window)
