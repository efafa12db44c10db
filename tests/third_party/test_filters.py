"""Every filter of the six resources: the records are tested; what nobody's records show is refused with the reason."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Parameter, Scalar, Test
from tests.harness import ask

from .conftest import gateway
from .oracle import SERVED, Json, Oracle, leaves, literal
from .server import ThirdParty, moment
from .test_connections import NOBODY, called, clean


def parameters(name: str) -> list[Parameter]:
    """The parameters that stand in the filter; those required are arguments."""
    return [parameter for parameter in RESOURCES[name].parameters if not parameter.required]


def values(parameter: Parameter, name: str, oracle: Oracle) -> Iterator[Any]:
    """A few values of a parameter that the data has, and one that nothing has; some that fit where it has none."""
    if parameter.test is Test.CONTAINS_ALL:
        yield from (["ann"], ["EN", "son"], ["Å"], ["nobody is called this"])
        return
    found = sorted({leaf for column in parameter.columns for r in oracle.sent[name] for leaf in leaves(r, column)})
    of = {"teacher": "Duty", "member": "Person", "student": "Person", "group": "Group"}.get(parameter.name)
    if of is not None:
        found = [each["id"] for each in oracle.sent[of]]
    if parameter.name in ("organisation", "relationship.organisation"):
        found = [each["id"] for each in oracle.sent["Organisation"]]
    if not found and isinstance(parameter.type, Enumeration):
        found = list(parameter.type.values)
    elif not found:
        found = [NOBODY] if parameter.type is Scalar.ID else ["2026-01-01"]
    if parameter.type is Scalar.DATE_TIME:
        found = [moment(each).isoformat() for each in found]
    some = dict.fromkeys(found if len(found) < 10 else (found[0], found[len(found) // 2], found[-1]))
    yield from ([value] for value in some) if parameter.many else some
    if parameter.many and len(some) > 1:
        yield list(some)
    if parameter.many:
        yield []
    if parameter.type is Scalar.ID:
        yield [NOBODY] if parameter.many else NOBODY


def filter_literal(given: Sequence[tuple[Parameter, Any]]) -> str:
    """The GraphQL filter of some parameters with values."""
    tree: Json = {}
    for parameter, value in given:
        *path, last = parameter.name.replace("entity.type", "entityType").split(".")
        here = tree
        for part in path:
            here = here.setdefault(part, {})
        many = value if isinstance(value, list) else [value]
        texts = [literal(each, parameter.type) for each in many]
        here[last] = f"[{', '.join(texts)}]" if parameter.many else texts[0]

    def written(node: Any) -> str:
        if isinstance(node, str):
            return node
        return f"{{{', '.join(f'{key}: {written(value)}' for key, value in node.items())}}}"

    return written(tree)


def answerable(given: Sequence[tuple[Parameter, Any]]) -> bool:
    """Whether there are records that show what is asked: nobody serves placements."""
    return not any("lacement" in str(value) for p, value in given if p.name == "relationship.entity.type")


async def check(federation: Any, oracle: Oracle, name: str, given: Sequence[tuple[Parameter, Any]]) -> int | None:
    """Hold one filter against the oracle. Gives the size of the answer; None where it is refused."""
    resource = RESOURCES[name]
    query = called(resource, f"first: 1000 filter: {filter_literal(given)}")
    answer = await ask(federation, f"{{ all: {query} {{ nodes {{ id }} complete }} }}")
    if not answerable(given):
        assert answer["data"] == {"all": None}, query
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "FILTER_NOT_ANSWERABLE", query
        assert given[0][0].name in error["message"]
        assert "placements, which no source serves" in error["message"]
        return None
    expected = sorted(record["id"] for record in oracle.shown(name) if oracle.test(given)(record))
    assert "errors" not in answer, (query, answer["errors"])
    found = answer["data"]["all"]
    assert found["complete"] is True
    assert sorted(node["id"] for node in found["nodes"]) == expected, query
    return len(expected)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [pytest.param(name, parameter, id=f"{name}-{parameter.name}") for name in SERVED for parameter in parameters(name)],
)
async def test_a_filter_answers_as_the_records_say_or_is_refused(
    name: str, parameter: Parameter, third_party: ThirdParty, oracle: Oracle
) -> None:
    sizes = []
    async with gateway(third_party) as assembled:
        for value in values(parameter, name, oracle):
            sizes.append(await check(assembled.federation, oracle, name, [(parameter, value)]))
    asked_of_records = [leaf for column in parameter.columns for r in oracle.shown(name) for leaf in leaves(r, column)]
    if asked_of_records:
        assert any(sizes), "no value selects anything"


async def test_filters_together_must_all_hold(third_party: ThirdParty, oracle: Oracle) -> None:
    person = RESOURCES["Person"].parameter
    (unit,) = {each for record in oracle.sent["Person"] for each in leaves(record, "enrolments.enroledAt")}
    enrolment = (person["relationship.entity.type"], "enrolment")
    at_unit = (person["relationship.organisation"], unit)
    pupil = next(each for each in oracle.shown("Person") if "enrolments" in each)
    identifier = pupil["externalIdentifiers"][0]
    sizes = []
    async with gateway(third_party) as assembled:
        for given in (
            [enrolment, at_unit],
            [enrolment, (person["relationship.organisation"], NOBODY)],
            [enrolment, at_unit, (person["relationship.startDate.onOrBefore"], "2024-08-15")],
            [enrolment, at_unit, (person["relationship.startDate.onOrBefore"], "2024-08-14")],
            [enrolment, (person["relationship.startDate.onOrAfter"], "2024-08-15")],
            [enrolment, (person["relationship.endDate.onOrAfter"], "2030-01-01"), (person["nameContains"], ["a", "e"])],
            [enrolment, (person["relationship.endDate.onOrBefore"], "2020-01-01")],
            [(person["identifier.value"], identifier["value"]), (person["identifier.context"], identifier["context"])],
            [(person["identifier.value"], identifier["value"]), (person["identifier.context"], "elsewhere")],
            [(person["civicNo"], pupil["civicNo"]["value"]), enrolment],
        ):
            sizes.append(await check(assembled.federation, oracle, "Person", given))
    pupils = sum("enrolments" in each for each in oracle.shown("Person"))
    assert sizes[:5] == [pupils, 0, pupils, 0, pupils]
    assert sizes[-3:] == [1, 0, 1]


async def test_a_civic_number_never_stands_in_a_url(third_party: ThirdParty, oracle: Oracle) -> None:
    number = next(person["civicNo"]["value"] for person in oracle.shown("Person") if "civicNo" in person)
    third_party.calls.clear()
    async with gateway(third_party) as assembled:
        given = [(RESOURCES["Person"].parameter["civicNo"], number)]
        assert await check(assembled.federation, oracle, "Person", given) == 1
    assert third_party.calls
    assert not any("civic" in query.lower() or number in query for _, _, query in third_party.calls)


async def test_the_window_of_events_is_inclusive_at_both_ends(third_party: ThirdParty, oracle: Oracle) -> None:
    starts = sorted(moment(event["startTime"]) for event in oracle.sent["CalendarEvent"])
    bounds = [starts[0], starts[4], starts[-1]]
    async with gateway(third_party) as assembled:
        for first, last in itertools.product(bounds, bounds):
            window = f'{{onOrAfter: "{first.isoformat()}", onOrBefore: "{last.isoformat()}"}}'
            query = f"{{ calendarEvents(startTime: {window}) {{ nodes {{ id }} }} }}"
            nodes = clean(await ask(assembled.federation, query))["calendarEvents"]["nodes"]
            expected = [e["id"] for e in oracle.sent["CalendarEvent"] if first <= moment(e["startTime"]) <= last]
            assert [node["id"] for node in nodes] == expected
