"""What expands put into ``_embedded``, as canonical rows with their parents."""

from __future__ import annotations

from typing import Any

import httpx

from sources.records import Row, View
from sources.requests import Query

from .conftest import codes, ids, soon, source_of


async def read(resource: str, expand: str, *sent: Any) -> Any:
    source = source_of(lambda _: httpx.Response(200, json={"data": list(sent)}))
    return await source.page(resource, Query.of({}, (expand,)), None, soon())


def rows(answer: Any, expand: str, parent: int) -> list[tuple[Row, Any]] | None:
    found: list[tuple[Row, Any]] | None = answer.slabs[0].embedded[expand].of(parent)
    return found


async def test_whole_records() -> None:
    duty = {"id": "{D}", "dutyRole": "Rektor", "more": 1}
    answer = await read("Person", "duties", {"id": "p", "_embedded": {"duties": [duty]}}, {"id": "q"})
    found = rows(answer, "duties", 0)
    assert found is not None
    row, element = found[0]
    assert (row.id, row.record, element) == ("d", {"id": "d", "dutyRole": "Rektor"}, row.record)
    assert (row.slab.resource, row.slab.view, row.slab.raw(row.index)) == ("Duty", View.EMBEDDED, duty)
    assert "_embedded" not in answer.slabs[0].records[0]


async def test_none_is_not_the_same_as_not_sent() -> None:
    sent = [
        {"id": "p", "_embedded": {"duties": []}},
        {"id": "q", "_embedded": {}},
        {"id": "r", "_embedded": {"duties": None}},
    ]
    answer = await read("Person", "duties", *sent)
    assert [rows(answer, "duties", index) for index in range(3)] == [[], None, []]


async def test_one_record_where_there_is_one() -> None:
    answer = await read("Duty", "person", {"id": "d", "_embedded": {"person": {"id": "P"}}})
    found = rows(answer, "person", 0)
    assert found is not None
    assert [row.id for row, _ in found] == ["p"]


async def test_references_with_the_element_they_stand_in() -> None:
    element = {"person": {"id": "{C}", "displayName": "N", "x": 1}, "relationType": "Vårdnadshavare", "more": 1}
    answer = await read("Person", "responsibleFor", {"id": "p", "_embedded": {"responsibleFor": [element]}})
    found = rows(answer, "responsibleFor", 0)
    assert found is not None
    row, whole = found[0]
    assert row.record == {"id": "c", "displayName": "N"}
    assert whole == {"person": row.record, "relationType": "Vårdnadshavare"}


async def test_fragments_with_the_element_they_stand_in() -> None:
    element = {"group": {"id": "G", "displayName": "8A"}, "startDate": "2024-08-15T00:00:00"}
    answer = await read("Person", "groupMemberships", {"id": "p", "_embedded": {"groupMemberships": [element]}})
    found = rows(answer, "groupMemberships", 0)
    assert found is not None
    assert found[0][0].record == {"id": "g", "displayName": "8A"}
    assert found[0][1] == {"group": {"id": "g", "displayName": "8A"}, "startDate": "2024-08-15"}


async def test_an_embedded_record_without_id_costs_only_itself() -> None:
    sent = {"id": "p", "_embedded": {"duties": [{}, "x", {"id": "d"}]}}
    answer = await read("Person", "duties", sent)
    assert codes(answer) == ["SOURCE_RECORD_INVALID"]
    assert answer.faults[0].resource == "Duty"
    found = rows(answer, "duties", 0)
    assert found is not None
    assert [(row.id, row.slab.raw(row.index)) for row, _ in found] == [("d", {"id": "d"})]


async def test_a_walk_that_drops_a_parent_keeps_the_others_children() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        def person(name: str) -> Any:
            return {"id": name, "_embedded": {"duties": [{"id": f"duty of {name}"}]}}

        if b"pageToken" in request.url.query:
            return httpx.Response(200, json={"data": [person("a"), person("b")]})
        return httpx.Response(200, json={"data": [person("a")], "pageToken": "t"})

    answer = await source_of(handle).walk("Person", Query.of({}, ("duties",)), soon())
    assert ids(answer) == ["a", "b"]
    found = answer.slabs[1].embedded["duties"].of(0)
    assert found is not None
    assert [row.id for row, _ in found] == ["duty of b"]
    assert answer.slabs[1].embedded["duties"].of(1) is None
