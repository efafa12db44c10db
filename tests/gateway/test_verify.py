"""``executor: verify``: where the executors differ is reported by place, and never by value."""

from __future__ import annotations

import logging

import pytest

from gateway.app import schema
from gateway.config import Executor
from gateway.execution import printing
from gateway.execution.context import Context
from gateway.verify import differences
from resolvers.federation import Federation
from resolvers.operation import Operation
from tests.fakes import FakeSource

ID = "0000000b-0000-4000-8000-000000000001"
QUERY = "{ groups { nodes { id anna_andersson: displayName groupType } } }"
CANARY = "Hemlig grupp"


async def ask(executor: Executor) -> object:
    groups = [{"id": ID, "displayName": CANARY, "groupType": "Klass"}]
    context = Context(Operation(Federation({"sis": FakeSource("sis", {"Group": groups})}, {})))
    return (await schema(executor).execute(QUERY, context_value=context)).data


@pytest.mark.parametrize("executor", Executor)
async def test_every_executor_answers(executor: Executor, caplog: pytest.LogCaptureFixture) -> None:
    expected = {"groups": {"nodes": [{"id": ID, "anna_andersson": CANARY, "groupType": "KLASS"}]}}
    assert await ask(executor) == expected
    assert not caplog.records


async def test_a_difference_is_logged_with_its_place(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "_leaf", lambda *given: "'otherwise'")
    await ask(Executor.VERIFY)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "executors differ"
    assert record.__dict__["places"] == ["data.groups.nodes.displayName", "data.groups.nodes.groupType"]
    assert CANARY not in str(record.__dict__)
    assert "anna" not in str(record.__dict__)


def test_what_a_difference_is() -> None:
    same = {"a": [1, {"b": None}], "c": "x"}
    assert list(differences(same, {"a": [1, {"b": None}], "c": "x"})) == []
    assert list(differences(same, {"c": "x", "a": [1, {"b": None}]})) == [()]
    assert list(differences(same, {"a": [True, {"b": None}], "c": "y"})) == [("a", 0), ("c",)]
    assert list(differences(same, {"a": [1], "c": "x"})) == [("a",)]
