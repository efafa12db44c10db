"""One of the six systems does not answer: everything else does, and one gap tells which part is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers, start
from sources.demo.split import SOURCES

from .conftest import oracle_of
from .harness import ask, over
from .oracle_query import answer
from .test_six_sources import A_CLASS_THIS_WEEK, telling_class, variables

GROUPS = "{ groups(first: 1000, orderBy: [DISPLAY_NAME_ASC]) { nodes { id displayName endDate } } }"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(town: Municipality) -> AsyncIterator[DemoServers]:
    """Servers of this module's own, which may be stopped."""
    async with await start(town) as running:
        yield running


@pytest.fixture(scope="module")
def a_class(town: Municipality, servers: DemoServers) -> str:
    return telling_class(town, servers)


@pytest.mark.parametrize("stopped", SOURCES)
async def test_the_rest_is_answered_and_one_gap_names_the_stopped_source(
    town: Municipality, servers: DemoServers, a_class: str, stopped: str
) -> None:
    await servers[stopped].stop()
    gateway = over(servers)  # with an empty cache
    try:
        said = await ask(gateway.federation, A_CLASS_THIS_WEEK, variables(a_class))
    finally:
        await gateway.aclose()
        await servers[stopped].start()
    without = oracle_of(town, servers, without=[stopped])
    assert said["data"] == answer(without, A_CLASS_THIS_WEEK, variables(a_class))
    completeness = said["extensions"]["completeness"]
    assert completeness["complete"] is False
    assert [(gap["source"], gap["code"]) for gap in completeness["gaps"]] == [(stopped, "SOURCE_UNREACHABLE")]
    assert [error["extensions"]["source"] for error in said["errors"]] == [stopped]


@pytest.mark.parametrize("stopped", SOURCES)
async def test_a_list_tells_its_own_gaps(town: Municipality, servers: DemoServers, stopped: str) -> None:
    """A source that serves no groups is neither asked for them nor missed."""
    without = oracle_of(town, servers, without=[stopped])
    missed = stopped in without.servers("Group")
    await servers[stopped].stop()
    gateway = over(servers)
    try:
        said = await ask(gateway.federation, GROUPS.replace("nodes", "complete gaps { source resource code } nodes"))
    finally:
        await gateway.aclose()
        await servers[stopped].start()
    listed = said["data"]["groups"]
    assert listed["complete"] is not missed
    gap = {"source": stopped, "resource": "Group", "code": "SOURCE_UNREACHABLE"}
    assert listed["gaps"] == ([gap] if missed else [])
    assert len(said.get("errors", ())) == missed
    assert {"nodes": listed["nodes"]} == answer(without, GROUPS)["groups"]


async def test_with_all_sources_back_nothing_is_missing(town: Municipality, servers: DemoServers, a_class: str) -> None:
    gateway = over(servers)
    try:
        said = await ask(gateway.federation, A_CLASS_THIS_WEEK, variables(a_class))
    finally:
        await gateway.aclose()
    assert said["data"] == answer(oracle_of(town, servers), A_CLASS_THIS_WEEK, variables(a_class))
    assert said["extensions"]["completeness"] == {"complete": True, "gaps": []}
