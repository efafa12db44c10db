"""Six systems of which no two speak alike say what six conformant ones say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers, start
from sources.demo.wild import WILD, WORDS

from .harness import ask, over
from .oracle import Oracle
from .oracle_query import answer
from .test_six_sources import A_CLASS_THIS_WEEK, telling_class, variables

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wild(town: Municipality) -> AsyncIterator[DemoServers]:
    async with await start(town, dialects=WILD) as servers:
        yield servers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(wild: DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(wild)
    yield assembled
    await assembled.aclose()


async def test_one_question_gives_the_same_from_dialects(
    town: Municipality, demo: DemoServers, oracle: Oracle, wild: DemoServers, gateway: Assembled
) -> None:
    asked = variables(telling_class(town, demo))
    wild.reset()
    said = await ask(gateway.federation, A_CLASS_THIS_WEEK, asked)
    assert said["data"] == answer(oracle, A_CLASS_THIS_WEEK, asked)
    assert "errors" not in said
    assert said["extensions"]["completeness"] == {"complete": True, "gaps": []}
    assert all(server.calls for server in wild.values()), "a source was not asked"


LISTS = {
    "grades": """{ grades(first: 1000) { complete nodes {
        id gradeValue registeredDate student { id displayName } gradingTeacher { displayName emails { value } }
    } } }""",
    "absences": """{ absences(first: 1000) { complete nodes {
        id startTime student { displayName } registeredBy { displayName } organisation { displayName }
    } } }""",
    "attendances": """{ attendances(first: 1000) { complete nodes {
        id isReported student { displayName } reporter { displayName } calendarEvent { startTime }
    } } }""",
    "aggregatedAttendances": """{ aggregatedAttendances(startDate: "2026-02-01", endDate: "2026-03-25", first: 1000) {
        complete nodes { startDate attendanceSum student { displayName } activity { displayName } }
    } }""",
    "attendanceSchedules": """{ attendanceSchedules(first: 1000) { complete nodes {
        id state { stateText registeredAt registeredBy { displayName } } placement { reason child { displayName } }
        scheduleEntries { weekOffset dayOfWeek startTime endTime }
    } } }""",
    "attendanceEvents": """{ attendanceEvents(first: 1000) { complete nodes {
        id time eventType person { displayName } registeredBy { displayName } group { displayName }
    } } }""",
    "placements": """{ placements(first: 1000) { complete nodes {
        id reason child { displayName } owners { displayName phoneNumbers { value } } placedAt { displayName }
    } } }""",
    "persons": """{ persons(first: 1000) { complete nodes {
        id displayName birthDate eduPersonPrincipalNames emails { value }
        enrolments { schoolYear startDate enroledAt { displayName } } responsibles { person { displayName } }
    } } }""",
}


async def both(demo: DemoServers, wild: Assembled, query: str) -> tuple[list[Any], list[Any]]:
    """The nodes of the query's one connection: from the conformant sources, and from the dialects."""
    conformant = over(demo)
    try:
        found = []
        for each in (conformant, wild):
            said = await ask(each.federation, query)
            assert "errors" not in said
            (connection,) = said["data"].values()
            assert connection["complete"]
            found.append(connection["nodes"])
        return found[0], found[1]
    finally:
        await conformant.aclose()


def as_set(nodes: list[Any]) -> list[str]:
    """The nodes without their order: where none is asked for it is the sources' own."""
    return sorted(json.dumps(node, sort_keys=True) for node in nodes)


@pytest.mark.parametrize("name", LISTS)
async def test_lists_are_the_same_from_dialects(demo: DemoServers, gateway: Assembled, name: str) -> None:
    expected, said = await both(demo, gateway, LISTS[name])
    assert len(expected) > 10
    assert as_set(said) == as_set(expected)


async def test_groups_differ_only_where_sis_alone_knows_them(
    town: Municipality, demo: DemoServers, gateway: Assembled
) -> None:
    query = """{ groups(first: 1000) { complete nodes {
        id displayName groupMemberships { startDate endDate person { displayName } }
        organisation { organisationType id parentOrganisation { id } }
    } } }"""
    expected, said = await both(demo, gateway, query)
    units = {group["id"]: group.pop("organisation") for group in expected}
    places = {group["id"]: group.pop("organisation") for group in said}
    assert as_set(said) == as_set(expected)
    others = {g["id"] for source in ("schema", "forskola", "lms") for g in town.sources[source]["Group"]}
    assert {id for id in units if units[id] != places[id]} == units.keys() - others
    for id in units.keys() - others:
        assert places[id]["id"] == units[id]["parentOrganisation"]["id"]
        assert places[id]["organisationType"] == "SKOLA"


async def test_duties_differ_only_in_the_roles_that_are_hrs_own(demo: DemoServers, gateway: Assembled) -> None:
    query = """{ duties(first: 1000) { complete nodes {
        dutyRole dutyRoleText signature startDate endDate person { id displayName } dutyAt { displayName }
    } } }"""
    expected, said = await both(demo, gateway, query)
    for duty in expected:
        if duty["dutyRoleText"] in WORDS:
            duty |= {"dutyRole": "UNRECOGNISED", "dutyRoleText": WORDS[duty["dutyRoleText"]]}
    assert as_set(said) == as_set(expected)
