"""How a demonstration server answers: pages, order, expands, names in references, lookups, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from sources.demo.municipality import Municipality
from sources.demo.split import SOURCES
from sources.standard import RESOURCES

from .conftest import WINDOW, Asked

EVERY = [(source, resource) for source, resources in SOURCES.items() for resource in resources]


def _window(name: str) -> list[tuple[str, str]]:
    return list(WINDOW.get(name, {}).items())


@pytest.mark.parametrize(("source", "name"), EVERY)
async def test_pages_give_every_record_once(
    asked: Mapping[str, Asked], municipality: Municipality, source: str, name: str
) -> None:
    records = municipality.sources[source][name]
    walked = await asked[source].walk(RESOURCES[name].path, _window(name), limit=max(1, len(records) // 3))
    assert walked == records


async def test_a_last_page_that_is_exactly_full_has_no_token(asked: Mapping[str, Asked]) -> None:
    everything = await asked["sis"].walk("/programmes")
    page = await asked["sis"].one("/programmes", {"limit": str(len(everything))})
    assert page["pageToken"] is None


async def test_a_page_holds_no_more_than_the_server_gives(
    municipality: Municipality, asked: Mapping[str, Asked]
) -> None:
    api = asked["sis"].api
    before, api.page_size = api.page_size, 7
    try:
        assert len((await asked["sis"].one("/persons", {"limit": "500"}))["data"]) == 7
        assert len((await asked["sis"].one("/persons"))["data"]) == 7
        assert len(await asked["sis"].walk("/persons")) == len(municipality.sources["sis"]["Person"])
    finally:
        api.page_size = before


async def test_the_token_carries_filters_expands_names_and_order(asked: Mapping[str, Asked]) -> None:
    query = [
        ("nameContains", "son"),
        ("expand", "duties"),
        ("expandReferenceNames", "true"),
        ("sortkey", "GivenNameDesc"),
    ]
    whole = await asked["hr"].walk("/persons", query)
    assert len(whole) > 3
    assert await asked["hr"].walk("/persons", query, limit=2) == whole
    assert all("duties" in person["_embedded"] for person in whole)


async def test_a_token_is_refused_with_other_parameters_elsewhere_and_made_up(asked: Mapping[str, Asked]) -> None:
    token = (await asked["sis"].one("/persons", {"limit": "2"}))["pageToken"]
    for path, params in (
        ("/persons", [("pageToken", token), ("sortkey", "ModifiedDesc")]),
        ("/persons", [("pageToken", token), ("expandReferenceNames", "true")]),
        ("/groups", [("pageToken", token)]),
        ("/deletedEntities", [("pageToken", token)]),
        ("/persons", [("pageToken", "2")]),
        ("/persons", [("pageToken", token), ("pageToken", token)]),
    ):
        assert (await asked["sis"].raw(path, params)).status_code == 400, params[1:]
    assert (await asked["sis"].raw("/persons", [("pageToken", token), ("limit", "3")])).status_code == 200


@pytest.mark.parametrize(
    ("source", "path", "query"),
    [
        ("sis", "/persons", "shoeSize=44"),
        ("sis", "/persons", "civicNo=1&civicNo=2"),
        ("sis", "/persons", "sortkey=displayNameAsc"),
        ("sis", "/persons", "expand=friends"),
        ("sis", "/persons", "expandReferenceNames=yes"),
        ("sis", "/persons", "limit=0"),
        ("sis", "/persons", "meta.modified.after=2026-01-01"),
        ("sis", "/persons", "meta.modified.after=2026-01-01T10:00:00"),
        ("sis", "/persons", "meta.modified.after=2026-01-01T10:00:00+01:00"),  # a plus sign is a space in a query
        ("sis", "/persons", "relationship.organisation=abc"),
        ("sis", "/groups", "groupType=klass"),
        ("sis", "/groups", "startDate.onOrBefore=20260101"),
        ("sis", "/groups/abc", ""),
        ("sis", "/deletedEntities", "entities=persons"),
        ("schema", "/calendarEvents", ""),
        ("schema", "/calendarEvents", "startTime.onOrAfter=2026-03-25T00:00:00Z"),
        ("narvaro", "/aggregatedAttendance", "startDate=2026-03-01"),
    ],
)
async def test_what_the_standard_does_not_have_is_refused(
    asked: Mapping[str, Asked], source: str, path: str, query: str
) -> None:
    response = await asked[source].raw(f"{path}?{query}")
    assert response.status_code == 400
    assert set(response.json()) == {"code", "message"}


async def test_a_refusal_repeats_nothing_of_the_request(asked: Mapping[str, Asked]) -> None:
    response = await asked["sis"].raw("/persons", {"civicNo-200001012380": "200001012380", "x": "Åsa"})
    assert "200001012380" not in response.text
    assert "Åsa" not in response.text


async def test_what_is_not_there_is_404_without_body(asked: Mapping[str, Asked]) -> None:
    for path in ("/persons/00000000-0000-5000-a000-000000000000", "/nothing", "/rooms"):
        response = await asked["sis"].raw(path)
        assert (response.status_code, response.content) == (404, b"")


async def test_names_stand_in_references_only_when_asked_for(
    asked: Mapping[str, Asked], municipality: Municipality
) -> None:
    plain = (await asked["sis"].one("/persons"))["data"]
    named = (await asked["sis"].one("/persons", {"expandReferenceNames": "true"}))["data"]
    names = {o["id"]: o["displayName"] for o in municipality.sources["sis"]["Organisation"]}
    people = {p["id"]: f"{p['givenName']} {p['familyName']}" for p in municipality.sources["sis"]["Person"]}
    seen = 0
    for without, with_names in zip(plain, named, strict=True):
        for enrolment, other in zip(without.get("enrolments", []), with_names.get("enrolments", []), strict=True):
            assert "displayName" not in enrolment["enroledAt"]
            assert other["enroledAt"]["displayName"] == names[enrolment["enroledAt"]["id"]]
        for responsible, other in zip(without.get("responsibles", []), with_names.get("responsibles", []), strict=True):
            assert "displayName" not in responsible["person"]
            assert other["person"]["displayName"] == people[responsible["person"]["id"]]
            seen += 1
    assert seen > 50


SORTED = {
    "GivenNameAsc": lambda p: p["givenName"],
    "FamilyNameAsc": lambda p: p["familyName"],
    "DisplayNameAsc": lambda p: f"{p['givenName']} {p['familyName']}",
    "CivicNoAsc": lambda p: p["civicNo"]["value"],
}


@pytest.mark.parametrize("key", SORTED)
async def test_persons_are_in_the_order_asked_for(asked: Mapping[str, Asked], key: str) -> None:
    people = await asked["sis"].walk("/persons", [("sortkey", key)])
    known = [SORTED[key](p).casefold() for p in people if key != "CivicNoAsc" or "civicNo" in p]
    assert known == sorted(known)
    # those without the value come last
    assert all("civicNo" not in p for p in people[len(known) :])


async def test_times_are_ordered_as_instants_and_descending_means_so(asked: Mapping[str, Asked]) -> None:
    for key, field in (("StartTimeDesc", "startTime"), ("ModifiedDesc", None)):
        events = await asked["schema"].walk("/calendarEvents", [*_window("CalendarEvent"), ("sortkey", key)])
        times = [e[field] if field else e["meta"]["modified"] for e in events]
        assert [_instant(t) for t in times] == sorted(map(_instant, times), reverse=True)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_expanding_a_person_is_the_join_of_what_the_source_holds(
    asked: Mapping[str, Asked], municipality: Municipality
) -> None:
    sis = municipality.sources["sis"]
    expands = ("duties", "responsibleFor", "placements", "ownedPlacements", "groupMemberships")
    people: list[Any] = await asked["sis"].walk("/persons", [("expand", e) for e in expands])
    found = dict.fromkeys(expands, 0)
    for person in people:
        id, embedded = person["id"], person["_embedded"]
        records: Mapping[str, list[Any]] = {
            "duties": [d for d in sis["Duty"] if _id(d.get("person")) == id],
            "placements": [p for p in sis["Placement"] if _id(p["child"]) == id],
            "ownedPlacements": [p for p in sis["Placement"] if id in [_id(o) for o in _list(p, "owners")]],
        }
        for name, expected in records.items():
            assert embedded[name] == expected
            found[name] += len(expected)
        children = [p["id"] for p in sis["Person"] if id in [_id(r["person"]) for r in _list(p, "responsibles")]]
        assert [r["person"]["id"] for r in embedded["responsibleFor"]] == children
        found["responsibleFor"] += len(children)
        groups = [g["id"] for g in sis["Group"] for m in _list(g, "groupMemberships") if _id(m["person"]) == id]
        assert [m["group"]["id"] for m in embedded["groupMemberships"]] == groups
        assert all("groupMemberships" not in m["group"] for m in embedded["groupMemberships"])
        found["groupMemberships"] += len(groups)
    assert all(found.values()), found


async def test_other_expands_are_joins_too(asked: Mapping[str, Asked], municipality: Municipality) -> None:
    schema, forskola = municipality.sources["schema"], municipality.sources["forskola"]
    groups, duties = _by_id(schema["Group"]), _by_id(schema["Duty"])
    activities = await asked["schema"].walk("/activities", [("expand", "groups"), ("expand", "teachers")])
    for activity in activities:
        assert activity["_embedded"]["groups"] == [groups[g["id"]] for g in activity["groups"]]
        teachers = [t["duty"]["id"] for t in activity.get("teachers", [])]
        assert activity["_embedded"]["teachers"] == [duties[t] for t in teachers if t in duties]
    assert any(a["_embedded"]["teachers"] for a in activities)
    own = _by_id(schema["Activity"])
    for event in await asked["schema"].walk("/calendarEvents", [*_window("CalendarEvent"), ("expand", "activity")]):
        assert event["_embedded"] == {"activity": own[event["activity"]["id"]]}
    people = _by_id(forskola["Person"])
    for stay in await asked["forskola"].walk("/attendanceEvents", [("expand", "person"), ("expand", "group")]):
        assert stay["_embedded"]["person"] == people[stay["person"]["id"]]
        assert "groupMemberships" not in stay["_embedded"]["group"]
    by_group: dict[str, list[str]] = {}
    for duty in municipality.sources["sis"]["Duty"]:
        for role in _list(duty, "assignmentRole"):
            by_group.setdefault(role["group"]["id"], []).append(str(duty["id"]))
    for group in await asked["sis"].walk("/groups", [("expand", "assignmentRoles")]):
        roles = [r["duty"]["id"] for r in group["_embedded"]["assignmentRoles"]]
        assert roles == by_group.get(group["id"], [])


async def test_a_lookup_gives_what_is_known_and_refuses_unknown_arrays(asked: Mapping[str, Asked]) -> None:
    people = await asked["sis"].walk("/persons")
    some = [people[5], people[2], people[90]]
    unknown = "00000000-0000-5000-a000-000000000000"
    by_id = await asked["sis"].one("/persons/lookup", body={"ids": [p["id"] for p in some] + [unknown]})
    assert sorted(p["id"] for p in by_id) == sorted(p["id"] for p in some)
    by_number = await asked["sis"].one("/persons/lookup", body={"civicNos": [some[0]["civicNo"]["value"]]})
    assert [p["id"] for p in by_number] == [some[0]["id"]]
    upper = await asked["sis"].one("/persons/lookup", body={"ids": [some[0]["id"].upper()]})
    assert [p["id"] for p in upper] == [some[0]["id"]]
    assert await asked["sis"].one("/persons/lookup", body={}) == []
    for body in ({"emails": []}, {"ids": "x"}, {"ids": ["x"]}, [], "x"):
        assert (await asked["sis"].raw("/persons/lookup", body=body)).status_code == 400


async def test_deletions_by_time_and_kind(asked: Mapping[str, Asked], municipality: Municipality) -> None:
    gone = municipality.deleted["sis"]
    answer = await asked["sis"].one("/deletedEntities", {"entities": "Person"})
    assert answer["data"] == {"persons": [d.id for d in gone if d.resource == "Person"]}
    latest = gone[-1].at.isoformat()
    assert (await asked["sis"].one("/deletedEntities", {"after": latest}))["data"] == {}
    since = await asked["sis"].one("/deletedEntities", {"after": "2026-03-01T00:00:00+01:00"})
    assert sorted(_all(since)) == sorted(d.id for d in gone if d.at.isoformat() > "2026-03-01")
    assert 0 < len(_all(since)) < len(gone)
    first = await asked["sis"].one("/deletedEntities", {"limit": "4"})
    ids = _all(first)
    assert len(ids) == 4
    rest = await asked["sis"].one("/deletedEntities", {"pageToken": first["pageToken"], "limit": "500"})
    assert sorted(ids + _all(rest)) == sorted(d.id for d in gone)


def _all(answer: Any) -> list[str]:
    return [id for ids in answer["data"].values() for id in ids]


def _id(reference: Any) -> Any:
    return None if reference is None else reference["id"]


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    found: list[Any] = record.get(name, [])
    return found


def _by_id(records: Any) -> Mapping[str, Any]:
    return {record["id"]: record for record in records}
