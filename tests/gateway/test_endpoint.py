"""The endpoint over prepared operations answers as Strawberry's view does: to the byte, header and status."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.app import endpoint, schema
from gateway.execution import endpoint as module
from gateway.execution.endpoint import Endpoint
from gateway.execution.http import GraphQLApp
from sources.demo import municipality, server
from sources.demo.server import DemoServers
from tests.harness import over
from tests.sources.conftest import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Both:
    """The endpoint at ``/graphql`` and the view alone at ``/view``, over the same sources."""

    def __init__(self, client: httpx.AsyncClient, servers: DemoServers, own: Endpoint) -> None:
        self.client = client
        self.servers = servers
        self.own = own

    async def same(self, method: str = "POST", **sent: Any) -> httpx.Response:
        """The answer, after it was the same three times: the first, the second, and from what is kept since."""
        expected = await self.client.request(method, "/view", **sent)
        for _ in range(3):
            answer = await self.client.request(method, "/graphql", **sent)
            assert answer.status_code == expected.status_code
            assert answer.content == expected.content
            assert _headers(answer) == _headers(expected)
        return expected

    async def asked(self, query: object, variables: object = None, **headers: str) -> httpx.Response:
        return await self.same(json={"query": query, "variables": variables}, headers=headers)


def _headers(answer: httpx.Response) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in answer.headers.raw if name.lower() != b"date"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both() -> AsyncIterator[Both]:
    async with await server.start(municipality.build(60, 1)) as servers:
        assembled = over(servers)
        own = endpoint(assembled)
        assert isinstance(own, Endpoint)
        view = GraphQLApp(schema(), assembled.federation)
        app = Starlette(routes=[Route("/graphql", own), Route("/view", view)])
        async with serving(app, log_config=None) as url, httpx.AsyncClient(base_url=url) as client:
            yield Both(client, servers, own)
        await assembled.aclose()


ID = "6c2bc5c9-61a7-4a0c-9b40-7a1e0e1b0a11"
PERSONS = "{ persons(first: 5) { nodes { id givenName duties { dutyRole dutyAt { displayName } } } complete } }"


@pytest.mark.parametrize(
    "query",
    [
        "{ __typename }",
        "{ it: __typename sources { name resources } __typename }",
        PERSONS,
        "{ a: organisations { nodes { id ...N } } b: organisations(first: 2) { nodes { ...N } } } "
        "fragment N on Organisation { displayName parentOrganisation { id displayName } }",
        "{ persons(first: 300) { edges { node { id } } } }",
        f'{{ person(id: "{ID}") {{ givenName }} personsByIds(ids: ["{ID}"]) {{ id }} }}',
        "{ __schema { queryType { name } } __type(name: \"Person\") { name } }",
        "query A { __typename } query B { sources { name } }",
        "{ organisations { nodes { id enrolled: groups(first: 1) { id } } } }",
        # what is wrong with the question
        "", "   ", "{", "{ nope }", "{ persons { nodes } }", "mutation { nope }", "subscription { __typename }",
        "fragment F on Person { id }", "{ ...F }", "query ($a: Nope) { __typename }", "query ($a: Int) { __typename }",
        '{ person(id: "not an id") { givenName } ok: __typename }',
        '{ person { givenName } }',
        "{ persons(first: 0) { nodes { id } } persons2: persons(first: 1) { nodes { id } } }",
        '{ organisations { nodes { groups(first: 0) { id } } } }',
        "{ __typename @skip(if: true) }", "{ __typename @include }", "{ __typename @nope }",
        "{ persons(first: 2) { nodes { id raw(source: \"sis\") } } }",
        "query A { __typename } query A { __typename }",
        "{" * 500,
        "\ufeff{ __typename }",
    ],
)  # fmt: skip
async def test_a_question_is_answered_as_by_the_view(both: Both, query: str) -> None:
    await both.asked(query)


SELECT = """query Q($id: ID!, $first: Int = 2, $filter: PersonFilter, $more: Boolean!, $on: Date) {
    person(id: $id) { id ...P @include(if: $more) enrolments(on: $on) { startDate enroledAt { id } } }
    persons(first: $first, filter: $filter) {
        nodes { id name: displayName @skip(if: $more) groupMemberships(on: $on) { group { id displayName } } }
    }
}
fragment P on Person { givenName duties(first: $first) { id } }"""


async def test_what_is_kept_is_asked_with_other_variables(both: Both) -> None:
    people = (await both.client.post("/view", json={"query": "{ persons(first: 3) { nodes { id } } }"})).json()
    ids = [each["id"] for each in people["data"]["persons"]["nodes"]]
    data = set()
    for number, given in enumerate(
        (
            {}, {"first": 1}, {"first": 3, "on": "2026-01-01"}, {"first": 0}, {"first": None}, {"on": "never"},
            {"filter": {"nameContains": ["a"]}}, {"filter": {"nameContains": None}}, {"filter": {"nope": 1}},
            {"filter": None}, {"unknown": 1}, {"id": ID}, {"id": "x"}, {"id": 5}, {"id": None}, {"on": "2020-01-01"},
        )
    ):  # fmt: skip
        asked = {"id": ids[number % 3], **given}
        data |= {(await both.asked(SELECT, asked | {"more": more})).content for more in (True, False)}
    assert len(data) > 15


@pytest.mark.parametrize("variables", [None, {}, {"more": None}, {"more": "yes"}, {"more": [True]}, [], "x", 1])
async def test_variables_that_are_wrong_are_told_in_the_same_words(both: Both, variables: object) -> None:
    await both.asked("query ($more: Boolean!) { __typename @skip(if: $more) }", variables)


@pytest.mark.parametrize(
    "value", ["null", "1", "1.0", "1e0", "-0", "12345678901234567890123", "1e400", "NaN", '"\\ud800"']
)
@pytest.mark.parametrize(
    ("kind", "field"),
    [("Int! = 1", "persons(first: $v)"), ("ID!", "person(id: $v)"), ("[ID!]!", "personsByIds(ids: $v)")],
)
async def test_numbers_and_texts_mean_what_they_mean_to_the_view(both: Both, value: str, kind: str, field: str) -> None:
    query = f"query ($v: {kind}) {{ {field} {{ __typename }} }}"
    content = f'{{"query": {json.dumps(query)}, "variables": {{"v": {value}}}}}'.encode()
    await both.same(content=content, headers={"content-type": "application/json"})


async def test_a_number_that_is_read_otherwise_is_left_to_the_view() -> None:
    def asked(value: str) -> object:
        content = f'{{"query": "{{ __typename }}", "variables": {{"v": [{{"w": {value}}}]}}}}'
        return module._asked({b"content-type": b"application/json"}, content.encode())

    assert asked("12345678901234567890123") is None
    assert asked("1234567890123456789") is not None


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"1", b'"{ __typename }"', b"{}", b'{"query": null}', b'{"query": 1}',
        b'{"query": ["{ __typename }"]}', b'[{"query": "{ __typename }"}]', b'\xef\xbb\xbf{"query": "{ __typename }"}',
        b'{"query": "{ __typename }", "query": "{ sources { name } }"}', b'{"query": "{ __typename }"} x',
        b'{"query": "{ __typename }", "variables": "x"}', b'{"query": "{ __typename }", "extensions": []}',
        b'{"query": "{ __typename }", "extensions": {"a": 1.5}}', b'{"query": "{ __typename }", "operationName": ""}',
        b'{"query": "{ __typename }", "operationName": "Q"}', b'{"query": "{ __typename }", "operationName": 7}',
        b'{"query": "query Q { __typename } query R { sources { name } }", "operationName": "R"}',
        '{"query": "{ __typename }"}'.encode("utf-16"), b'{"query": "\xff"}', b'{"query": "{ \\ud800 }"}',
    ],
)  # fmt: skip
async def test_bodies_good_and_bad(both: Both, content: bytes) -> None:
    await both.same(content=content, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON", "text/plain",
        "application/graphql-response+json", "application/json, text/plain", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded", "",
    ],
)  # fmt: skip
async def test_content_types(both: Both, kind: str) -> None:
    await both.same(content=b'{"query": "{ __typename }"}', headers={"content-type": kind})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_methods(both: Both, method: str) -> None:
    await both.same(method, params={"query": "{ __typename }"}, headers={"accept": "text/html"})
    await both.same(method, content=b'{"query": "{ __typename }"}', headers={"content-type": "application/json"})


ACCEPTS = ("multipart/mixed;subscriptionSpec=1.0,application/json", "text/event-stream", "text/html", "*/*")


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_what_a_client_accepts(both: Both, accept: str) -> None:
    await both.asked("{ __typename }", accept=accept)


PREFERENCES = ("handling=strict", "handling=lenient", 'respond-async, Handling="LENIENT"; x=1', "handling=x", "é")


@pytest.mark.parametrize("prefer", PREFERENCES)
async def test_what_a_client_prefers_of_what_is_missing(both: Both, prefer: str) -> None:
    query = (
        "{ absences(first: 5) { nodes { id } complete gaps { code } } persons(first: 1) { complete } nope: __typename }"
    )
    narvaro = both.servers["narvaro"]
    await narvaro.stop()
    try:
        answer = await both.same(json={"query": query}, headers=[("prefer", prefer.encode("latin-1"))])
    finally:
        await narvaro.start()
    assert (answer.status_code == 503) == (prefer == "handling=strict")
    assert "SOURCE_UNREACHABLE" in answer.text


async def test_a_question_that_is_asked_again_is_kept(both: Both) -> None:
    assert both.own.prepared is not None
    query = "{ organisations(first: 4) { nodes { displayName } } }"
    assert both.own.prepared.of(query, None) is not both.own.prepared.of(query, None)
    kept = both.own.prepared.of(query, None)
    await both.asked(query)
    assert both.own.prepared.of(query, None) is kept


async def test_what_asks_for_an_explanation_is_answered_by_the_view(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(module, "execute", unexpected)
    answer = await both.client.post("/graphql", json={"query": "{ __typename }"}, headers={"x-explain": "plan"})
    assert answer.json()["extensions"]["plan"]["steps"] == []


async def test_a_request_that_is_too_large_is_refused(both: Both) -> None:
    body = orjson.dumps({"query": "{ __typename }" + " " * 1024 * 1024})
    answer = await both.client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("count", [module.PAGE, module.PAGE + 1, 2 * module.PAGE, 3 * module.PAGE + 7])
async def test_a_long_list_is_printed_in_pieces_that_are_the_whole(count: int) -> None:
    rows = [{"id": str(number), "å": [None, 1.5, '"', []]} for number in range(count)]
    for answer in (
        {"data": {"a": rows, "b": 1}}, {"data": {"c": {"nodes": rows, "complete": True}, "d": {}}, "errors": []},
        {"data": {"c": {"edges": rows, "nodes": rows}}}, {"data": None}, {"data": {}, "extensions": {"x": rows}},
    ):  # fmt: skip
        pieces = await module._printed(answer)
        assert b"".join(pieces) == orjson.dumps(answer)
        assert len(pieces) == 1 or count > module.PAGE
        assert len(pieces) == 1 or max(map(len, pieces)) <= len(orjson.dumps(rows[-module.PAGE :])) + 300
