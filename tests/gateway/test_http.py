"""The gateway as HTTP clients meet it: a real server on a loopback socket, over the demonstration sources."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.app import create_app
from sources.demo import municipality, server
from sources.demo.server import DemoServers
from tests.harness import over
from tests.sources.conftest import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Served:
    client: httpx.AsyncClient
    servers: DemoServers

    async def ask(self, query: str, variables: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return await self.client.post("/graphql", json={"query": query, "variables": variables or {}}, headers=headers)

    async def error(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The one error of a bad question, which costs no call to any source."""
        self.servers.reset()
        answer = (await self.ask(query, variables)).json()
        assert all(source.calls == [] for source in self.servers.values())
        (error,) = answer["errors"]
        assert isinstance(error, dict)
        return error


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[Served]:
    async with await server.start(municipality.build(60, 1)) as servers:
        # Nothing is kept, so that every question meets the sources as they are now.
        app = create_app(over(servers, cache={"ttl": {"default": "0s"}}))
        async with serving(app, lifespan="on", log_config=None) as url, httpx.AsyncClient(base_url=url) as client:
            yield Served(client, servers)


async def test_an_answer_is_private_and_says_that_it_is_complete(served: Served) -> None:
    response = await served.ask("{ organisations(first: 1) { nodes { displayName } complete } }")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "private, no-store"
    assert response.json()["extensions"]["completeness"] == {"complete": True, "gaps": []}


async def test_queries_are_not_accepted_in_a_url(served: Served) -> None:
    response = await served.client.get("/graphql", params={"query": "{ sources { name } }"})
    assert response.status_code in (400, 404, 405)
    assert "data" not in response.text


ID = "6c2bc5c9-61a7-4a0c-9b40-7a1e0e1b0a11"
WINDOW = 'startTime: {onOrAfter: "2026-11-23T00:00:00Z", onOrBefore: "2026-11-24T00:00:00Z"}'


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("{ persons { nodes { shoeSize } } }", "GRAPHQL_VALIDATION_FAILED", "shoeSize"),
        ("{ persons(first: \"many\") { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED", "Int"),
        ("{ persons { nodes { id }", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ('{ person(id: "not an id") { givenName } }', "INVALID_ID", "UUID"),
        (f'{{ personsByIds(ids: ["{ID}", "x"]) {{ givenName }} }}', "INVALID_ID", "UUID"),
        ('{ groups(on: "2026-02-30") { nodes { id } } }', "INVALID_DATE", "YYYY-MM-DD"),
        ('{ persons(filter: {meta: {modified: {after: "2026-01-01T00:00:00"}}}) { nodes { id } } }', "INVALID_DATE",
         "offset"),
        ('{ groups(during: {from: "2026-02-02", to: "2026-02-01"}) { nodes { id } } }', "INVALID_DATE", "before"),
        ("{ persons(after: \"abc\") { nodes { id } } }", "INVALID_CURSOR", "cursor"),
        ("{ persons(filter: {nameContains: null}) { nodes { id } } }", "INVALID_FILTER", "nameContains"),
        ("{ persons(filter: null) { nodes { id } } }", "INVALID_FILTER", "null"),
        ("{ persons(first: 0) { nodes { id } } }", "FIRST_OUT_OF_RANGE", "1000"),
        ("{ persons(first: 1001) { nodes { id } } }", "FIRST_OUT_OF_RANGE", "1000"),
        ("{ calendarEvents { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED", "startTime"),
        ('{ organisations(filter: {type: [UNRECOGNISED]}) { nodes { id } } }', "INVALID_FILTER",
         "UNRECOGNISED"),
        ("{ rooms { nodes { calendarEvents(during: {}) { id } } } }", "INVALID_DATE", "both ends"),
        ('{ persons { nodes { absences(during: {from: "2026-11-23"}) { id } } } }', "INVALID_DATE", "both ends"),
        ('{ organisations { nodes { groups(filter: {groupType: null}) { id } } } }', "INVALID_FILTER", "groupType"),
        ("{ organisations { nodes { groups(first: 0) { id } } } }", "FIRST_OUT_OF_RANGE", "between 1"),
        ('{ duties { nodes { person { enrolments(during: {from: "2026-02-02", to: "2026-02-01"}) { startDate } } } } }',
         "INVALID_DATE", "before"),
        ('{ groups(filter: {absentFrom: ["nobody"]}) { nodes { id } } }', "UNKNOWN_SOURCE", "absentFrom"),
    ],
)  # fmt: skip
async def test_a_bad_question_is_one_clear_error_and_no_call(served: Served, query: str, code: str, says: str) -> None:
    error = await served.error(query)
    assert error["extensions"]["code"] == code
    assert says in error["message"]


@pytest.mark.parametrize("period", ["{}", '{from: "2026-11-23"}', '{to: "2026-11-23"}'])
async def test_a_relation_that_needs_a_period_needs_both_ends(served: Served, period: str) -> None:
    rooms = (await served.ask("{ rooms(first: 1) { nodes { id } } }")).json()["data"]["rooms"]["nodes"]
    answer = await served.ask(f'{{ room(id: "{rooms[0]["id"]}") {{ calendarEvents(during: {period}) {{ id }} }} }}')
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INVALID_DATE"
    assert "both ends" in error["message"]


async def test_variables_decide_what_is_selected_and_asked(served: Served) -> None:
    query = """query ($names: Boolean!, $period: DateRange!, $first: Int = 2) {
        rooms(first: 1) {
            nodes {
                ... @include(if: $names) { displayName owner @skip(if: $names) { id } }
                owner { ...Unit }
                calendarEvents(during: $period, first: $first) { startTime }
            }
        }
    }
    fragment Unit on Organisation { displayName @include(if: $names) organisationType @skip(if: $names) }"""
    asked = {"period": {"from": "2000-01-01", "to": "2100-01-01"}}
    data = []
    for names in (True, False):
        answer = (await served.ask(query, asked | {"names": names})).json()
        assert "errors" not in answer
        data.append(answer["data"]["rooms"]["nodes"][0])
    assert [set(node) for node in data] == [{"displayName", "owner", "calendarEvents"}, {"owner", "calendarEvents"}]
    assert [set(node["owner"]) for node in data] == [{"displayName"}, {"organisationType"}]
    assert all(node["owner"][name] for node, name in zip(data, ("displayName", "organisationType"), strict=True))
    assert [len(node["calendarEvents"]) for node in data] == [2, 2]
    backwards = {"period": {"from": "2026-02-02", "to": "2026-02-01"}, "names": True}
    assert (await served.error(query, backwards))["extensions"]["code"] == "INVALID_DATE"


async def test_an_unknown_id_is_null_and_no_error(served: Served) -> None:
    answer = (await served.ask(f'{{ person(id: "{ID}") {{ givenName }} personsByIds(ids: ["{ID}"]) {{ id }} }}')).json()
    assert answer["data"] == {"person": None, "personsByIds": [None]}
    assert "errors" not in answer


async def test_ids_are_read_in_any_case_and_in_braces(served: Served) -> None:
    found = (await served.ask("{ groups(first: 1) { nodes { id displayName } } }")).json()["data"]["groups"]["nodes"][0]
    query = f'{{ group(id: "{{{found["id"].upper()}}}") {{ id displayName }} }}'
    assert (await served.ask(query)).json()["data"]["group"] == found


QUERY = "{ absences(first: 5) { nodes { id } complete gaps { source code retryable } } rooms(first: 1) { complete } }"


async def test_a_stopped_source_is_a_gap_that_the_client_may_prefer_to_read_otherwise(served: Served) -> None:
    narvaro = served.servers["narvaro"]
    await narvaro.stop()
    try:
        plain = await served.ask(QUERY)
        lenient = await served.ask(QUERY, prefer="handling=lenient")
        strict = await served.ask(QUERY, prefer="respond-async, handling=strict")
    finally:
        await narvaro.start()
    gap = {"source": "narvaro", "code": "SOURCE_UNREACHABLE", "retryable": True}
    data = plain.json()["data"]
    assert data["absences"] == {"nodes": [], "complete": False, "gaps": [gap]}
    assert data["rooms"] == {"complete": True}
    assert plain.json()["extensions"]["completeness"] == {"complete": False, "gaps": [gap | {"resources": ["Absence"]}]}
    (error,) = plain.json()["errors"]
    assert error["extensions"] == gap | {"resources": ["Absence"]}
    assert "path" not in error
    assert "narvaro" in error["message"]

    assert lenient.headers["preference-applied"] == "handling=lenient"
    assert lenient.json() == {key: value for key, value in plain.json().items() if key != "errors"}

    assert strict.status_code == 503
    assert int(strict.headers["retry-after"]) > 0
    assert strict.json()["data"] is None
    assert (await served.ask(QUERY, prefer="handling=strict")).status_code == 200


async def test_a_record_that_only_a_stopped_source_could_have_is_null_because_of_it(served: Served) -> None:
    absences = (await served.ask("{ absences(first: 1) { nodes { id } } }")).json()["data"]["absences"]["nodes"]
    query = f'{{ it: absence(id: "{absences[0]["id"]}") {{ startTime }} }}'
    narvaro = served.servers["narvaro"]
    await narvaro.stop()
    try:
        answer = (await served.ask(query)).json()
    finally:
        await narvaro.start()
    assert answer["data"] == {"it": None}
    (error,) = answer["errors"]
    assert error["path"] == ["it"]
    assert error["extensions"]["source"] == "narvaro"


async def test_the_page_and_the_probes_answer(served: Served) -> None:
    page = await served.client.get("/")
    assert "SS 12000 gateway" in page.text
    assert (await served.client.get("/health")).json() == {"status": "alive"}
    assert (await served.client.get("/ready")).json() == {"status": "ready"}
    states = {each["name"]: each for each in (await served.client.get("/health/sources")).json()["sources"]}
    assert set(states) == set(served.servers)
    assert states["sis"]["state"] == "answering"


async def test_nothing_of_a_person_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    people = await served.ask("{ persons(first: 3) { nodes { givenName familyName civicNo { value } } } }")
    person = next(each for each in people.json()["data"]["persons"]["nodes"] if each["civicNo"])
    canary = "197001019999"
    with caplog.at_level(logging.DEBUG):
        await served.ask(
            "query ($c: String) { persons(filter: {civicNo: $c}) { nodes { givenName familyName } } }",
            {"c": person["civicNo"]["value"]},
        )
        await served.ask(f'{{ persons(filter: {{civicNo: "{canary}", nope: 1}}) {{ nodes {{ id }} }} }}')
        await served.ask("query ($n: Int) { persons(first: $n) { nodes { id } } }", {"n": canary})
        await served.ask(f'{{ person(id: "{canary}") {{ id }} }}')
    written = "\n".join(json.dumps(vars(record), default=repr) + record.getMessage() for record in caplog.records)
    assert "operation" in written
    for secret in (canary, person["civicNo"]["value"], person["familyName"]):
        assert secret not in written


async def test_a_civic_number_finds_its_person_without_standing_in_a_url(served: Served) -> None:
    people = await served.ask("{ persons(first: 50) { nodes { id civicNo { value } } } }")
    person = next(each for each in people.json()["data"]["persons"]["nodes"] if each["civicNo"])
    served.servers.reset()
    query = "query ($c: String) { persons(filter: {civicNo: $c}) { nodes { id } complete } }"
    answer = (await served.ask(query, {"c": person["civicNo"]["value"]})).json()
    assert answer["data"]["persons"] == {"nodes": [{"id": person["id"]}], "complete": True}
    calls = {call for source in served.servers.values() for call in source.calls}
    assert calls == {("POST", "/persons/lookup")}
