"""What an answer takes, before and after: X-Explain, the limits, and the command."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.app import create_app, schema
from gateway.cli import main
from gateway.examples import examples
from gateway.execution.context import Context
from gateway.execution.http import body
from gateway.explain.command import explain
from gateway.explain.explained import Explained, Mode
from gateway.explain.tree import mermaid, text
from resolvers.operation import Operation
from sources.demo import municipality, server
from sources.demo.server import DemoServers
from sources.demo.wild import DIALECTS
from tests.conftest import TODAY
from tests.harness import ask, over
from tests.oracle import Oracle
from tests.sources.conftest import serving
from tests.test_six_sources import A_CLASS_THIS_WEEK, variables

FACTOR = 3
"""How far the calls that are foreseen may be from those that are made, either way."""

CLASSES = """{
  classes: groups(filter: {groupType: [KLASS]}, orderBy: [DISPLAY_NAME_ASC], first: 3) {
    nodes { groupMemberships { who: person { givenName grades { gradeValue } } } }
  }
}"""


def calls(demo: DemoServers) -> dict[str, int]:
    return {name: len(source.calls) for name, source in demo.items() if source.calls}


async def explained(
    demo: DemoServers, query: str, mode: Mode, given: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """The answer of a gateway that knows nothing yet."""
    gateway = over(demo, **changes)
    demo.reset()
    try:
        return await explain(gateway, query, given or {}, None, mode)
    finally:
        await gateway.aclose()


@pytest.fixture(scope="module")
def a_class(oracle: Oracle) -> str:
    return next(
        group.id for group in oracle.all("Group") if group["groupType"] == "Klass" and group["groupMemberships"]
    )


def questions(a_class: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield A_CLASS_THIS_WEEK, variables(a_class)
    for example in examples(TODAY):
        yield example.query, {}


# The plan


async def test_a_plan_is_shown_without_asking_anybody(demo: DemoServers, a_class: str) -> None:
    for query, given in questions(a_class):
        answer = await explained(demo, query, Mode.PLAN, given)
        assert calls(demo) == {}
        assert answer["data"] is None
        assert "errors" not in answer
        plan = answer["extensions"]["plan"]
        assert plan["estimate"]["calls"] > 0
        assert "actual" not in plan
        assert not any("actual" in fetch for step in plan["steps"] for fetch in step["fetches"])


async def test_what_is_foreseen_comes_near_to_what_is_done(demo: DemoServers, a_class: str) -> None:
    for query, given in questions(a_class):
        plan = (await explained(demo, query, Mode.ANALYZE, given))["extensions"]["plan"]
        made = sum(calls(demo).values())
        assert made / FACTOR <= plan["estimate"]["calls"] <= made * FACTOR, query


async def test_what_was_seen_makes_the_estimate_better(demo: DemoServers) -> None:
    rooms = "{ rooms(orderBy: [DISPLAY_NAME_ASC]) { nodes { displayName owner { displayName } } } }"
    gateway = over(demo, cache={"ttl": {"default": "0s"}})
    try:
        first = (await explain(gateway, rooms, {}, None, Mode.ANALYZE))["extensions"]["plan"]
        second = (await explain(gateway, rooms, {}, None, Mode.ANALYZE))["extensions"]["plan"]
    finally:
        await gateway.aclose()
    off = [abs(plan["estimate"]["calls"] - plan["actual"]["calls"]) for plan in (first, second)]
    assert off[1] < off[0]
    wrong = [
        abs(plan["steps"][0]["fetches"][0]["estimate"]["records"] - len(rooms_of(demo))) for plan in (first, second)
    ]
    assert wrong[0] > wrong[1] == 0


def rooms_of(demo: DemoServers) -> Any:
    return demo["schema"].api.store.tables["Room"].records


async def test_fields_are_remembered_by_how_many_records_they_led_to(demo: DemoServers, oracle: Oracle) -> None:
    group = next(g for g in oracle.all("Group") if g["groupMemberships"])
    query = """query ($id: ID!) { group(id: $id) {
        groupMemberships { person { familyName } } organisation { displayName } } }"""
    gateway = over(demo)
    try:
        found = (await ask(gateway.federation, query, {"id": group.id}))["data"]["group"]["groupMemberships"]
    finally:
        await gateway.aclose()
    statistics = gateway.federation.statistics
    assert statistics.fan_out("Group", "groupMemberships") == len(found)
    assert statistics.fan_out("GroupMembership", "person") == 1
    assert statistics.fan_out("Group", "organisation") == 1
    assert statistics.fan_out("Group", "displayName") is None


async def test_every_call_is_told_once_and_of_the_field_that_it_was_for(demo: DemoServers, a_class: str) -> None:
    for query, given in questions(a_class):
        answer = await explained(demo, query, Mode.ANALYZE, given)
        plan = answer["extensions"]["plan"]
        assert {name: each["calls"] for name, each in plan["actual"]["sources"].items()} == calls(demo)
        told: dict[str, int] = {}
        for step in plan["steps"]:
            for fetch in step["fetches"]:
                told[fetch["source"]] = told.get(fetch["source"], 0) + fetch.get("actual", {}).get("calls", 0)
        assert told == calls(demo) | {name: 0 for name in told if name not in calls(demo)}
        if "Cursor" not in query:  # which is sealed anew each time
            assert answer["data"] == (await ask(over(demo).federation, query, given))["data"]


@pytest.mark.parametrize("executor", ["core", "verify"])
async def test_every_executor_tells_every_call(demo: DemoServers, executor: str) -> None:
    plan = (await explained(demo, CLASSES, Mode.ANALYZE, executor=executor))["extensions"]["plan"]
    assert plan["actual"]["calls"] == sum(calls(demo).values())
    assert plan["steps"][0]["field"] == "groups"
    assert not any("not foreseen" in f["why"] for step in plan["steps"] for f in step["fetches"])


async def test_reading_who_is_who_is_told_too() -> None:
    """Where sources have ids of their own, their lists are read to recognise records."""
    async with await server.start(municipality.build(60, 1, TODAY), dialects=DIALECTS["wild"]) as servers:
        plan = (await explained(servers, CLASSES, Mode.ANALYZE))["extensions"]["plan"]
        told = [f for step in plan["steps"] for f in step["fetches"]]
        assert sum(f["actual"]["calls"] for f in told if "actual" in f) == sum(calls(servers).values())
        assert {f["resource"] for f in told if f["how"] == "identify"} >= {"Person"}


async def test_every_fetch_is_for_a_field(demo: DemoServers, a_class: str) -> None:
    gateway = over(demo)
    context = Context(Operation(gateway.federation))
    context.explained = Explained(Mode.ANALYZE)
    try:
        await schema().execute(A_CLASS_THIS_WEEK, variable_values=variables(a_class), context_value=context)
    finally:
        await gateway.aclose()
    assert context.operation.trace is not None
    assert all(done.fields for done in context.operation.trace.done)
    found = {".".join(path) for done in context.operation.trace.done for path in done.fields}
    assert found >= {
        "group",
        "group.assignmentRoles.duty.person",
        "group.groupMemberships.person.responsibles",
        "group.groupMemberships.person.grades",
        "group.calendarEvents.activity.syllabus",
    }


async def test_a_step_follows_the_one_whose_records_it_starts_from(demo: DemoServers) -> None:
    plan = (await explained(demo, CLASSES, Mode.ANALYZE))["extensions"]["plan"]
    steps = {step["field"]: step for step in plan["steps"]}
    assert list(steps) == [
        "groups",
        "groups.nodes.groupMemberships.person",
        "groups.nodes.groupMemberships.person.grades",
    ]
    groups, people, grades = steps.values()
    assert (groups["after"], people["after"], grades["after"]) == (None, groups["number"], people["number"])
    rounds = [min(f["actual"]["rounds"][0] for f in s["fetches"] if f.get("actual")) for s in steps.values()]
    assert rounds == sorted(set(rounds))
    (lms,) = grades["fetches"]
    assert (lms["source"], lms["resource"], lms["how"]) == ("lms", "Grade", "list")
    assert lms["actual"]["rows"] == len(demo["lms"].api.store.tables["Grade"].records)
    assert people["columns"] == ["givenName"]


async def test_what_is_kept_is_told_apart_from_what_was_asked(demo: DemoServers) -> None:
    gateway = over(demo)
    try:
        await ask(gateway.federation, CLASSES)
        demo.reset()
        plan = (await explain(gateway, CLASSES, {}, None, Mode.ANALYZE))["extensions"]["plan"]
    finally:
        await gateway.aclose()
    assert calls(demo) == {}
    assert (plan["actual"]["calls"], plan["actual"]["rounds"]) == (0, 0)
    assert plan["actual"]["cacheHits"] > 0
    whole = next(f for step in plan["steps"] for f in step["fetches"] if f["how"] == "list")
    assert whole["kept"] is True
    assert whole["estimate"]["calls"] == 0


async def test_an_aliased_question_is_foreseen_once(demo: DemoServers) -> None:
    field = CLASSES.strip()[1:-1]
    twice = f"{{ {field} {field.replace('classes:', 'again:')} }}"
    one = (await explained(demo, CLASSES, Mode.PLAN))["extensions"]["plan"]
    other = (await explained(demo, twice, Mode.PLAN))["extensions"]["plan"]
    assert one["estimate"] == other["estimate"]
    assert [step["field"] for step in one["steps"]] == [step["field"] for step in other["steps"]]


async def test_no_value_of_a_person_stands_in_a_plan(
    demo: DemoServers, oracle: Oracle, caplog: pytest.LogCaptureFixture
) -> None:
    person = next(p for p in oracle.all("Person") if p["civicNo"] and p["emails"])
    secret = [person.id, person["civicNo"]["value"], person["familyName"], person["emails"][0]["value"], "smuggled"]
    query = """query ($id: ID!, $civicNo: String) {
      smuggled: person(id: $id) { smuggled: familyName groupMemberships { smuggled: group { displayName } } }
      persons(filter: {civicNo: $civicNo, nameContains: ["%s"]}) { nodes { displayName emails { value } } }
    }""" % person["familyName"]  # noqa: UP031  # braces
    given = {"id": person.id, "civicNo": person["civicNo"]["value"]}
    with caplog.at_level(logging.DEBUG):
        for mode in Mode:
            answer = await explained(demo, query, mode, given)
            assert "errors" not in answer
            plan = answer["extensions"]["plan"]
            shown = json.dumps(plan, ensure_ascii=False) + text(plan) + mermaid(plan)
            for each in secret:
                assert each not in shown
    written = "\n".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
    assert not any(each in written for each in secret)


async def test_what_failed_is_said(demo: DemoServers) -> None:
    gateway = over(
        demo, sources={**over_sources(demo), "lms": {**over_sources(demo)["lms"], "url": "http://127.0.0.1:9"}}
    )
    try:
        plan = (await explain(gateway, CLASSES, {}, None, Mode.ANALYZE))["extensions"]["plan"]
    finally:
        await gateway.aclose()
    failed = [f["source"] for step in plan["steps"] for f in step["fetches"] if f.get("actual", {}).get("failed")]
    assert set(failed) == {"lms"}
    assert "FAILED" in text(plan)


def over_sources(demo: DemoServers) -> dict[str, Any]:
    from sources.demo.configuration import gateway_config

    found: Any = gateway_config(demo)["sources"]
    return dict(found)


# Limits


@pytest.mark.parametrize(
    ("changes", "limit", "says"),
    [
        ({"limits": {"calls": 5}}, "limits.calls", "calls"),
        ({"limits": {"records": 100}}, "limits.records", "records"),
        ({"limits": {"seconds": "100ms"}}, "limits.seconds", "seconds"),
    ],
)
async def test_what_would_cost_too_much_is_refused_before_any_call(
    demo: DemoServers, changes: dict[str, Any], limit: str, says: str
) -> None:
    gateway = over(demo, **changes)
    demo.reset()
    try:
        answer = await ask(gateway.federation, CLASSES)
        small = await ask(gateway.federation, "{ sources { name } }")
    finally:
        await gateway.aclose()
    assert calls(demo) == {}
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "OPERATION_TOO_EXPENSIVE"
    assert error["extensions"]["limit"] == limit
    assert says in error["message"]
    estimate = error["extensions"]["estimate"]
    assert estimate["calls"] == sum(each["calls"] for each in estimate["sources"].values()) > 5
    assert "path" not in error
    assert "errors" not in small


async def test_one_source_can_be_spared_more_than_the_others(demo: DemoServers) -> None:
    sources = over_sources(demo)
    gateway = over(demo, sources={**sources, "lms": {**sources["lms"], "limits": {"calls": 3}}})
    demo.reset()
    try:
        (error,) = (await ask(gateway.federation, CLASSES))["errors"]
        assert calls(demo) == {}
        other = await ask(gateway.federation, "{ organisations(first: 1) { nodes { displayName } } }")
    finally:
        await gateway.aclose()
    assert error["extensions"]["limit"] == "sources.lms.limits.calls"
    assert "errors" not in other


async def test_numbers_among_the_variables_count(demo: DemoServers) -> None:
    query = "query ($first: Int!) { persons(first: $first) { nodes { familyName } } }"
    gateway = over(demo, limits={"records": 530}, cache={"ttl": {"default": "0s"}})
    try:
        for _ in range(2):  # the first time, sizes are seen that make earlier estimates void
            few = await ask(gateway.federation, query, {"first": 2})
        many = await ask(gateway.federation, query, {"first": 70})
    finally:
        await gateway.aclose()
    assert "errors" not in few
    assert many["errors"][0]["extensions"]["code"] == "OPERATION_TOO_EXPENSIVE"


async def test_the_size_of_variables_counts(demo: DemoServers, oracle: Oracle) -> None:
    """An operation that was within the limits once is estimated anew where more is asked for."""
    gateway = over(demo, limits={"records": 500})
    ids = [person.id for person in oracle.all("Person")][:200]
    query = "query ($ids: [ID!]!) { personsByIds(ids: $ids) { givenName } }"
    try:
        few = await ask(gateway.federation, query, {"ids": ids[:20]})
        again = await ask(gateway.federation, query, {"ids": ids[20:40]})
        assert len(gateway.federation.within) == 1
        many = await ask(gateway.federation, query, {"ids": ids})
    finally:
        await gateway.aclose()
    assert "errors" not in few
    assert "errors" not in again
    assert many["errors"][0]["extensions"]["code"] == "OPERATION_TOO_EXPENSIVE"


async def test_what_is_kept_counts_for_nothing_where_it_decides(demo: DemoServers) -> None:
    query = "{ grades(orderBy: [REGISTERED_DATE_DESC], first: 2) { nodes { gradeValue } } }"
    gateway = over(demo)
    try:
        await ask(gateway.federation, query)
        limits = gateway.federation.limits
        object.__setattr__(limits, "cost", type(limits.cost)(calls=3))
        gateway.federation.within.clear()
        assert "errors" not in await ask(gateway.federation, query)
    finally:
        await gateway.aclose()
    refused = await ask(over(demo, limits={"calls": 3}).federation, query)
    assert refused["errors"][0]["extensions"]["code"] == "OPERATION_TOO_EXPENSIVE"


async def test_remembered_estimates_are_bounded(demo: DemoServers) -> None:
    gateway = over(demo, limits={"max_estimates": 2})
    try:
        for first in range(1, 5):
            await ask(gateway.federation, f"{{ rooms(first: {first}) {{ complete }} }}")
            assert len(gateway.federation.within) <= 2
    finally:
        await gateway.aclose()


async def test_a_bad_question_keeps_its_own_error(demo: DemoServers) -> None:
    for mode in Mode:
        answer = await explained(demo, '{ person(id: "nobody") { givenName } rooms(first: 0) { complete } }', mode)
        assert calls(demo) == {}
        assert answer["errors"][0]["extensions"]["code"] in ("INVALID_ID", "FIRST_OUT_OF_RANGE")


# Over HTTP


@pytest_asyncio.fixture
async def client(demo: DemoServers) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(over(demo))
    async with serving(app, lifespan="on", log_config=None) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_the_header_decides_what_is_shown(demo: DemoServers, client: httpx.AsyncClient) -> None:
    asking = {"query": CLASSES}
    demo.reset()
    plan = await client.post("/graphql", json=asking, headers={"X-Explain": "plan"})
    assert calls(demo) == {}
    assert plan.status_code == 200
    assert plan.json()["data"] is None
    assert plan.json()["extensions"]["plan"]["mode"] == "plan"
    analyzed = (await client.post("/graphql", json=asking, headers={"X-Explain": "Analyze"})).json()
    assert analyzed["extensions"]["plan"]["actual"]["calls"] == sum(calls(demo).values()) > 0
    plain = (await client.post("/graphql", json=asking)).json()
    assert plain["data"] == analyzed["data"]
    assert "plan" not in plain["extensions"]


async def test_anything_else_in_the_header_is_a_clear_error(demo: DemoServers, client: httpx.AsyncClient) -> None:
    demo.reset()
    for value in ("yes", "", "plan,analyze", "<script>"):
        response = await client.post("/graphql", json={"query": CLASSES}, headers={"X-Explain": value})
        assert response.status_code == 400
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["message"] == "X-Explain is either plan or analyze."
    assert calls(demo) == {}


async def test_nothing_is_noted_unless_somebody_asks(demo: DemoServers) -> None:
    gateway = over(demo)
    context = Context(Operation(gateway.federation))
    try:
        result = await schema().execute(CLASSES, context_value=context)
    finally:
        await gateway.aclose()
    assert context.operation.trace is None
    assert "plan" not in body(result, context)["extensions"]


# The command


def test_the_command_prints_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query, given = tmp_path / "query.graphql", tmp_path / "variables.json"
    query.write_text(
        "query ($first: Int!) { groups(first: $first) { nodes { groupMemberships { person { givenName } } } } }"
    )
    given.write_text('{"first": 2}')
    arguments = ["explain", "--query", str(query), "--variables", str(given)]
    assert main([*arguments, "--analyze"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("estimated: ")
    assert "done: " in told
    assert "1. groups: a page of groups, about 2" in told
    assert "  2. groups.nodes.groupMemberships.person: persons that “person” refers to" in told
    assert main([*arguments, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["mode"] == "plan"
    assert main([*arguments, "--format", "mermaid"]) == 0
    diagram = capsys.readouterr().out
    assert diagram.startswith("flowchart TD\n")
    assert "s1 --> s2" in diagram


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query, given = tmp_path / "query.graphql", tmp_path / "variables.json"
    query.write_text("{ persons { nodes { shoeSize } } }")
    assert main(["explain", "--query", str(query)]) == 1
    assert "GRAPHQL_VALIDATION_FAILED" in capsys.readouterr().err
    given.write_text("[1]")
    assert main(["explain", "--query", str(query), "--variables", str(given)]) == 2
    assert "JSON object" in capsys.readouterr().err
    assert main(["explain", "--query", str(tmp_path / "none.graphql")]) == 1
