"""The official file is corrected by a list with reasons, and then serves as JSON schemas for answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.openapi import CorrectionError, as_json_schema, correct, load_corrections, needs_openapi, response_validator

META = {"created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z"}
OWNER = {"id": "6b1c7f56-9a07-4a0a-8c2d-0a8e2d1d7a11"}
ROOM = {"id": "0c9c5c38-5d7e-4a5c-9d58-3f2e0f3b6c22", "meta": META, "displayName": "A1", "owner": OWNER}


def test_a_correction_changes_adds_or_removes_what_it_names() -> None:
    document: dict[str, Any] = {"a": {"changed": 1, "removed": 1}}
    correct(
        document,
        [
            {"where": ["a", "changed"], "from": 1, "to": 2},
            {"where": ["a", "removed"], "from": 1},
            {"where": ["a", "added"], "to": 3},
        ],
    )
    assert document == {"a": {"changed": 2, "added": 3}}


@pytest.mark.parametrize(
    ("document", "correction", "message"),
    [
        ({"a": {}}, {"where": ["a", "b"], "from": 1, "to": 2}, "found nothing"),
        ({"a": {"b": 3}}, {"where": ["a", "b"], "from": 1, "to": 2}, "found {'from': 3}"),
        ({"a": {"b": 3}}, {"where": ["a", "b"], "to": 2}, "expected nothing"),
        ({}, {"where": ["a", "b"], "to": 2}, "there is no 'a'"),
    ],
)
def test_a_correction_of_something_else_is_an_error(
    document: dict[str, Any], correction: dict[str, Any], message: str
) -> None:
    with pytest.raises(CorrectionError, match=message):
        correct(document, [correction])


def test_every_correction_and_every_exception_has_a_reason() -> None:
    fixture = load_corrections()
    assert fixture["corrections"]
    assert all(c["reason"] for c in fixture["corrections"])
    assert all(reason for names in fixture["exceptions"].values() for reason in names.values())


def test_nullable_becomes_a_union_with_null() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "nullable": {"type": "string"},
            "token": {"type": "string", "nullable": True},
            "term": {"type": "string", "enum": ["HT"], "nullable": True},
            "owner": {"$ref": "#/owner", "nullable": True},
        }
    }
    as_json_schema(schema)
    assert schema["properties"] == {
        "nullable": {"type": "string"},
        "token": {"type": ["string", "null"]},
        "term": {"type": ["string", "null"], "enum": ["HT", None]},
        "owner": {"anyOf": [{"$ref": "#/owner"}, {"type": "null"}]},
    }


@needs_openapi
def test_a_valid_answer_is_valid() -> None:
    assert not list(response_validator("GET", "/rooms").iter_errors({"data": [ROOM], "pageToken": None}))


@needs_openapi
@pytest.mark.parametrize(
    "broken",
    [
        {"seats": "30"},
        {"owner": {}},
        {"displayName": None},
        {"id": "A1"},
        {"meta": META | {"created": "2024-01-01"}},
        {"meta": META | {"created": "2024-01-01T00:00:00"}},
        {"meta": META | {"created": "2024-13-01T00:00:00Z"}},
    ],
)
def test_a_broken_answer_is_invalid(broken: dict[str, Any]) -> None:
    assert list(response_validator("GET", "/rooms").iter_errors({"data": [ROOM | broken]}))
