"""What 500 pupils cost, in upstream calls: counted at the servers, and derived from the rules.

The question is the first that everybody asks: pupils with their groups, their duties (a pupil may work, too) and their
guardians. By the rules it costs, at each source:

*   **Persons.** ``displayName`` is ``givenName`` and ``familyName``, and every one of the six sources holds these by
    its profile (sis by declaring nothing); the policy's ``securityMarking`` is held by three of the six. So each source
    is asked for all pupils, and for all guardians once more when ``responsibles`` are known: ``ceil(n / chunk)``
    lookups each, n being the distinct ids. Guardians whose reference is marked as protected are not looked up.
*   **Groups.** A person's memberships stand in the groups; the standard has neither a filter nor a lookup by member,
    and ``expand=groupMemberships`` is for few persons. So the groups are read whole at each source that serves them and
    speaks for ``groupMemberships``: a page per ``page_size`` groups. What stands there need not be looked up any more.
*   **Duties.** The filter by person takes one person: 500 calls, more than ``max_filter_calls``. So the duties are read
    whole as well, at each source that holds ``Duty.person``, a page per ``page_size`` duties.

No source is asked anything else, and none is asked twice for one person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from math import ceil
from typing import Any

import pytest
import pytest_asyncio

from sources.demo.configuration import gateway_config
from sources.demo.municipality import Municipality, build
from sources.demo.server import DemoServers, start

from .conftest import TODAY, oracle_of
from .harness import ask, over
from .oracle import Oracle
from .oracle_query import answer

PUPILS = 500
PERSON = """{
  id
  displayName
  groupMemberships { group { displayName } }
  duties { dutyRole }
  responsibles { person { displayName } }
}"""
BY_IDS = f"query($ids: [ID!]!) {{ personsByIds(ids: $ids) {PERSON} }}"
LISTED = f"{{ persons(first: {PUPILS}) {{ nodes {PERSON} }} }}"

Calls = dict[str, Counter[tuple[str, str]]]
"""Per source, how often each method and path was called."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def big_town() -> Municipality:
    return build(pupils=620, seed=1, today=TODAY)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(big_town: Municipality) -> AsyncIterator[DemoServers]:
    async with await start(big_town) as running:
        yield running


@pytest.fixture(scope="module")
def expected(big_town: Municipality, servers: DemoServers) -> Oracle:
    return oracle_of(big_town, servers)


def configured(servers: DemoServers, chunk: int) -> dict[str, Any]:
    """The demonstration's ``sources``, with so many ids in a lookup."""
    sources: Any = gateway_config(servers)["sources"]
    return {name: {**section, "lookup_chunk": chunk} for name, section in sources.items()}


async def count(servers: DemoServers, query: str, variables: dict[str, Any], chunk: int) -> tuple[Any, Calls]:
    """The data, and what it took a gateway that knows nothing yet."""
    gateway = over(servers, sources=configured(servers, chunk))
    servers.reset()
    try:
        said = await ask(gateway.federation, query, variables)
    finally:
        await gateway.aclose()
    assert "errors" not in said
    return said["data"], {name: Counter(server.calls) for name, server in servers.items()}


def pages(servers: DemoServers, resource: str, path: str, serving: list[str]) -> Calls:
    """One walk through the resource's list at each of these sources."""
    return {
        name: Counter({("GET", path): max(1, ceil(len(servers[name].api.store.tables[resource].records) / size))})
        for name in serving
        for size in [servers[name].page_size]
    }


def together(*parts: Calls) -> Calls:
    found: Calls = {}
    for part in parts:
        for name, calls in part.items():
            found.setdefault(name, Counter()).update(calls)
    return found


def guardians(expected: Oracle, pupils: list[str]) -> set[str]:
    return {
        entry["person"]["id"]
        for pupil in pupils
        for entry in expected.record("Person", pupil)["responsibles"] or ()
        if entry["person"].get("securityMarking", "Ingen") == "Ingen"
    }


def relations(town: Municipality, servers: DemoServers) -> Calls:
    """The calls for groups and duties: a walk at each source that serves them."""
    return together(
        *(
            pages(servers, resource, path, [name for name, records in town.sources.items() if resource in records])
            for resource, path in (("Group", "/groups"), ("Duty", "/duties"))
        )
    )


@pytest.mark.parametrize("chunk", [500, 200])
async def test_five_hundred_pupils_by_id(
    big_town: Municipality, servers: DemoServers, expected: Oracle, chunk: int
) -> None:
    pupils = [person.id for person in expected.all("Person") if person["enrolments"]][:PUPILS]
    assert len(pupils) == PUPILS
    data, calls = await count(servers, BY_IDS, {"ids": pupils}, chunk)
    lookups = ceil(len(pupils) / chunk) + ceil(len(guardians(expected, pupils)) / chunk)
    persons = {name: Counter({("POST", "/persons/lookup"): lookups}) for name in servers}
    assert calls == together(persons, relations(big_town, servers))
    assert data == answer(expected, BY_IDS, {"ids": pupils})


async def test_the_first_five_hundred_of_the_list(
    big_town: Municipality, servers: DemoServers, expected: Oracle
) -> None:
    """The list is led by sis, with 500 to a page: two pages, since protected persons leave room for more.

    The first page is completed at the five others. Of the second only as many are as are missing, and one more to
    know whether others follow. Guardians that stand on a page read from sis are not looked up there again.
    """
    chunk = size = servers["sis"].page_size
    listed = list(expected.tables["sis", "Person"])
    hidden = {id for id in listed if expected.hidden(expected.record("Person", id))}
    missing = len(hidden & {*listed[:size]})
    further = listed[size : size + missing + 1]
    assert missing
    assert hidden.isdisjoint(further)
    pupils = [id for id in [*listed[:size], *further[:-1]] if id not in hidden]

    data, calls = await count(servers, LISTED, {}, chunk)
    wanted = guardians(expected, pupils)
    at_sis = {("GET", "/persons"): 2, ("POST", "/persons/lookup"): ceil(len(wanted - {*listed[: 2 * size]}) / chunk)}
    lookups = ceil(size / chunk) + ceil(len(further) / chunk) + ceil(len(wanted - {*further}) / chunk)
    others = {name: Counter({("POST", "/persons/lookup"): lookups}) for name in servers if name != "sis"}
    assert calls == together({"sis": Counter(at_sis)}, others, relations(big_town, servers))
    assert data == answer(expected, LISTED)


async def test_one_pupil_costs_no_list_where_a_call_by_id_will_do(servers: DemoServers, expected: Oracle) -> None:
    pupil = next(person.id for person in expected.all("Person") if person["enrolments"] and person["responsibles"])
    _, calls = await count(servers, BY_IDS, {"ids": [pupil]}, 500)
    assert calls["sis"][("POST", "/persons/lookup")] == 3  # the pupil; with groups; the guardians
    assert ("GET", "/groups") not in calls["sis"]
    assert calls["sis"][("GET", "/duties")] == 1  # filtered by person
