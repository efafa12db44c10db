"""The six sources as no two speak alike: what each of them does, and that their records can still be put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from sources.demo.api import Api
from sources.demo.configuration import gateway_config, write
from sources.demo.credentials import Open
from sources.demo.municipality import Municipality
from sources.demo.server import PAGE_SIZES, DemoServers, start
from sources.demo.store import Store, Table, values
from sources.demo.wild import WILD, WORDS
from sources.standard.values import references

from .conftest import WINDOW, Asked

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def asked(municipality: Municipality) -> Mapping[str, Asked]:
    """The six sources without sockets or credentials."""
    told = WILD.told(municipality)
    background = {name: Table(records) for name, records in told.background.items()}
    return {
        name: Asked(name, Api(Store(own, background), told.deleted[name], Open(), PAGE_SIZES[name], WILD.of(name)))
        for name, own in told.sources.items()
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(municipality: Municipality) -> AsyncIterator[DemoServers]:
    async with await start(municipality, dialects=WILD) as running:
        yield running


async def persons(source: Asked) -> list[Any]:
    """All persons, however the source pages."""
    found: list[Any] = []
    params: dict[str, str] = {}
    while True:
        answer = await source.raw("/persons", params)
        if answer.status_code == 410:
            found, params = [], {}
            continue
        page = answer.json()
        found += page["persons"] if "persons" in page else page["data"]
        if not page.get("pageToken"):
            return found
        params = {"pageToken": page["pageToken"]}


async def test_every_source_has_all_its_persons(asked: Mapping[str, Asked], municipality: Municipality) -> None:
    told = WILD.told(municipality)
    for name, source in asked.items():
        assert len(await persons(source)) == len(told.sources[name]["Person"]), name


async def test_sis_attaches_groups_to_the_school_and_changes_under_the_reader(municipality: Municipality) -> None:
    told = WILD.told(municipality)
    sis = Asked("sis", Api(Store(told.sources["sis"]), (), Open(), 50, WILD.of("sis")))
    kinds = {o["id"]: o["organisationType"] for o in municipality.sources["sis"]["Organisation"]}
    first = await sis.one("/groups")
    assert {kinds[g["organisation"]["id"]] for g in first["data"]} == {"Skola"}
    token = {"pageToken": first["pageToken"], "groupType": "Klass"}
    assert (await sis.raw("/groups", token)).status_code == 410
    token["pageToken"] = (await sis.one("/groups"))["pageToken"]
    assert (await sis.raw("/groups", token)).status_code == 200


async def test_schema_is_strict(asked: Mapping[str, Asked], municipality: Municipality) -> None:
    schema = asked["schema"]
    shared = {a["id"] for a in municipality.sources["schema"]["Activity"]}
    assert not shared & {a["id"] for a in (await schema.one("/activities"))["data"]}
    for path, query in (
        ("/persons", {"shoeSize": "44"}),
        ("/persons", {"limit": "201"}),
        ("/calendarEvents", {"startTime.onOrAfter": "2025-01-01T00:00:00Z",
                             "startTime.onOrBefore": "2026-03-01T00:00:00Z"}),
    ):  # fmt: skip
        assert (await schema.raw(path, query)).status_code == 400
    first = await schema.one("/calendarEvents", WINDOW["CalendarEvent"])
    token = {"pageToken": first["pageToken"]}
    assert (await schema.raw("/calendarEvents", token | WINDOW["CalendarEvent"])).status_code == 200
    assert (await schema.raw("/calendarEvents", token | {"sortkey": "StartTimeAsc"})).status_code == 400


async def test_narvaro_has_neither_pages_nor_lookups(asked: Mapping[str, Asked], municipality: Municipality) -> None:
    narvaro = asked["narvaro"]
    everything = await narvaro.one("/attendances", {"limit": "1", "expand": "student"})
    assert set(everything) == {"data"}
    assert len(everything["data"]) == len(municipality.sources["narvaro"]["Attendance"])
    assert (await narvaro.raw("/attendances/lookup", body={"ids": []})).status_code == 404
    assert all(len(p["civicNo"]["value"]) == 13 for p in await persons(narvaro))


async def test_lms_forgets_the_filters(asked: Mapping[str, Asked]) -> None:
    first = await asked["lms"].one("/activities", {"limit": "1", "group": "00000000-0000-4000-8000-000000000000"})
    assert first == {"activities": [], "pageToken": None}
    first = await asked["lms"].one("/activities", {"limit": "1"})
    assert first["pageToken"] == "1"


async def test_hr_takes_no_notice_of_filters_and_has_roles_of_its_own(asked: Mapping[str, Asked]) -> None:
    duties = (await asked["hr"].one("/duties", {"dutyRole": "Rektor", "expand": "person"}))["data"]
    roles = {d["dutyRole"] for d in duties}
    assert set(WORDS.values()) <= roles
    assert not roles & set(WORDS)
    assert (await asked["hr"].raw("/duties/lookup", body={"ids": []})).status_code == 405
    people = await persons(asked["hr"])
    assert all(len(p["civicNo"]["value"]) == 11 and p["birthDate"] for p in people)


async def test_forskola_speaks_the_old_language(asked: Mapping[str, Asked]) -> None:
    schedule = (await asked["forskola"].one("/attendanceSchedule"))["data"][0]
    assert schedule["id"].startswith("{")
    assert {"weekOffset", "dayOfWeek", "startTime", "length"} == set(schedule["scheduleDays"][0])
    assert len(schedule["state"][0]["registeredAt"]) == len("2026-03-25T12:15:00")
    reasons = {p["reason"] for p in (await asked["forskola"].one("/placements"))["data"]}
    assert "Omsorg" in reasons


async def test_every_person_that_is_referred_to_by_own_ids_is_there_with_a_key(municipality: Municipality) -> None:
    told = WILD.told(municipality)
    town = municipality.examples
    keys = {"narvaro": "civicNo", "lms": "eduPersonPrincipalNames", "hr": "civicNo"}
    for name, key in keys.items():
        records = told.sources[name]
        here = {p["id"]: p for p in records["Person"]}
        known = {*here, town["unknown_person"]}
        for reference in references():
            if reference.target == "Person":
                for record in records.get(reference.resource, ()):
                    assert known >= set(values(record, [*reference.path, "id"])), (name, reference)
        without = [p for p in here.values() if not p.get(key)]
        assert not without, (name, len(without))


async def test_schema_sends_no_identifiers_but_unique_ones(asked: Mapping[str, Asked]) -> None:
    sent = [p["externalIdentifiers"] for p in await persons(asked["schema"]) if "externalIdentifiers" in p]
    assert sent
    assert all(each["globallyUnique"] for identifiers in sent for each in identifiers)


async def test_the_records_of_others_are_left_alone(municipality: Municipality) -> None:
    before = {n: [dict(p) for p in records["Person"]] for n, records in municipality.sources.items()}
    WILD.told(municipality)
    assert before == {n: list(records["Person"]) for n, records in municipality.sources.items()}


async def test_the_configuration_says_what_they_do(servers: DemoServers, tmp_path: Path) -> None:
    content: Any = gateway_config(servers)
    sources = content["sources"]
    assert sources["sis"]["organisation_level"] == {"groups": "Skola"}
    assert (sources["schema"]["window_days"], sources["schema"]["own_ids"]) == (400, ["activities"])
    assert (sources["narvaro"]["paging"], "page_size" in sources["narvaro"]) == ("none", False)
    assert (sources["lms"]["paging"], sources["lms"]["timezone"]) == ("token_with_filters", "UTC")
    assert sources["hr"]["filters"] == {"persons": {"*": "ignored"}, "duties": {"*": "ignored"}}
    assert sources["hr"]["own_ids"] == ["persons", "duties"]
    assert "civicNo" in sources["narvaro"]["holds"]["Person"]
    assert set(content["identity"]) == {"persons", "duties"}
    assert content["authority"]["Group"]["fields"]["organisation"][-1] == "sis"
    written: Any = yaml.safe_load(write(servers, tmp_path).read_text(encoding="utf-8"))
    assert written["identity"] == content["identity"]
    assert written["sources"]["hr"]["filters"] == sources["hr"]["filters"]
