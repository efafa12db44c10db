"""Pushing a filter down never loses a record: two sources that each know half of the condition, and worse ones.

Of every two parameters of a resource, one source knows what decides the first and another what decides the second. No
source alone has a record that passes both; the merged record does. What each source does with its parameters is drawn:
it may select exactly, give more, ignore them, refuse them, or nobody knows.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from resolvers.contracts import Authority
from resolvers.federation import Federation
from sources.capabilities import Filter
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Parameter, Scalar
from tests.fakes import FakeSource
from tests.oracle_query import enum_name

from .samples import Case, cases, column_of, every, merged, record
from .worlds import answer, identity

WINDOWS = {
    "CalendarEvent": 'startTime: {onOrAfter: "2000-01-01T00:00:00Z", onOrBefore: "2100-01-01T00:00:00Z"}',
    "AggregatedAttendance": 'startDate: "2000-01-01", endDate: "2100-01-01"',
}
ALIKE = {"CalendarEvent": {"startTime": "2026-08-15T10:00:00Z"}}
"""What every record needs to be in its window."""
PARAMETERS = {
    name: [parameter for resource, parameter in every() if resource == name and not parameter.required]
    for name in RESOURCES
}
RECORDS = ((False, False), (False, True), (True, False), (True, True))
"""Whether a record fails the first parameter, and the second."""


def written(parameter: Parameter, asked: str) -> str:
    """A filter with one field."""
    text = json.dumps(asked)
    if isinstance(parameter.type, Enumeration):
        text = enum_name(asked)
    elif parameter.type in (Scalar.BOOLEAN, Scalar.INTEGER):
        text = asked
    text = f"[{text}]" if parameter.many else text
    for name in reversed(parameter.name.replace("entity.type", "entityType").split(".")):
        text = f"{{{name}: {text}}}"
    return text


def both(one: str, other: str) -> str:
    """Two filters as one: fields of the same object are put together."""
    return _text(merged(_parsed(one), _parsed(other)))


def _parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    name, _, rest = text[1:-1].partition(": ")
    found[name] = _parsed(rest) if rest.startswith("{") else rest
    return found


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_text(each)}' for name, each in value.items())}}}"
    return str(value)


def pairs(name: str) -> list[tuple[Parameter, Parameter]]:
    """Parameters about different properties, so that no source knows both halves."""
    return [
        (one, other) for one, other in itertools.combinations(PARAMETERS[name], 2) if top(name, one) != top(name, other)
    ]


def top(name: str, parameter: Parameter) -> str:
    return column_of(name, parameter.name).partition(".")[0]


def one_of(name: str, parameter: Parameter, rng: random.Random, *, selected: bool) -> Case:
    """A value that is selected or not, for the value that is asked; what has no enrolment has none that fits."""
    found = cases(name, parameter)
    fitting = [case for case in found if case.selected is selected and case.asked == found[0].asked]
    there = [case for case in fitting if case.value is not None or top(name, parameter) != "enrolments"]
    return rng.choice(there) if there else Case(None, found[0].asked, selected)


def capabilities(name: str, rng: random.Random) -> dict[str, Filter]:
    return {parameter.name: rng.choice(list(Filter)) for parameter in RESOURCES[name].parameters}


@pytest.mark.parametrize("name", [name for name in RESOURCES if pairs(name)])
def test_no_record_is_lost_where_two_sources_each_know_half(name: str) -> None:
    rng = random.Random(name)
    for one, other in pairs(name):
        halves: dict[str, list[dict[str, Any]]] = {"first": [], "second": []}
        for place, (left, right) in enumerate(RECORDS):
            id = identity(0x2A, place)
            for source, parameter, wrong in (("first", one, left), ("second", other, right)):
                case = one_of(name, parameter, rng, selected=not wrong)
                value = record(name, column_of(name, parameter.name), case.value)
                halves[source].append({"id": id, **ALIKE.get(name, {}), **value})
        sources = {
            source: FakeSource(
                source, {name: rng.sample(records, len(records))}, page_size=2, filters={name: capabilities(name, rng)}
            )
            for source, records in halves.items()
        }
        over = Federation(sources, {name: Authority(order=tuple(rng.sample(list(sources), 2)))})
        fields = both(written(one, cases(name, one)[0].asked), written(other, cases(name, other)[0].asked))
        order = rng.choice(["", "orderBy: [MODIFIED_DESC]"]) if RESOURCES[name].sort_keys else ""
        arguments = ", ".join(part for part in (WINDOWS.get(name), f"filter: {fields}", "first: 1", order) if part)
        assert walked(over, name, arguments) == [identity(0x2A, 0)], (arguments, sources["first"].capabilities.filters)


def walked(over: Federation, name: str, arguments: str) -> list[str]:
    """The ids of a list, page after page."""
    found: list[str] = []
    after = ""
    while True:
        asked = f"{RESOURCES[name].plural}({arguments}{after})"
        query = f"{{ all: {asked} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
        page = answer(over, query)["data"]["all"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
