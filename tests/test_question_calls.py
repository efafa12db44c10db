"""What the six questions of the benchmarks cost: upstream calls and dependent rounds, counted at sources in process.

They are asked of the demonstration, cut into three sources as the benchmarks' are, that give pages of 1,000 records and
lookups of 1,000 ids (of 20, where it says so). By hand, with one source per resource:

| question | rounds | calls |
|---|---|---|
| Q1 a person | 1 | 1 lookup |
| Q2 the first persons | 1 | 1 page |
| Q3 a school's classes with members | 2 | 1 page of groups, 1 lookup of their members |
| Q4, Q6 the events of a class, a school | 4 | 1 page of events; a lookup each of activities and rooms, then of |
|    |    | syllabuses and duties, then of the teachers' persons: 6 |
| Q5 everybody | pages | 1 page of persons per 1,000 |

With hr serving its staff's persons as well, and nobody declaring what they hold, both sources speak for every property
of a person, and both may bring one into being. So each lookup of persons is made at both, in the same round:

| question | rounds | calls |
|---|---|---|
| Q1 | 1 | 2: the lookup at both |
| Q2 | 2 | 2: the first page of sis, and the lookup at hr of those on it (one more than are shown) |
| Q3 | 2 | 3: the members' lookup at both |
| Q4, Q6 | 4 | 7: the teachers' lookup at both |
| Q5 | pages | the pages of sis and those of hr. Looking each page up at hr costs as many lookups as sis |
|    |    | has pages; hr's list, read beside the first page of sis, costs fewer, and tells whom hr alone has |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from gateway.app import schema
from gateway.assemble import assemble
from gateway.config import Executor, parse
from gateway.execution.context import Context
from gateway.execution.http import body
from resolvers.operation import Operation
from sources.demo.api import PREFIX

from .benchmarks.contenders import Place, configuration
from .benchmarks.questions import Question, Variant, essential, questions
from .benchmarks.workload import PARTS, Workload, demonstration
from .recorded import Recorded, Recorder

PUPILS = 240
MANY = 1000
FEW = 20
"""Records of a page, and ids of a lookup, where lists shall be long."""

Records = Mapping[str, Mapping[str, Sequence[Any]]]
"""By source and plural."""

PERSONS_AT_SIS = ("sis", "POST /persons/lookup")
PERSONS_AT_HR = ("hr", "POST /persons/lookup")
EVENTS = {
    ("schedule", "GET /calendarEvents"): 1,
    ("schedule", "POST /activities/lookup"): 1,
    ("schedule", "POST /rooms/lookup"): 1,
    ("schedule", "POST /syllabuses/lookup"): 1,
    ("hr", "POST /duties/lookup"): 1,
    PERSONS_AT_SIS: 1,
}
CALLS: Mapping[str, Mapping[tuple[str, str], int]] = {
    "Q1": {PERSONS_AT_SIS: 1},
    "Q2": {("sis", "GET /persons"): 1},
    "Q3": {("sis", "GET /groups"): 1, PERSONS_AT_SIS: 1},
    "Q4": EVENTS,
    "Q5": {("sis", "GET /persons"): 1},
    "Q6": EVENTS,
}
ROUNDS = {"Q1": 1, "Q2": 1, "Q3": 2, "Q4": 4, "Q5": 1, "Q6": 4}
BOTH = {name: {**calls, PERSONS_AT_HR: 1} for name, calls in CALLS.items()}
ROUNDS_BOTH = ROUNDS | {"Q2": 2}


@pytest.fixture(scope="module")
def town() -> Workload:
    return demonstration(PUPILS)


@pytest.fixture(scope="module")
def asked(town: Workload) -> Mapping[str, Question]:
    return {each.name: each for each in questions(town)}


@pytest.fixture(params=[Executor.PLANNED, Executor.CORE])
def executor(request: pytest.FixtureRequest) -> Executor:
    found: Executor = request.param
    return found


def served(town: Workload, *, both: bool = False) -> dict[str, dict[str, Sequence[Any]]]:
    """What each source has; with ``both``, hr has the persons of its duties too."""
    found = {
        name: {each: town.records[each] for each in resources if each in town.records}
        for name, resources in PARTS.items()
    }
    if both:
        staff = {duty["person"]["id"] for duty in town.records["duties"] if "person" in duty}
        found["hr"]["persons"] = [person for person in town.records["persons"] if person["id"] in staff]
    return found


def configured(*, both: bool = False, size: int = MANY, declared: bool = True) -> dict[str, Any]:
    """The benchmarks' configuration. ``declared``: whether the schedule's filters are declared exact."""
    place = Place({name: f"http://{name}.example{PREFIX}" for name in PARTS}, (), False, Path.cwd())
    found = configuration(place, {"server": {"secret": "one secret for all the questions"}})
    for section in found["sources"].values():
        section |= {"page_size": size, "lookup_chunk": size}
    if both:
        hr = found["sources"]["hr"]
        hr["resources"].append("persons")
        hr["lookup"]["persons"], hr["expand"]["persons"] = ["ids"], []
    if not declared:
        del found["sources"]["schedule"]["filters"]
    return found


async def cost(
    question: Question, executor: Executor, records: Records, config: Mapping[str, Any], size: int = MANY, **given: Any
) -> Recorder:
    """The calls of a question to a gateway that knows nothing yet; its answer is right. ``given``: other variables."""
    variant: Variant = question.variants[0]
    recorder = Recorder()
    transports = {name: Recorded(name, found, size, recorder) for name, found in records.items()}
    gateway = assemble(parse(dict(config), Path.cwd(), {}), transports)
    context = Context(Operation(gateway.federation))
    try:
        variables = {**variant.variables, **given}
        said = body(await schema(executor).execute(question.documents["ours"], variables, context), context)
    finally:
        await gateway.aclose()
    assert "errors" not in said
    if not given:
        assert essential(said["data"]) == essential(variant.data)
    return recorder


@pytest.mark.parametrize("name", CALLS)
async def test_one_source_per_resource(
    name: str, executor: Executor, town: Workload, asked: Mapping[str, Question]
) -> None:
    found = await cost(asked[name], executor, served(town), configured())
    assert found.counted() == CALLS[name]
    assert found.rounds == ROUNDS[name] == len(asked[name].variants[0].rounds)


@pytest.mark.parametrize("name", ["Q1", "Q2", "Q3", "Q4", "Q6"])
async def test_two_sources_of_persons(
    name: str, executor: Executor, town: Workload, asked: Mapping[str, Question]
) -> None:
    given = {"first": 100} if name == "Q2" else {}
    found = await cost(asked[name], executor, served(town, both=True), configured(both=True), **given)
    assert found.counted() == BOTH[name]
    assert found.rounds == ROUNDS_BOTH[name]


async def test_everybody_costs_the_pages_one_after_the_other(
    executor: Executor, town: Workload, asked: Mapping[str, Question]
) -> None:
    pages = ceil(len(town.records["persons"]) / FEW)
    found = await cost(asked["Q5"], executor, served(town), configured(size=FEW), FEW)
    assert found.counted() == {("sis", "GET /persons"): pages}
    assert found.rounds == pages


async def test_everybody_of_two_sources_costs_the_pages_of_both(
    executor: Executor, town: Workload, asked: Mapping[str, Question]
) -> None:
    records = served(town, both=True)
    at_sis, at_hr = (ceil(len(records[name]["persons"]) / FEW) for name in ("sis", "hr"))
    assert at_hr > 1
    found = await cost(asked["Q5"], executor, records, configured(both=True, size=FEW), FEW)
    assert found.counted() == {("sis", "GET /persons"): at_sis, ("hr", "GET /persons"): at_hr}
    assert found.rounds == at_sis + at_hr - 1, "hr's pages are read beside the first of sis"
