"""/health says alive, /ready says whether to send traffic, /health/sources what is known of the sources."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gateway.health import Phase, Readiness, health_routes


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def client(readiness: Readiness) -> TestClient:
    states = [{"name": "sis", "state": "ok"}, {"name": "hr", "state": "failing", "code": "SOURCE_UNREACHABLE"}]
    return TestClient(Starlette(routes=health_routes(readiness, lambda: states)))


@pytest.mark.parametrize("phase", Phase)
def test_a_living_process_is_alive_in_every_phase(client: TestClient, readiness: Readiness, phase: Phase) -> None:
    readiness.phase = phase
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize(("phase", "status"), [(Phase.STARTING, 503), (Phase.READY, 200), (Phase.DRAINING, 503)])
def test_traffic_is_wanted_only_between_start_and_drain(
    client: TestClient, readiness: Readiness, phase: Phase, status: int
) -> None:
    readiness.phase = phase
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (status, {"status": phase.value})


def test_a_source_that_is_down_leaves_the_gateway_in(client: TestClient, readiness: Readiness) -> None:
    readiness.phase = Phase.READY
    assert client.get("/ready").status_code == 200


def test_each_sources_last_known_state_is_shown(client: TestClient) -> None:
    assert client.get("/health/sources").json() == {
        "sources": [
            {"name": "sis", "state": "ok"},
            {"name": "hr", "state": "failing", "code": "SOURCE_UNREACHABLE"},
        ]
    }


def test_probes_see_no_cached_answer(client: TestClient) -> None:
    for path in ("/health", "/ready", "/health/sources"):
        assert client.get(path).headers["cache-control"] == "no-store"
