"""Every list, with and without paging, filters and order; and every record by its id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sources.standard import RESOURCES
from sources.standard.model import Resource
from tests.harness import ask

from .conftest import gateway
from .oracle import SERVED, UNSERVED, Json, Oracle, enum_name, everything, holds, leaves, order_name, with_instants
from .server import ThirdParty

ALL = '{onOrAfter: "2026-11-01T00:00:00+01:00", onOrBefore: "2026-12-01T00:00:00+01:00"}'
"""A window around all events."""
NOBODY = "00000000-0000-4000-8000-000000000000"


def called(resource: Resource, arguments: str = "") -> str:
    """The list's field with its required arguments and these."""
    required = {"CalendarEvent": f"startTime: {ALL}"} | {
        "AggregatedAttendance": 'startDate: "2026-11-01", endDate: "2026-12-01"'
    }
    given = " ".join(part for part in (required.get(resource.name, ""), arguments) if part)
    return f"{resource.plural}({given})" if given else resource.plural


def clean(answer: Json) -> Json:
    """The data of an answer that lacks nothing."""
    assert "errors" not in answer, answer["errors"]
    assert answer["extensions"]["completeness"] == {"complete": True, "gaps": []}
    data: Json = answer["data"]
    return data


@pytest.mark.parametrize("name", SERVED)
async def test_a_list_has_every_property_of_every_record_that_may_be_seen(
    name: str, third_party: ThirdParty, oracle: Oracle
) -> None:
    resource = RESOURCES[name]
    listed = called(resource, "first: 1000")
    query = f"{{ all: {listed} {{ nodes {{ {everything(resource)} }} complete gaps {{ code }} }} }}"
    async with gateway(third_party) as assembled:
        found = clean(await ask(assembled.federation, query))["all"]
    assert found["complete"] is True
    assert found["gaps"] == []
    assert with_instants(found["nodes"]) == [oracle.record(resource, record) for record in oracle.shown(name)]


@pytest.mark.parametrize("name", UNSERVED)
async def test_a_resource_that_nobody_serves_is_null_with_a_notice(name: str, third_party: ThirdParty) -> None:
    resource = RESOURCES[name]
    query = f"{{ all: {called(resource)} {{ nodes {{ id }} }} }}"
    if resource.get:
        single = resource.name[0].lower() + resource.name[1:]
        query = (
            f'{{ all: {called(resource)} {{ nodes {{ id }} }} one: {single}(id: "{NOBODY}") {{ id }} '
            f'some: {resource.plural}ByIds(ids: ["{NOBODY}"]) {{ id }} }}'
        )
    async with gateway(third_party) as assembled:
        answer = await ask(assembled.federation, query)
    assert answer["data"] == ({"all": None, "one": None, "some": [None]} if resource.get else {"all": None})
    assert "errors" not in answer
    assert [(each["code"], each["resource"]) for each in answer["extensions"]["notices"]] == [("NOT_SERVED", name)]
    assert not any(path.startswith(resource.path) for _, path, _ in third_party.calls)


@pytest.mark.parametrize("first", [7, 100])
@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize("upstream", ["third_party", "small_pages"])
async def test_pages_by_cursor_are_the_list(
    name: str, first: int, upstream: str, request: pytest.FixtureRequest, oracle: Oracle
) -> None:
    expected = [record["id"] for record in oracle.shown(name)]
    async with gateway(request.getfixturevalue(upstream)) as assembled:
        pages = [page async for page in _pages(assembled.federation, RESOURCES[name], first)]
    assert [identity for page in pages for identity in page] == expected
    assert all(len(page) == first for page in pages[:-1])


@pytest.mark.parametrize("name", SERVED)
async def test_ordered_pages_by_cursor_are_the_ordered_list(name: str, third_party: ThirdParty, oracle: Oracle) -> None:
    resource = RESOURCES[name]
    key = resource.sort_keys[-1]
    expected = [record["id"] for record in oracle.ordered(resource, oracle.shown(name), [key])]
    async with gateway(third_party) as assembled:
        order = f"orderBy: [{order_name(key)}]"
        pages = [page async for page in _pages(assembled.federation, resource, 7, order)]
    assert [identity for page in pages for identity in page] == expected


async def test_a_page_goes_on_from_any_records_cursor(third_party: ThirdParty, oracle: Oracle) -> None:
    expected = [person["id"] for person in oracle.shown("Person")]
    async with gateway(third_party) as assembled:
        data = clean(await ask(assembled.federation, "{ persons(first: 1000) { edges { cursor node { id } } } }"))
        edges = data["persons"]["edges"]
        assert [edge["node"]["id"] for edge in edges] == expected
        for place in (0, 48, 49, 50, 98, len(edges) - 2):
            after = f'{{ persons(first: 2, after: "{edges[place]["cursor"]}") {{ nodes {{ id }} }} }}'
            nodes = clean(await ask(assembled.federation, after))["persons"]["nodes"]
            assert [node["id"] for node in nodes] == expected[place + 1 : place + 3]


async def _pages(federation: Any, resource: Resource, first: int, arguments: str = "") -> Any:
    after = ""
    for _ in range(200):
        query = called(resource, f"{arguments} first: {first}{after}")
        answer = await ask(
            federation, f"{{ all: {query} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} complete }} }}"
        )
        page = clean(answer)["all"]
        assert page["complete"] is True
        yield [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("name", ["Organisation", "Duty", "Group", "Activity"])
async def test_a_list_of_a_day_or_a_period_has_what_holds_then(
    name: str, third_party: ThirdParty, oracle: Oracle
) -> None:
    starts = sorted({record["startDate"] for record in oracle.sent[name]})
    periods = [(day, day) for day in ("2020-01-01", *starts, "2030-01-01")] + [("2020-01-01", starts[0])]
    async with gateway(third_party) as assembled:
        for first, last in periods:
            when = f'on: "{first}"' if first == last else f'during: {{from: "{first}", to: "{last}"}}'
            query = f"{{ all: {called(RESOURCES[name], when)} {{ nodes {{ id }} }} }}"
            nodes = clean(await ask(assembled.federation, query))["all"]["nodes"]
            expected = [record["id"] for record in oracle.shown(name) if holds(record, first, last)]
            assert [node["id"] for node in nodes] == expected, when


# Order


@pytest.mark.parametrize(
    ("name", "key"),
    [pytest.param(name, key.name, id=f"{name}-{key.name}") for name in SERVED for key in RESOURCES[name].sort_keys],
)
async def test_a_sort_key_orders_as_a_swedish_reader_expects(
    name: str, key: str, third_party: ThirdParty, oracle: Oracle
) -> None:
    resource = RESOURCES[name]
    sort_key = resource.sort_key[key]
    query = called(resource, f"first: 1000 orderBy: [{order_name(sort_key)}]")
    async with gateway(third_party) as assembled:
        nodes = clean(await ask(assembled.federation, f"{{ all: {query} {{ nodes {{ id }} }} }}"))["all"]["nodes"]
    expected = oracle.ordered(resource, oracle.shown(name), [sort_key])
    assert [node["id"] for node in nodes] == [record["id"] for record in expected]


async def test_several_sort_keys_and_a_filter(third_party: ThirdParty, oracle: Oracle) -> None:
    person = RESOURCES["Person"]
    keys = [person.sort_key["FamilyNameAsc"], person.sort_key["GivenNameDesc"]]
    order = ", ".join(map(order_name, keys))
    query = f'{{ persons(first: 1000 orderBy: [{order}] filter: {{nameContains: ["s"]}}) {{ nodes {{ id }} }} }}'
    given = [(person.parameter["nameContains"], ["s"])]
    async with gateway(third_party) as assembled:
        nodes = clean(await ask(assembled.federation, query))["persons"]["nodes"]
    passing = [record for record in oracle.shown("Person") if oracle.test(given)(record)]
    assert 10 < len(passing) < len(oracle.shown("Person"))
    assert [node["id"] for node in nodes] == [record["id"] for record in oracle.ordered(person, passing, keys)]


# By id


@pytest.mark.parametrize("name", SERVED)
async def test_by_ids_has_every_property_in_the_order_asked(name: str, third_party: ThirdParty, oracle: Oracle) -> None:
    """Also those that the source sends in lists only; protected and unknown records are null."""
    resource = RESOURCES[name]
    asked = [*reversed([record["id"] for record in oracle.sent[name]]), NOBODY, oracle.sent[name][0]["id"]]
    query = f"{{ some: {resource.plural}ByIds(ids: {json.dumps(asked)}) {{ {everything(resource)} }} }}"
    async with gateway(third_party) as assembled:
        found = clean(await ask(assembled.federation, query))["some"]
    shown = {record["id"]: oracle.record(resource, record) for record in oracle.shown(name)}
    assert with_instants(found) == [shown.get(identity) for identity in asked]


@pytest.mark.parametrize("name", SERVED)
async def test_by_id_has_every_property(name: str, third_party: ThirdParty, oracle: Oracle) -> None:
    resource = RESOURCES[name]
    single = name[0].lower() + name[1:]
    sent = oracle.sent[name][:5] + [record for record in oracle.sent[name] if record["id"] in oracle.hidden]
    shown = {record["id"]: oracle.record(resource, record) for record in oracle.shown(name)}
    async with gateway(third_party) as assembled:
        for record in (*sent, {"id": NOBODY}):
            spelled = f"{{{record['id'].upper()}}}"
            query = f'{{ one: {single}(id: "{spelled}") {{ {everything(resource)} }} }}'
            found = clean(await ask(assembled.federation, query))["one"]
            assert with_instants(found) == shown.get(record["id"])


# Where it comes from


@pytest.mark.parametrize("name", SERVED)
async def test_provenance_names_the_source_and_raw_is_what_it_sent(
    name: str, third_party: ThirdParty, oracle: Oracle
) -> None:
    """Unknown properties of the source (owner, subject, groupCode) stand in raw and nowhere else."""
    resource = RESOURCES[name]
    what = 'id raw(source: "sis") provenance { sources { name id matchedBy } fields { name source } issues }'
    async with gateway(third_party) as assembled:
        query = f"{{ all: {called(resource, 'first: 1000')} {{ nodes {{ {what} }} }} }}"
        nodes = clean(await ask(assembled.federation, query))["all"]["nodes"]
    for node, record in zip(nodes, oracle.shown(name), strict=True):
        assert node["raw"] == record
        assert node["provenance"]["sources"] == [{"name": "sis", "id": record["id"], "matchedBy": "id"}]
        known = [column for column in resource.columns if column != "id" and column in record]
        assert node["provenance"]["fields"] == [{"name": column, "source": "sis"} for column in known]
        assert node["provenance"]["issues"] == []


def test_the_data_has_what_these_tests_are_about(oracle: Oracle) -> None:
    assert len(oracle.hidden) == 2
    assert {len(oracle.shown("Person")) // 50, len(oracle.sent["CalendarEvent"])} == {2, 15}
    assert any(enum_name(role) == "LARARE" for role in leaves(list(oracle.sent["Duty"]), "dutyRole"))
    assert all(
        set(activity) - set(RESOURCES["Activity"].columns) == {"owner", "subject"}
        for activity in oracle.sent["Activity"]
    )
    assert all("duty" not in teacher for activity in oracle.sent["Activity"] for teacher in activity["teachers"])
