"""Protected persons are as if they were not there: in lists, by id, behind references, in memberships, in filters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers

from .harness import ask, over


@pytest_asyncio.fixture
async def gateway(demo: DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(demo)
    yield assembled
    await assembled.aclose()


def protected(town: Municipality) -> dict[str, dict[str, Any]]:
    """Whoever any source marks, with what the sources know of him or her."""
    marked = {
        person["id"]
        for records in town.sources.values()
        for person in records.get("Person", ())
        if person.get("securityMarking", "Ingen") != "Ingen"
    }
    return {each: {} for each in marked} | {
        person["id"]: person
        for records in town.sources.values()
        for person in records.get("Person", ())
        if person["id"] in marked and person.get("familyName")
    }


async def walk(gateway: Assembled, field: str, selection: str, arguments: str = "") -> list[Any]:
    """All records of a list, page after page."""
    found: list[Any] = []
    after = ""
    while True:
        query = (
            f"{{ {field}(first: 200{arguments}{after}) {{ nodes {selection} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
        page = (await ask(gateway.federation, query))["data"][field]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = f', after: "{page["pageInfo"]["endCursor"]}"'


async def test_one_is_marked_by_one_source_only(town: Municipality) -> None:
    """The data has the hard case: a source that knows the person without the marking."""
    hidden = protected(town)
    assert any(
        each["id"] in hidden and each.get("securityMarking", "Ingen") == "Ingen"
        for records in town.sources.values()
        for each in records.get("Person", ())
    )


async def test_they_are_in_no_list_and_pages_are_full_all_the_same(gateway: Assembled, town: Municipality) -> None:
    hidden = protected(town)
    people = await walk(gateway, "persons", "{ id }")
    assert not {each["id"] for each in people} & set(hidden)
    for order in ("", ", orderBy: [FAMILY_NAME_ASC]"):
        query = f"{{ persons(first: 200{order}) {{ nodes {{ id }} }} }}"
        assert len((await ask(gateway.federation, query))["data"]["persons"]["nodes"]) == 200


async def test_they_are_null_by_id_and_found_by_no_filter(gateway: Assembled, town: Municipality) -> None:
    for each, known in protected(town).items():
        query = f'{{ person(id: "{each}") {{ id }} personsByIds(ids: ["{each}"]) {{ id }} }}'
        assert (await ask(gateway.federation, query)) == {
            "data": {"person": None, "personsByIds": [None]},
            "extensions": {"completeness": {"complete": True, "gaps": []}},
        }
        name = json.dumps(known["familyName"])
        found = await walk(gateway, "persons", "{ id }", f", filter: {{nameContains: [{name}]}}")
        assert each not in {person["id"] for person in found}


async def test_nothing_is_selected_by_their_id(gateway: Assembled, town: Municipality) -> None:
    """Neither by a filter of a list nor by one of a nested list: the same answer as for an id that nobody has."""
    referring = {
        "duties": ("Duty", "person"),
        "grades": ("Grade", "student"),
        "attendances": ("Attendance", "student"),
        "placements": ("Placement", "child"),
        "studyPlans": ("StudyPlan", "student"),
    }
    hidden = set(protected(town))
    tried = 0
    for field, (resource, name) in referring.items():
        for records in town.sources.values():
            for record in records.get(resource, ()):
                who = record.get(name, {}).get("id")
                if who in hidden:
                    value = f'["{who}"]' if field == "studyPlans" else f'"{who}"'
                    query = f"{{ {field}(filter: {{{name}: {value}}}) {{ nodes {{ id }} }} }}"
                    assert (await ask(gateway.federation, query))["data"][field]["nodes"] == []
                    tried += 1
    assert tried


async def test_no_reference_and_no_membership_leads_to_them(gateway: Assembled, town: Municipality) -> None:
    hidden = set(protected(town))
    groups = await walk(gateway, "groups", "{ id groupMemberships { startDate person { id } } }")
    persons = await walk(
        gateway, "persons", "{ responsibles { relationType person { id } } responsibleFor { person { id } } }"
    )
    duties = await walk(gateway, "duties", "{ person { id } }")
    grades = await walk(gateway, "grades", "{ student { id } gradingTeacher { id } registeredBy { id } }")
    text = json.dumps([groups, persons, duties, grades])
    assert not [each for each in hidden if each in text]
    sent = {
        group["id"]: {entry["person"]["id"] for entry in group.get("groupMemberships", ())}
        for group in town.sources["sis"]["Group"]
    }
    assert any(members & hidden for members in sent.values())
    for group in groups:
        assert all(entry["person"] is not None for entry in group["groupMemberships"])


async def test_an_entry_is_left_out_whole_even_if_nothing_of_the_person_is_asked(
    gateway: Assembled, town: Municipality
) -> None:
    """Counting memberships must not tell that somebody is there."""
    plain = await walk(gateway, "groups", "{ id groupMemberships { startDate } }")
    with_person = await walk(gateway, "groups", "{ id groupMemberships { startDate person { id } } }")
    assert [len(each["groupMemberships"]) for each in plain] == [len(each["groupMemberships"]) for each in with_person]


async def test_the_configuration_can_show_them(demo: DemoServers, town: Municipality) -> None:
    assembled = over(demo, policy={"protected_persons": "show"})
    try:
        for each in protected(town):
            answer = await ask(assembled.federation, f'{{ person(id: "{each}") {{ id securityMarkingText }} }}')
            assert answer["data"]["person"]["securityMarkingText"] != "Ingen"
    finally:
        await assembled.aclose()
