"""Every sort key of every resource, over the six sources: the whole list in the oracle's order, however it is paged."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.server import DemoServers
from sources.standard import RESOURCES
from sources.standard.model import SortKey

from .harness import ask, over
from .official_relations import OFFICIAL, OfficialRelation
from .oracle import Oracle, Record, instant, values_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, LAST = "2026-03-20T00:00:00+01:00", "2026-03-27T00:00:00+01:00"
WINDOW = {"CalendarEvent": f'startTime: {{onOrAfter: "{FIRST}", onOrBefore: "{LAST}"}}'}
"""Of events a week, which is some hundreds; of all else everything."""
BEFORE_THE_END = 20
"""Where the second walk in small steps begins: there stand the records without a value."""

SORT_KEYS = [(resource.name, key.name) for resource in RESOURCES.values() for key in resource.sort_keys]
SORTED_INVERSES = [
    each for each in OFFICIAL if each.back is None and not each.window and RESOURCES[each.owner].sort_keys
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(demo: DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(demo, cache={"ttl": {"default": "1h"}})
    yield assembled
    await assembled.aclose()


def everything(oracle: Oracle, resource: str) -> list[Record]:
    records = oracle.all(resource)
    if resource in WINDOW:
        first, last = instant(FIRST), instant(LAST)
        records = [record for record in records if first <= instant(record["startTime"]) <= last]
    return records


def order_by(*keys: SortKey) -> str:
    """``StartTimeAsc`` is ``START_TIME_ASC`` in GraphQL."""
    return f"orderBy: [{', '.join(re.sub(r'(?<=[a-z])(?=[A-Z])', '_', key.name).upper() for key in keys)}]"


async def walk(
    gateway: Assembled, resource: str, order: str, first: int, after: str | None = None, pages: int = 1000
) -> tuple[list[str], list[str]]:
    """The ids of a list and their cursors: so many pages of it, from the cursor on."""
    plural = RESOURCES[resource].plural
    ids: list[str] = []
    cursors: list[str] = []
    for _ in range(pages):
        cursor = f"after: {json.dumps(after)}" if after else ""
        arguments = ", ".join(part for part in (WINDOW.get(resource), order, f"first: {first}", cursor) if part)
        query = (
            f"{{ {plural}({arguments}) {{ edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
        answer = await ask(gateway.federation, query)
        assert "errors" not in answer, answer["errors"]
        page = answer["data"][plural]
        assert len(page["edges"]) == first or not page["pageInfo"]["hasNextPage"]
        ids += [edge["node"]["id"] for edge in page["edges"]]
        cursors += [edge["cursor"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    return ids, cursors


@pytest.mark.parametrize(("resource", "name"), SORT_KEYS)
async def test_a_sort_key_orders_the_whole_list(gateway: Assembled, oracle: Oracle, resource: str, name: str) -> None:
    key = RESOURCES[resource].sort_key[name]
    expected = [record.id for record in oracle.ordered(everything(oracle, resource), [key])]
    assert len(expected) > 1
    found, cursors = await walk(gateway, resource, order_by(key), 100)
    assert found == expected
    start, _ = await walk(gateway, resource, order_by(key), 7, pages=4)
    assert start == expected[:28]
    if len(expected) > 28:
        place = max(0, len(expected) - BEFORE_THE_END)
        end, _ = await walk(gateway, resource, order_by(key), 7, cursors[place])
        assert end == expected[place + 1 :]


@pytest.mark.parametrize(("resource", "name"), SORT_KEYS)
async def test_a_second_key_decides_among_equals(gateway: Assembled, oracle: Oracle, resource: str, name: str) -> None:
    """Each key with the next one, in both orders of the two."""
    keys = RESOURCES[resource].sort_keys
    key = RESOURCES[resource].sort_key[name]
    other = keys[(keys.index(key) + 1) % len(keys)]
    for both in ([key, other], [other, key]):
        expected = [record.id for record in oracle.ordered(everything(oracle, resource), both)]
        found, _ = await walk(gateway, resource, order_by(*both), 7 if len(expected) < 40 else 200)
        assert found == expected


@pytest.mark.parametrize("relation", SORTED_INVERSES, ids=str)
async def test_a_nested_list_is_in_order(gateway: Assembled, oracle: Oracle, relation: OfficialRelation) -> None:
    """By every sort key of what it holds, and by two; without any, in the order of ids."""
    owner = RESOURCES[relation.owner]
    parents = sorted(oracle.all(relation.target), key=lambda parent: -len(oracle.owners(relation, parent.id)))[:8]
    orders: list[list[SortKey]] = [[], *([key] for key in owner.sort_keys), [*owner.sort_keys[:2]]]
    fields = " ".join(
        f"by{place}: {relation.inverse}{f'({order_by(*keys)})' if keys else ''} {{ id }}"
        for place, keys in enumerate(orders)
    )
    query = f"query ($ids: [ID!]!) {{ parents: {RESOURCES[relation.target].plural}ByIds(ids: $ids) {{ {fields} }} }}"
    answer = await ask(gateway.federation, query, {"ids": [parent.id for parent in parents]})
    assert "errors" not in answer, answer["errors"]
    for parent, node in zip(parents, answer["data"]["parents"], strict=True):
        for place, keys in enumerate(orders):
            expected = oracle.ordered(oracle.owners(relation, parent.id), keys)
            assert [each["id"] for each in node[f"by{place}"]] == [record.id for record in expected]


async def test_the_data_tells_good_orders_from_bad(oracle: Oracle) -> None:
    """Å before Ä, records without a value, equal values: without them in the data the tests above would say little."""
    people = [record for record in oracle.all("Person") if record["familyName"]]
    key = RESOURCES["Person"].sort_key["FamilyNameAsc"]
    by_code_point = sorted(people, key=lambda record: (record["familyName"], record.id))
    assert oracle.ordered(people, [key]) != by_code_point
    lacking, tied = set(), set()
    for resource, name in SORT_KEYS:
        column = RESOURCES[resource].sort_key[name].column
        if column != "displayName":
            values = [[*values_at(record.values, column.split("."))] for record in everything(oracle, resource)]
            lacking |= {column for value in values if not value}
            shown = [str(value) for value in values if value]
            tied |= {column for _ in shown if len(set(shown)) < len(shown)}
    assert lacking >= {"endDate", "courseName", "courseCode"}
    assert tied >= {"startTime", "startDate", "familyName", "registeredDate"}
