"""One question, six systems: a class this week, exactly as the sources' raw records say it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from gateway.app import create_app
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers

from .conftest import oracle_of
from .harness import ask, over
from .oracle import Oracle
from .oracle_query import answer

DURING = {"from": "2026-03-23", "to": "2026-03-29"}
"""The week of the demonstration's today."""

A_CLASS_THIS_WEEK = """
query AClassThisWeek($class: ID!, $week: DateRange!, $today: Date!) {
  group(id: $class) {
    displayName
    groupTypeText
    organisation { displayName parentOrganisation { displayName } }
    assignmentRoles(on: $today) { assignmentRoleType duty { person { displayName emails { value } } } }
    groupMemberships(on: $today) {
      startDate
      person {
        displayName
        emails { value type }
        enrolments(on: $today) { schoolYear schoolType enroledAt { displayName } programme { displayName } }
        responsibles {
          relationType
          person { displayName phoneNumbers { value typeText mobile } emails { value } }
        }
        placements(on: $today) { schoolType placedAt { displayName } group { displayName } }
        attendances(during: $week) {
          isReported
          attendanceMinutes
          invalidAbsenceMinutes
          calendarEvent { startTime activity { displayName } }
          reporter { displayName }
        }
        grades(orderBy: [REGISTERED_DATE_DESC], first: 3) {
          gradeValue
          registeredDate
          syllabus { subjectName courseName }
          gradingTeacher { displayName }
        }
      }
    }
    calendarEvents(during: $week, orderBy: [START_TIME_ASC]) {
      startTime
      endTime
      cancelled
      activity { displayName syllabus { subjectName } teachers { grader person { displayName } duty { signature } } }
      rooms { displayName }
    }
  }
}
"""


def variables(group: str) -> dict[str, Any]:
    return {"class": group, "week": DURING, "today": "2026-03-25"}


def telling_class(town: Municipality, servers: DemoServers) -> str:
    """A class of whose answer every source knows a part that no other knows."""
    whole = oracle_of(town, servers)
    parts = [oracle_of(town, servers, without=[source]) for source in servers]

    def classes() -> Iterator[str]:
        for group in whole.all("Group"):
            if group["groupType"] == "Klass":
                yield group.id

    for each in classes():
        asked = variables(each)
        full = answer(whole, A_CLASS_THIS_WEEK, asked)
        pupils = full["group"]["groupMemberships"]
        telling = any(p["person"]["grades"] for p in pupils) and any(p["person"]["attendances"] for p in pupils)
        if telling and all(answer(part, A_CLASS_THIS_WEEK, asked) != full for part in parts):
            return each
    raise AssertionError("no class of the demonstration has something from every source")


@pytest.fixture(scope="module")
def a_class(town: Municipality, demo: DemoServers) -> str:
    return telling_class(town, demo)


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """The application on a loopback port; gives its URL."""
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
    running = asyncio.create_task(server.serve(sockets=[bound]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn tells it by a flag alone
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, 10)
        bound.close()


async def test_one_question_gives_what_six_sources_know(demo: DemoServers, oracle: Oracle, a_class: str) -> None:
    gateway = over(demo)
    demo.reset()
    try:
        said = await ask(gateway.federation, A_CLASS_THIS_WEEK, variables(a_class))
    finally:
        await gateway.aclose()
    assert said["data"] == answer(oracle, A_CLASS_THIS_WEEK, variables(a_class))
    assert "errors" not in said
    assert said["extensions"]["completeness"] == {"complete": True, "gaps": []}
    assert len(demo) == 6
    assert all(server.calls for server in demo.values()), "a source was not asked"


async def test_the_answer_is_the_same_over_http(demo: DemoServers, oracle: Oracle, a_class: str) -> None:
    question = {"query": A_CLASS_THIS_WEEK, "variables": variables(a_class)}
    async with listening(create_app(over(demo))) as url, httpx.AsyncClient(timeout=30) as client:
        response = await client.post(f"{url}/graphql", json=question)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "private, no-store"
    assert response.json()["data"] == answer(oracle, A_CLASS_THIS_WEEK, variables(a_class))
    assert "errors" not in response.json()
