"""hr, narvaro and lms have ids of their own for persons: answers are those of sources that share their ids."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers, start
from sources.demo.store import Table
from sources.demo.wild import IDENTITY, WILD

from .harness import ask, over
from .oracle import Oracle
from .oracle_filters import KINDS, Filters
from .oracle_query import answer, enum_name

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = """query($ids: [ID!]!) { personsByIds(ids: $ids) {
    id displayName emails { value }
    duties { signature startDate endDate dutyAt { id } }
    attendances(during: {from: "2026-03-23", to: "2026-03-25"}) { id student { id displayName } reporter { id } }
    absences(during: {from: "2026-03-01", to: "2026-03-25"}) { id student { id } registeredBy { id displayName } }
    grades { id gradeValue student { id } gradingTeacher { id displayName } }
    responsibles { person { id displayName } } responsibleFor { person { id displayName } }
} }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wild(town: Municipality) -> AsyncIterator[DemoServers]:
    """Servers of this module's own, which may be stopped."""
    async with await start(town, dialects=WILD) as servers:
        yield servers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(wild: DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(wild)
    yield assembled
    await assembled.aclose()


def in_order(value: Any) -> Any:
    """Lists without their order: where none is asked for it is that of ids, and those of duties differ."""
    if isinstance(value, list):
        return sorted((in_order(each) for each in value), key=repr)
    return {key: in_order(each) for key, each in value.items()} if isinstance(value, dict) else value


def people(oracle: Oracle) -> dict[str, list[str]]:
    """Some of each kind, who have what is asked for."""

    def some(resource: str, column: str) -> list[str]:
        found = dict.fromkeys(each[column]["id"] for each in oracle.all(resource) if each[column] is not None)
        return [id for id in found if oracle.by_id("Person", id) is not None][:3]

    children = [each for each in oracle.all("Person") if each["responsibles"]][:40:13]
    guardians = [entry["person"]["id"] for each in children for entry in each["responsibles"]]
    return {
        "pupils": some("Grade", "student") + some("Absence", "student") + some("Attendance", "student"),
        "children": some("Placement", "child"),
        "teachers": some("Grade", "gradingTeacher") + some("Attendance", "reporter"),
        "guardians": [id for id in guardians if oracle.by_id("Person", id) is not None]
        + some("Absence", "registeredBy"),
    }


@pytest.mark.parametrize("kind", ["pupils", "children", "teachers", "guardians"])
async def test_all_about_a_person(oracle: Oracle, gateway: Assembled, kind: str) -> None:
    asked = {"ids": people(oracle)[kind]}
    said = await ask(gateway.federation, ALL, asked)
    assert "errors" not in said, said["errors"]
    assert in_order(said["data"]) == in_order(answer(oracle, ALL, asked))


FILTERS = {
    "duties": ("person", "teachers", "signature startDate person { id displayName }"),
    "grades": ("student", "pupils", "id student { id displayName duties { signature } } gradingTeacher { id }"),
    "absences": ("student", "pupils", "id student { id } registeredBy { id displayName }"),
    "attendances": ("student", "pupils", "id student { id displayName } reporter { id duties { signature } }"),
    "activities": ("member", "pupils", "displayName groups { id }"),
}


NUMBERS = {"civicNo", "eduPersonPrincipalNames", "externalIdentifiers"}
"""What persons are recognised by."""
PLACES = {"absences": 3, "attendances": 6}
"""Which of the pupils has one: they are listed by what they have."""


@pytest.mark.parametrize("name", FILTERS)
async def test_filters_by_person(oracle: Oracle, gateway: Assembled, name: str) -> None:
    parameter, kind, fields = FILTERS[name]
    query = f"""query($id: ID!) {{ {name}(first: 1000, filter: {{{parameter}: $id}}) {{
        complete nodes {{ {fields} }}
    }} }}"""
    asked = {"id": people(oracle)[kind][PLACES.get(name, 0)]}
    said = await ask(gateway.federation, query, asked)
    assert "errors" not in said, said["errors"]
    expected = answer(oracle, query, asked)
    assert expected[name]["nodes"]
    assert in_order(said["data"]) == in_order(expected)


@pytest.mark.parametrize("kind", KINDS)
async def test_filters_by_how_a_person_is_related(oracle: Oracle, gateway: Assembled, kind: str) -> None:
    """At a unit and at the top of the tree: the relations are at sources with other ids for the person."""
    filters = Filters(oracle)
    relations = [each for found in filters.relations(kind).values() for each in found if each.organisation]
    unit = str(relations[0].organisation)
    top = max(filters.above(unit), key=lambda each: -len(filters.above(each)))
    sizes = set()
    lowest = top if kind == "groupMembership" else unit  # sis names the school alone of groups that schema has not
    for place, begun in ((lowest, None), (top, None), (top, relations[0].startDate)):
        more = f', startDate: {{onOrAfter: "{begun}"}}' if begun else ""
        query = f"""{{ persons(first: 1000, orderBy: [FAMILY_NAME_ASC], filter: {{
            relationship: {{entityType: {enum_name(kind)}, organisation: "{place}"{more}}}
        }}) {{ complete nodes {{ id displayName }} }} }}"""
        said = await ask(gateway.federation, query)
        assert "errors" not in said, said["errors"]
        assert said["data"] == answer(oracle, query)
        sizes.add(len(said["data"]["persons"]["nodes"]))
    assert sizes - {0}


async def test_members_of_a_group(oracle: Oracle, gateway: Assembled) -> None:
    filters = Filters(oracle)
    group = next(each for each in oracle.all("Group") if each["groupMemberships"])
    members = {each.id for each in oracle.all("Person") if filters.member(each, [group.id], None)}
    query = f"""{{
        persons(first: 1000, filter: {{memberOf: {{group: "{group.id}"}}}}) {{ complete nodes {{ id }} }}
        groups(first: 1000, filter: {{member: "{min(members)}"}}) {{ complete nodes {{ id }} }}
    }}"""
    said = (await ask(gateway.federation, query))["data"]
    assert said["persons"]["complete"]
    assert {each["id"] for each in said["persons"]["nodes"]} == members
    groups = {
        each.id
        for each in oracle.all("Group")
        if filters.member(oracle.record("Person", min(members)), [each.id], None)
    }
    assert said["groups"]["complete"]
    assert {each["id"] for each in said["groups"]["nodes"]} == groups


LESSONS = {"student": ("Person", "studentExceptions"), "teacher": ("Duty", "teacherExceptions")}
"""Per filter of calendarEvents: what it names, and the exceptions in which an event names it too."""


@pytest.mark.parametrize("parameter", LESSONS)
async def test_lessons_of_a_person(oracle: Oracle, gateway: Assembled, parameter: str) -> None:
    """The group's members are persons in the ids of one source, the exceptions in those of another."""
    kind, exceptions = LESSONS[parameter]
    events = oracle.all("CalendarEvent")
    column = parameter if kind == "Person" else "duty"
    named = [entry[column]["id"] for event in events for entry in event[exceptions] or ()]
    id = next(each for each in named if oracle.by_id(kind, each) is not None)
    query = f"""{{ calendarEvents(
        startTime: {{onOrAfter: "2026-01-01T00:00:00Z", onOrBefore: "2026-12-31T00:00:00Z"}}
        first: 1000, filter: {{{parameter}: "{id}"}}
    ) {{ complete nodes {{ id }} }} }}"""
    said = await ask(gateway.federation, query)
    assert "errors" not in said, said["errors"]
    filters = Filters(oracle)
    expected = {each.id for each in events if filters.selects(each, {parameter: [id]})}
    assert expected
    assert said["data"]["calendarEvents"]["complete"]
    assert {each["id"] for each in said["data"]["calendarEvents"]["nodes"]} == expected


async def test_what_is_linked_while_the_gateway_runs(town: Municipality, oracle: Oracle) -> None:
    """hr comes to know a teacher's number: she is two, and one when the lists are read again; either id is hers."""
    employed = [each["person"]["id"] for each in town.sources["hr"]["Duty"] if "person" in each]
    at_sis = [each for each in employed if oracle.tables["sis", "Person"].get(each)]
    id = next(each for each in at_sis if oracle.by_id("Person", each) is not None)
    own = WILD.of("hr").own_id("Person", id)
    query = "query($id: ID!) { person(id: $id) { id displayName duties { id } } }"

    async def shown(gateway: Assembled, by: str) -> Any:
        said = await ask(gateway.federation, query, {"id": by})
        assert "errors" not in said, said["errors"]
        return in_order(said["data"]["person"])

    async with await start(town, dialects=WILD) as servers:
        tables = servers["hr"].api.store.tables
        told = tables["Person"].records
        tables["Person"] = Table(
            [{k: v for k, v in each.items() if k not in NUMBERS} if each["id"] == id else each for each in told]
        )
        identity, cache = {**IDENTITY, "refresh": "2s"}, {"ttl": {"default": "0s"}}
        gateway = over(servers, identity=identity, cache=cache)
        try:
            before = [await shown(gateway, each) for each in (id, own)]
            tables["Person"] = Table(told)
            await asyncio.sleep(2.1)
            after = [await shown(gateway, each) for each in (id, own)]
        finally:
            await gateway.aclose()
    assert [each["id"] for each in before] == [id, own]
    assert [bool(each["duties"]) for each in before] == [False, True]
    assert after[0] == after[1]
    assert after[0]["id"] in (id, own)
    assert after[0]["duties"] == before[1]["duties"]


async def test_every_source_has_its_id_and_says_by_what_it_is_recognised(oracle: Oracle, gateway: Assembled) -> None:
    query = "query($ids: [ID!]!) { personsByIds(ids: $ids) { id provenance { sources { name id matchedBy } } } }"
    keys = {"hr": "civicNo", "narvaro": "civicNo", "lms": "eduPersonPrincipalName"}
    asked = [id for each in people(oracle).values() for id in each]
    met: Counter[str] = Counter()
    for person in (await ask(gateway.federation, query, {"ids": asked}))["data"]["personsByIds"]:
        for source in person["provenance"]["sources"]:
            name = source["name"]
            met[name] += 1
            assert source["id"] == WILD.of(name).own_id("Person", person["id"])
            assert source["matchedBy"] in ({"id"} if name not in keys else {*keys.values(), "externalIdentifier"})
    assert met.keys() >= keys.keys() | {"sis"}


async def test_identity_costs_one_walk_of_each_source(oracle: Oracle, wild: DemoServers) -> None:
    """However often it is asked: pages of one list of persons and duties at most."""
    pages = {
        name: -(-len(server.api.store.tables["Person"].records) // server.page_size) + 1
        for name, server in wild.items()
    }
    gateway = over(wild)
    wild.reset()
    try:
        for _ in range(3):
            for kind in people(oracle).values():
                await ask(gateway.federation, ALL, {"ids": kind})
    finally:
        await gateway.aclose()
    for name, server in wild.items():
        calls = Counter(server.calls)
        assert calls["GET", "/persons"] <= pages[name], name
    assert Counter(wild["narvaro"].calls)["GET", "/persons"] == 1


# A source that is down

IDS = """query($ids: [ID!]!) {
    personsByIds(ids: $ids) { id } grades(first: 1000) { nodes { id student { id } } }
    duties(first: 1000) { nodes { person { id } } }
}"""


@pytest.mark.parametrize("stopped", ["hr", "narvaro", "sis"])
async def test_ids_stay_while_a_source_is_down(oracle: Oracle, wild: DemoServers, tmp_path: Path, stopped: str) -> None:
    """Also after a restart of the gateway, which finds them in its file."""
    identity = {**IDENTITY, "store": str(tmp_path / "ids.sqlite")}
    asked = {"ids": [id for each in people(oracle).values() for id in each]}
    first = over(wild, identity=identity)
    before = await ask(first.federation, IDS, asked)
    await first.aclose()
    assert "errors" not in before
    await wild[stopped].stop()
    second = over(wild, identity=identity)
    try:
        during = await ask(second.federation, IDS, asked)
    finally:
        await second.aclose()
        await wild[stopped].start()
    assert stopped in {gap["source"] for gap in during["extensions"]["completeness"]["gaps"]}
    for name, nodes in (("grades", "student"), ("duties", "person")):
        ids = {each[nodes]["id"] for each in before["data"][name]["nodes"] if each[nodes]}
        found = {each[nodes]["id"] for each in during["data"][name]["nodes"] if each[nodes]}
        marked = {id for id in found if oracle.hidden(oracle.record("Person", id))}  # by sis alone, which is down
        assert found - ids <= (marked if stopped == "sis" else set()), name
        assert found or (stopped, name) == ("hr", "duties")
    third = over(wild, identity=identity)
    try:
        after = await ask(third.federation, IDS, asked)
    finally:
        await third.aclose()
    assert in_order(after["data"]) == in_order(before["data"])


async def test_a_link_that_comes_to_light_later_changes_no_id(
    oracle: Oracle, wild: DemoServers, tmp_path: Path
) -> None:
    """hr's id is given while sis is down; afterwards sis's own id leads there too."""
    identity = {**IDENTITY, "store": str(tmp_path / "ids.sqlite")}
    query = "query($id: ID!) { person(id: $id) { id emails { value } } }"
    given = "{ duties(first: 1000) { nodes { person { id } } } }"
    own = {WILD.of("hr").own_id("Person", each["id"]): each["id"] for each in oracle.sources["hr"]["Person"]}
    await wild["sis"].stop()
    first = over(wild, identity=identity)
    try:
        shown = (await ask(first.federation, given))["data"]["duties"]["nodes"]
    finally:
        await first.aclose()
        await wild["sis"].start()
    ids = [each["person"]["id"] for each in shown if each["person"] and each["person"]["id"] in own]
    ids = [id for id in ids if oracle.tables["sis", "Person"].get(own[id])][:3]
    assert ids
    second = over(wild, identity=identity)
    try:
        for id in ids:
            by_either = [
                (await ask(second.federation, query, {"id": each}))["data"]["person"] for each in (id, own[id])
            ]
            assert by_either[0] == by_either[1]
            assert by_either[0]["id"] == id
    finally:
        await second.aclose()


# Conflicts


async def test_keys_that_point_to_two_persons_merge_nobody(
    town: Municipality, oracle: Oracle, caplog: pytest.LogCaptureFixture
) -> None:
    """A teacher has another's civicNo at hr, beside the unique number of an employment."""
    shared = [each["id"] for each in town.sources["hr"]["Person"] if oracle.tables["sis", "Person"].get(each["id"])]
    open_ = [id for id in shared if oracle.by_id("Person", id) is not None]
    one, other = open_[0], open_[1]
    sources = {name: dict(resources) for name, resources in town.sources.items()}
    number = next(each["civicNo"] for each in sources["hr"]["Person"] if each["id"] == other)
    sources["hr"]["Person"] = [
        {**each, "civicNo": number} if each["id"] == one else each for each in sources["hr"]["Person"]
    ]
    query = """query { persons(first: 1000) { complete nodes { id displayName }
        gaps { source resource code retryable } } }"""
    with caplog.at_level(logging.DEBUG):
        async with await start(replace(town, sources=sources), dialects=WILD) as servers:
            gateway = over(servers)
            try:
                said = await ask(gateway.federation, query)
            finally:
                await gateway.aclose()
    persons = said["data"]["persons"]
    assert persons["complete"] is False
    assert ("hr", "IDENTITY_CONFLICT") in {(gap["source"], gap["code"]) for gap in persons["gaps"]}
    ids = {each["id"] for each in persons["nodes"]}
    assert {one, other, *(WILD.of("hr").own_id("Person", id) for id in (one, other))} <= ids
    digits: Sequence[str] = [number["value"], number["value"][2:], number["value"][2:8] + "-" + number["value"][8:]]
    told = json.dumps(said) + caplog.text
    assert not [each for each in digits if each in told]
