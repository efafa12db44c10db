"""What is kept of operations: how much, of what, and that nothing of one execution gets into the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from gateway.app import schema
from gateway.config import Executor
from gateway.execution.context import Context
from gateway.execution.http import body
from gateway.execution.planned import execute
from gateway.execution.prepared import Prepared, PreparedOperations
from resolvers.contracts import Limits
from resolvers.federation import Federation
from resolvers.operation import Operation
from tests.fakes import FakeSource

IDS = [f"6c2bc5c9-61a7-4a0c-9b40-7a1e0e1b0a1{number}" for number in range(4)]
PERSONS = [
    {
        "id": id,
        "givenName": f"Ada {number}",
        "enrolments": [
            {"enroledAt": {"id": IDS[3]}, "schoolYear": number, "startDate": "2025-08-01", "endDate": end}
            for end in ("2026-06-01", None)
        ],
    }
    for number, id in enumerate(IDS[:3])
]
ORGANISATIONS = [{"id": IDS[3], "displayName": "Skolan", "organisationType": "Skola"}]


def kept(**limits: int) -> PreparedOperations:
    return PreparedOperations(schema(), Limits(**limits))  # type: ignore[arg-type]


def again(operations: PreparedOperations, query: str, name: str | None = None) -> Prepared | None:
    """The operation after it was asked for a second time."""
    operations.of(query, name)
    return operations.of(query, name)


def test_a_document_is_kept_when_it_comes_a_second_time() -> None:
    operations = kept()
    first = operations.of("{ __typename }", None)
    assert first is not None
    assert len(operations) == operations.bytes == 0
    second = operations.of("{ __typename }", None)
    assert second is not None
    assert second is not first
    assert operations.of("{ __typename }", None) is second
    assert (len(operations), operations.bytes) == (1, len("{ __typename }"))


def test_operations_of_one_document_are_told_apart_by_name() -> None:
    operations, text = kept(), "query A { __typename } query B { b: __typename }"
    a, b, unnamed = (again(operations, text, name) for name in ("A", "B", None))
    assert a is not None
    assert b is not None
    assert unnamed is not None
    assert a.operation is not b.operation
    assert unnamed.operation.name == a.operation.name
    assert again(operations, text, "C") is None


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{",
        "{ nope }",
        "mutation { a }",
        "subscription { a }",
        "fragment A on Person { id }",
        "{ ...A }",
        "{" * 5000,
    ],
)
def test_what_is_no_valid_query_is_left_to_others(query: str) -> None:
    operations = kept()
    assert [operations.of(query, None) for _ in range(3)] == [None, None, None]


def test_what_was_used_longest_ago_goes_first() -> None:
    operations = kept(prepared_operations=3)
    texts = [f"{{ a{number}: __typename }}" for number in range(4)]
    made = [again(operations, text) for text in texts[:3]]
    assert operations.of(texts[0], None) is made[0]
    again(operations, texts[3])
    assert len(operations) == 3
    assert operations.of(texts[0], None) is made[0]
    assert operations.of(texts[2], None) is made[2]
    assert operations.of(texts[1], None) is not made[1]


def test_the_texts_are_bounded_in_bytes() -> None:
    operations = kept(prepared_bytes=100)
    for number in range(30):
        again(operations, f"{{ a{number}: __typename }}")
        assert operations.bytes <= 100
    assert 1 < len(operations) < 6
    before = len(operations)
    assert again(operations, "{ __typename }" + " " * 100) is not None
    assert len(operations) == before


def test_what_is_seen_once_is_remembered_within_bounds() -> None:
    operations = kept(prepared_operations=5)
    for number in range(50):
        operations.of(f"{{ a{number}: __typename }}", None)
    assert len(operations._seen) <= 5


def test_plans_are_kept_for_so_many_combinations_of_skip_and_include() -> None:
    operations = kept(prepared_variants=2)
    prepared = again(
        operations, "query ($a: Boolean!, $b: Boolean!, $c: Int) { x: __typename @skip(if: $a) ...F } "
        "fragment F on Query { persons(first: $c) { nodes { id @include(if: $b) } } }",
    )  # fmt: skip
    assert prepared is not None
    assert prepared.conditions == ("a", "b")

    def logical(a: bool, b: bool, c: int) -> object:
        variables = prepared.variables(schema()._schema, {"a": a, "b": b, "c": c})
        assert variables is not None
        return prepared.logical(variables)

    one = logical(True, True, 1)
    assert logical(True, True, 2) is one  # other variables decide nothing
    two = logical(True, False, 1)
    assert two is not one
    assert logical(True, True, 3) is one
    logical(False, False, 1)
    assert logical(True, True, 1) is one
    assert logical(True, False, 1) is not two
    assert len(prepared._logical) == 2


@pytest.mark.parametrize(
    "given", [{}, {"a": None}, {"a": "x"}, {"a": 2**31}, {"a": [1]}, {"a": {}}, {"b": {"nope": 1}}]
)
def test_wrong_variables_are_left_to_others(given: Mapping[str, Any]) -> None:
    prepared = kept().of("query ($a: Int!, $b: PersonFilter) { persons(first: $a, filter: $b) { nodes { id } } }", None)
    assert prepared is not None
    assert prepared.variables(schema()._schema, {"b": None, **given}) is None


QUESTION = """query ($ids: [ID!]!, $on: Date, $names: Boolean = true, $first: Int = 2, $one: ID!) {
    personsByIds(ids: $ids) { id ...P }
    person(id: $one) { enrolments(on: $on) { endDate enroledAt { id displayName } } }
    persons(first: $first) { nodes { ...P } }
}
fragment P on Person { givenName @include(if: $names) enrolments(on: $on) { endDate schoolYear enroledAt { id } } }"""
GIVEN: tuple[dict[str, Any], ...] = (
    {}, {"on": "2026-12-01"}, {"on": "2026-01-01"}, {"on": None}, {"names": False},
    {"names": False, "on": "2026-12-01"},
    {"ids": IDS[:1]}, {"ids": []}, {"ids": [IDS[3]]}, {"one": IDS[3]}, {"one": "x"}, {"first": 1}, {"first": 0}, {},
)  # fmt: skip


async def test_executions_of_what_is_kept_know_nothing_of_each_other() -> None:
    federation = Federation({"sis": FakeSource("sis", {"Person": PERSONS, "Organisation": ORGANISATIONS})}, {})
    prepared = again(kept(), QUESTION)
    assert prepared is not None
    answers = set()
    for given in GIVEN:
        asked = {"ids": IDS[:3], "one": IDS[1], **given}
        core = Context(Operation(federation))
        expected = body(await schema(Executor.CORE).execute(QUESTION, asked, core), core)
        variables = prepared.variables(schema()._schema, asked)
        assert variables is not None
        context = Context(Operation(federation), prepared.logical(variables))
        found = body(await execute(schema(), prepared, variables, context), context)
        assert orjson.dumps(found) == orjson.dumps(expected), given
        answers.add(orjson.dumps(found))
    assert len(answers) > 8
    assert len(prepared._logical) == 2
