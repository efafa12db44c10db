"""The third party's habits themselves, and what the gateway's configuration says of them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from gateway.assemble import assemble
from gateway.config import parse
from sources.standard import RESOURCES
from tests.harness import ask

from .conftest import configuration, gateway
from .oracle import UNSERVED, Json, Oracle, begins_in
from .server import PREFIX, ThirdParty, moment
from .test_connections import ALL, clean

WINDOW = {"startTime.onOrAfter": "2026-11-01T00:00:00+01:00", "startTime.onOrBefore": "2026-12-01T00:00:00+01:00"}


async def get(api: ThirdParty, path: str, **params: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(
            api.url + PREFIX + path, params=params, headers={"Authorization": f"Bearer {api.token}"}
        )


async def test_filters_and_limit_are_ignored(third_party: ThirdParty, oracle: Oracle) -> None:
    params = {"limit": "10", "nameContains": "nobody", "invented": "x", "sortkey": "ModifiedDesc"}
    answer = (await get(third_party, "/persons", **params)).json()
    assert answer["data"] == oracle.sent["Person"][:50]
    assert answer["pageToken"] == "50"
    last = (await get(third_party, "/persons", pageToken="100")).json()
    assert last == {"data": oracle.sent["Person"][100:], "pageToken": None}


async def test_events_need_their_window_with_every_page(small_pages: ThirdParty, oracle: Oracle) -> None:
    assert (await get(small_pages, "/calendarEvents")).status_code == 400
    first = (await get(small_pages, "/calendarEvents", **WINDOW)).json()
    assert first == {"data": oracle.sent["CalendarEvent"][:2], "pageToken": "2"}
    assert (await get(small_pages, "/calendarEvents", pageToken="2")).status_code == 400
    second = (await get(small_pages, "/calendarEvents", **WINDOW, pageToken="2")).json()
    assert second["data"] == oracle.sent["CalendarEvent"][2:4]


async def test_a_single_person_lacks_what_the_list_has(third_party: ThirdParty, oracle: Oracle) -> None:
    pupil = next(person for person in oracle.sent["Person"] if "enrolments" in person)
    found = (await get(third_party, f"/persons/{pupil['id']}")).json()
    assert {"enrolments", "responsibles"} == set(pupil) - set(found)


async def test_there_is_no_lookup_no_other_resource_and_no_answer_without_credentials(
    third_party: ThirdParty,
) -> None:
    async with httpx.AsyncClient(base_url=third_party.url + PREFIX, trust_env=False) as client:
        assert (await client.post("/persons/lookup", json={"ids": []})).status_code == 405
        assert (await client.get("/persons")).status_code == 401
    for name in UNSERVED:
        assert (await get(third_party, RESOURCES[name].path)).status_code == 404


@pytest.mark.parametrize("repeat", [True, False])
async def test_without_the_windows_repetition_the_missing_pages_are_a_gap(
    repeat: bool, small_pages: ThirdParty, oracle: Oracle
) -> None:
    """A wrong configuration is no silent loss."""
    query = f"{{ calendarEvents(startTime: {ALL}) {{ nodes {{ id }} complete gaps {{ source code }} }} }}"
    async with gateway(small_pages, paging="token_with_filters" if repeat else "token") as assembled:
        answer = await ask(assembled.federation, query)
    found = answer["data"]["calendarEvents"]
    events = [{"id": event["id"]} for event in oracle.sent["CalendarEvent"]]
    if repeat:
        assert found == {"nodes": events, "complete": True, "gaps": []}
    else:
        gap = {"source": "sis", "code": "SOURCE_REQUEST_REFUSED"}
        assert found == {"nodes": events[:2], "complete": False, "gaps": [gap]}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["SOURCE_REQUEST_REFUSED"]


async def test_without_the_windows_repetition_an_activity_misses_events_with_a_gap(small_pages: ThirdParty) -> None:
    query = '{ activities { nodes { calendarEvents(during: {from: "2026-11-01", to: "2026-11-30"}) { id } } } }'
    async with gateway(small_pages, paging="token") as assembled:
        answer = await ask(assembled.federation, query)
    assert answer["extensions"]["completeness"]["complete"] is False
    assert answer["errors"][0]["extensions"]["code"] == "SOURCE_REQUEST_REFUSED"


async def test_persons_are_read_from_the_list_and_never_one_by_one(third_party: ThirdParty, oracle: Oracle) -> None:
    pupil = next(person for person in oracle.shown("Person") if "enrolments" in person)
    query = f'{{ person(id: "{pupil["id"]}") {{ enrolments {{ schoolYear }} responsibles {{ person {{ id }} }} }} }}'
    third_party.calls.clear()
    async with gateway(third_party) as assembled:
        found = clean(await ask(assembled.federation, query))["person"]
    assert found["enrolments"] == [{"schoolYear": each["schoolYear"]} for each in pupil["enrolments"]]
    assert found["responsibles"]
    assert [path for _, path, _ in third_party.calls] == ["/persons"] * 3


async def test_no_lookup_and_no_filter_is_tried(third_party: ThirdParty) -> None:
    query = """{ organisations(filter: {type: [SKOLENHET]}) { nodes { enrolments { person { id } }
        groups { groupMemberships { person { id } } } duties { person { id } } } } }"""
    third_party.calls.clear()
    async with gateway(third_party) as assembled:
        clean(await ask(assembled.federation, query))
    assert {method for method, _, _ in third_party.calls} == {"GET"}
    assert {part.split("=")[0] for _, _, query in third_party.calls for part in query.split("&")} <= {
        "limit",
        "pageToken",
    }


async def test_a_date_time_without_zone_is_in_utc(third_party: ThirdParty, oracle: Oracle) -> None:
    sent = oracle.sent["Organisation"][0]
    assert moment(sent["meta"]["created"]).isoformat() == sent["meta"]["created"] + "+00:00"
    query = "{ organisations(first: 1) { nodes { meta { created } } } }"
    async with gateway(third_party) as assembled:
        (node,) = clean(await ask(assembled.federation, query))["organisations"]["nodes"]
    assert node["meta"]["created"] == sent["meta"]["created"] + "+00:00"


async def test_client_credentials_are_as_good_as_a_fixed_token(third_party: ThirdParty, oracle: Oracle) -> None:
    client_id, client_secret = third_party.client
    auth = {
        "type": "oauth2",
        "token_url": f"{third_party.url}/token",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    query = "{ persons(first: 1000) { nodes { id } } }"
    async with gateway(third_party, auth=auth) as assembled:
        nodes = clean(await ask(assembled.federation, query))["persons"]["nodes"]
    assert [node["id"] for node in nodes] == [person["id"] for person in oracle.shown("Person")]
    async with gateway(third_party, auth={**auth, "client_secret": "wrong"}) as assembled:
        answer = await ask(assembled.federation, query)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["SOURCE_CREDENTIALS_REFUSED"]
    assert answer["data"]["persons"] == {"nodes": []}


async def test_a_deletion_feed_that_is_not_there_is_a_gap(third_party: ThirdParty) -> None:
    query = "{ deletedEntities { nodes { id } complete gaps { source code } } }"
    async with gateway(third_party) as assembled:
        answer = await ask(assembled.federation, query)
    gap = {"source": "sis", "code": "SOURCE_ENDPOINT_MISSING"}
    assert answer["data"]["deletedEntities"] == {"nodes": [], "complete": False, "gaps": [gap]}


async def test_local_days_are_those_of_the_school_and_not_of_utc(third_party: ThirdParty, oracle: Oracle) -> None:
    """The events' own offset counts; the source's zone is for what has none."""
    day = "2026-11-18"
    query = f'{{ activities {{ nodes {{ calendarEvents(during: {{from: "{day}", to: "{day}"}}) {{ id }} }} }} }}'
    async with gateway(third_party) as assembled:
        nodes = clean(await ask(assembled.federation, query))["activities"]["nodes"]
    found: list[Json] = [event for node in nodes for event in node["calendarEvents"]]
    expected = [event["id"] for event in oracle.sent["CalendarEvent"] if begins_in(event, day, day)]
    assert sorted(event["id"] for event in found) == sorted(expected)
    assert len(expected) == 4


async def test_without_a_lookup_a_list_is_read_where_gets_would_be_more_calls(third_party: ThirdParty) -> None:
    query = "{ activities(first: 50) { nodes { groups { displayName } teachers { person { givenName } } } } }"
    async with gateway(third_party) as assembled:
        third_party.calls.clear()
        clean(await ask(assembled.federation, "{ groups(first: 1) { nodes { displayName } } }"))
        clean(await ask(assembled.federation, query))
    paths = [path for _, path, _ in third_party.calls]
    assert not [path for path in paths if path.count("/") > PREFIX.count("/") + 1], "single gets"


@pytest.mark.parametrize("profile", ["offset-paging", None])
async def test_the_profile_says_all_of_its_habits_in_one_word(
    profile: str | None, small_pages: ThirdParty, oracle: Oracle
) -> None:
    section = configuration(small_pages)["sources"]["sis"]
    if profile is not None:
        section = {key: section[key] for key in ("url", "auth", "resources")} | {"profile": profile}
    query = f"""{{ persons(first: 1000) {{ nodes {{ id enrolments {{ schoolYear }} duties {{ id }} }} }}
        calendarEvents(first: 1000, startTime: {ALL}) {{ nodes {{ id }} }} }}"""
    assembled = assemble(parse({"sources": {"sis": section}}, Path.cwd(), {}))
    found = clean(await ask(assembled.federation, query))
    await assembled.aclose()
    assert [node["id"] for node in found["persons"]["nodes"]] == [each["id"] for each in oracle.shown("Person")]
    years = {each["id"]: [e["schoolYear"] for e in each.get("enrolments", ())] for each in oracle.shown("Person")}
    for node in found["persons"]["nodes"]:
        assert [each["schoolYear"] for each in node["enrolments"] or ()] == years[node["id"]]
    assert [node["id"] for node in found["calendarEvents"]["nodes"]] == [e["id"] for e in oracle.sent["CalendarEvent"]]
