"""``check --quality`` over the six sources: it finds what is wrong, all of it, and nothing else."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Settings, parse
from gateway.quality.progress import Progress
from gateway.quality.reading import Asked, Report, read
from resolvers.quality import Finding
from sources.demo import configuration, server
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers
from sources.demo.split import HOLDS

from .conftest import TODAY
from .oracle import STOCKHOLM
from .quality_oracle import Where, every

Records = dict[str, dict[str, list[dict[str, Any]]]]

PERIOD = Asked(TODAY - timedelta(days=30), TODAY + timedelta(days=30), examples=10_000)


def settings_of(servers: DemoServers, authority: Mapping[str, Any] | None = None) -> Settings:
    data = configuration.gateway_config(servers)
    return parse(data if authority is None else {**data, "authority": authority}, Path.cwd(), {})


async def reported(settings: Settings, asked: Asked = PERIOD) -> Report:
    return await read(settings, asked, Progress(io.StringIO()))


def where(finding: Finding) -> Where:
    return finding.source, str(finding.kind), finding.resource, finding.path, finding.authority


def in_period(sources: Mapping[str, Mapping[str, Sequence[Any]]]) -> Records:
    """The records that the lists give for the period: events by when they begin, sums where they touch it."""
    begin = datetime.combine(PERIOD.first, time(), STOCKHOLM)
    end = datetime.combine(PERIOD.last + timedelta(days=1), time(), STOCKHOLM)

    def given(name: str, record: Mapping[str, Any]) -> bool:
        if name == "CalendarEvent":
            return begin <= datetime.fromisoformat(record["startTime"]) <= end
        if name == "AggregatedAttendance":
            return record["startDate"] <= str(PERIOD.last) and record["endDate"] >= str(PERIOD.first)
        return True

    return {
        source: {name: [each for each in records if given(name, each)] for name, records in lists.items()}
        for source, lists in sources.items()
    }


def expected(
    sources: Mapping[str, Mapping[str, Sequence[Any]]], authority: Mapping[str, Any] = configuration.AUTHORITY
) -> dict[Where, tuple[int, set[str]]]:
    found = every(in_period(sources), authority, HOLDS)
    # of protected persons not even the ids are told
    return {place: (len(ids), set() if place[3] == "securityMarking" else set(ids)) for place, ids in found.items()}


def shown(report: Report) -> dict[Where, tuple[int, set[str]]]:
    found = {where(each): (each.count, set(each.examples)) for each in report.judgement.findings}
    assert len(found) == len(report.judgement.findings), "no finding is told twice"
    return found


REVERSED: Mapping[str, Any] = {
    "Person": {"exists": ["hr", "lms"], "order": ["lms", "forskola", "narvaro", "hr"], "lists": {"emails": "first"}},
    "Duty": {"exists": ["sis"], "order": ["schema", "sis", "hr"], "fields": {"dutyRole": ["sis", "hr"]}},
    "Group": {"exists": ["schema", "forskola"], "order": ["lms", "schema"]},
    "Placement": {"exists": ["sis"], "lists": {"owners": "union"}},
    "Activity": {"exists": ["lms"], "order": ["lms", "schema"]},
}
"""Decisions that nobody would take: nearly everything is disputed."""


@pytest.mark.parametrize("authority", [configuration.AUTHORITY, REVERSED], ids=["as configured", "reversed"])
async def test_what_is_wrong_in_the_demonstration_is_found(
    demo: DemoServers, town: Municipality, authority: Mapping[str, Any]
) -> None:
    report = await reported(settings_of(demo, authority))
    assert shown(report) == expected(town.sources, authority)
    kinds = {str(each.kind) for each in report.judgement.findings}
    assert {"disagreement"} <= kinds
    if authority is REVERSED:
        assert "orphan" in kinds
    assert {(each.source, each.path) for each in report.judgement.not_judged} == {
        ("narvaro", "calendarEvent"),
        ("lms", "calendarEvent"),
    }


@asynccontextmanager
async def serving(town: Municipality, sources: Records) -> AsyncIterator[DemoServers]:
    async with await server.start(replace(town, sources=sources)) as servers:
        yield servers


def copied(town: Municipality) -> Records:
    return {source: {name: list(records) for name, records in lists.items()} for source, lists in town.sources.items()}


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


NOBODY = "00000000-0000-4000-8000-000000000000"


def plant(sources: Records) -> dict[Where, tuple[int, set[str]]]:
    """One fault of each kind, in records that no other fault or source touches; what the report must add for them."""
    planted: dict[Where, tuple[int, set[str]]] = {}

    def note(source: str, kind: str, resource: str, path: str | None, ids: list[str], count: int | None = None) -> None:
        planted[source, kind, resource, path, None] = (len(ids) if count is None else count, set(ids))

    syllabuses = sources["sis"]["Syllabus"]
    syllabuses[:3] = [without(each, "subjectName") for each in syllabuses[:3]]
    syllabuses[3] = {**syllabuses[3], "subjectName": None}
    note("sis", "missing_required", "Syllabus", "subjectName", [each["id"] for each in syllabuses[:4]])

    children = [
        i for i, each in enumerate(sources["sis"]["Person"]) if each.get("responsibles") and each.get("addresses")
    ]
    for i in children[:2]:
        child = sources["sis"]["Person"][i]
        first, *rest = child["addresses"]
        sources["sis"]["Person"][i] = {**child, "addresses": [without(first, "country", "locality"), *rest]}
    ids = [sources["sis"]["Person"][i]["id"] for i in children[:2]]
    note("sis", "missing_required", "Person", "addresses.country", ids)
    note("sis", "missing_required", "Person", "addresses.locality", ids)

    absences = sources["narvaro"]["Absence"]
    absences[:4] = [{**each, "type": "Skolk"} for each in absences[:4]]
    absences[4] = {**absences[4], "type": "Anna Andersson"}
    note("narvaro", "unknown_value", "Absence", "type", [each["id"] for each in absences[:5]])

    rooms = sources["schema"]["Room"]
    rooms[:2] = [{**each, "seats": "många"} for each in rooms[:2]]
    note("schema", "wrong_type", "Room", "seats", [each["id"] for each in rooms[:2]])
    # what is required, there and unreadable is not missing besides
    rooms[2] = {**rooms[2], "displayName": 7}
    note("schema", "wrong_type", "Room", "displayName", [rooms[2]["id"]])

    programmes = sources["sis"]["Programme"]
    programmes += [without(programmes[0], "id"), {**programmes[0], "id": 17}, {**programmes[0], "id": " "}]
    note("sis", "no_id", "Programme", None, [], count=3)

    resources = sources["schema"]["Resource"]
    resources += [dict(resources[0]), dict(resources[0]), dict(resources[1])]
    note("schema", "duplicate_id", "Resource", None, [resources[0]["id"], resources[1]["id"]], count=3)

    plans = sources["sis"]["StudyPlan"]
    plans[:2] = [{**each, "student": {"id": NOBODY}} for each in plans[:2]]
    note("sis", "dangling", "StudyPlan", "student", [each["id"] for each in plans[:2]])

    duty = sources["hr"]["Duty"][0]
    strangers = [{**duty, "id": NOBODY[:-1] + str(n)} for n in (1, 2)]
    sources["sis"]["Duty"] += strangers
    note("sis", "orphan", "Duty", None, [each["id"] for each in strangers])

    pupils = {each["id"] for each in sources["lms"]["Person"]} & {each["id"] for each in sources["sis"]["Person"]}
    changed = sorted(pupils)[:4]
    sources["lms"]["Person"] = [
        {**each, "familyName": "Ånnan"} if each["id"] in changed else each for each in sources["lms"]["Person"]
    ]
    planted["lms", "disagreement", "Person", "familyName", "sis"] = (4, set(changed))

    # the same facts, spelled differently, are no finding
    events = sources["schema"]["CalendarEvent"]
    events[0] = {**events[0], "id": "{" + events[0]["id"].upper() + "}"}
    activities = {each["id"]: i for i, each in enumerate(sources["lms"]["Activity"])}
    shared = next(each for each in sources["schema"]["Activity"] if each["id"] in activities)
    i = activities[shared["id"]]
    sources["lms"]["Activity"][i] = {
        **sources["lms"]["Activity"][i],
        "groups": [{**each, "displayName": "9A"} for each in shared["groups"]],
    }
    return planted


async def test_each_planted_fault_is_found_and_nothing_else(town: Municipality) -> None:
    sources = copied(town)
    planted = plant(sources)
    assert not planted.keys() & expected(town.sources).keys()
    async with serving(town, sources) as servers:
        report = await reported(settings_of(servers))
    assert shown(report) == {**expected(town.sources), **planted}
    by = {where(each): each for each in report.judgement.findings}
    # a value that only one record has may be about a person
    assert by["narvaro", "unknown_value", "Absence", "type", None].values == (("Skolk", 4),)
    assert by["schema", "wrong_type", "Room", "seats", None].detail == "expected an integer"
    assert by["sis", "dangling", "StudyPlan", "student", None].detail == "Person"
    assert not any(each.own_ids for each in by.values())
    # the worst first
    order = [str(each.severity) for each in report.judgement.findings if each.source == "sis"]
    assert order == sorted(order, key=["error", "warning", "notice"].index)
    assert {"error", "warning", "notice"} == set(order)


async def test_the_number_of_examples_is_a_choice_and_the_count_is_not(town: Municipality) -> None:
    sources = copied(town)
    plant(sources)
    async with serving(town, sources) as servers:
        settings = settings_of(servers)
        full = await reported(settings)
        for examples in (0, 2):
            few = await reported(settings, replace(PERIOD, examples=examples))
            assert {where(f): f.count for f in few.judgement.findings} == {
                where(f): f.count for f in full.judgement.findings
            }
            for finding in few.judgement.findings:
                whole = next(f for f in full.judgement.findings if where(f) == where(finding))
                assert len(finding.examples) == min(examples, len(whole.examples))
                assert set(finding.examples) <= set(whole.examples)


async def test_a_source_that_fails_is_said_and_the_rest_goes_on(town: Municipality) -> None:
    async with serving(town, copied(town)) as servers:
        settings = settings_of(servers)
        await servers["forskola"].stop()
        servers["lms"].forbidden.add("Grade")
        report = await reported(settings)
    failed = {(f.source, f.resource): f for f in report.judgement.findings if f.kind == "not_read"}
    assert {place for place in failed if place[0] == "forskola"} == {
        ("forskola", name) for name in town.sources["forskola"]
    }
    assert failed["forskola", "Person"].detail == "SOURCE_UNREACHABLE"
    assert failed["lms", "Grade"].detail == "SOURCE_FORBIDDEN (HTTP 403)"
    assert len(failed) == 1 + len(town.sources["forskola"])
    # whether a person, a group or a placement is nowhere cannot be known without forskola
    dangling = [f for f in report.judgement.findings if f.kind == "dangling"]
    assert not [f for f in dangling if f.detail in ("Person", "Group", "Placement")]
    reasons = {each.reason for each in report.judgement.not_judged if each.kind == "dangling"}
    assert "Person was not read from forskola" in reasons
    assert any(each.kind == "disagreement" and "forskola" in each.reason for each in report.judgement.not_judged)
    # what the others say against each other is still there
    kept = {
        place: found
        for place, found in expected({s: lists for s, lists in town.sources.items() if s != "forskola"}).items()
        if place[1] == "disagreement"
    }
    assert {place: found for place, found in shown(report).items() if place[1] == "disagreement"} == kept
