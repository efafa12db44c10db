"""Every kind of answer of the demonstration servers, held against the official OpenAPI file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from sources.demo.filters import RELATIONS
from sources.demo.municipality import Municipality
from sources.demo.split import SOURCES
from sources.demo.store import values
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Parameter, Resource, Scalar

from ..openapi import needs_openapi, response_validator
from .conftest import WINDOW, Asked

pytestmark = needs_openapi

SAMPLE = [("limit", "6")]
"""Enough of an answer where each whole record has been looked at once."""

EVERY = [(source, resource) for source, resources in SOURCES.items() for resource in resources]


def _check(method: str, path: str, answer: Any) -> None:
    error = jsonschema.exceptions.best_match(response_validator(method, path).iter_errors(answer))
    # never the instance itself: a failing record would be printed whole
    assert error is None, (method, path, list(error.absolute_path), error.message[:200])


@pytest.mark.parametrize(("source", "name"), EVERY)
async def test_lists_gets_and_lookups_validate(
    asked: Mapping[str, Asked], municipality: Municipality, source: str, name: str
) -> None:
    """The whole list, then a get and a lookup of some of it, with and without names and expands."""
    resource, server = RESOURCES[name], asked[source]
    window = list(WINDOW.get(name, {}).items())
    listed = await server.walk(resource.path, window)
    assert listed, "nothing to validate"
    _check("GET", resource.path, {"data": listed, "pageToken": None})
    expands = [("expand", e.name) for e in resource.expands]
    names = [("expandReferenceNames", "true")]
    for more in ([], names, expands, names + expands):
        _check("GET", resource.path, await server.one(resource.path, [*window, *SAMPLE, *more]))
    for expand in resource.expands:
        _check("GET", resource.path, await server.one(resource.path, [*window, *SAMPLE, ("expand", expand.name)]))
    for key in resource.sort_keys:
        _check("GET", resource.path, await server.one(resource.path, [*window, *SAMPLE, ("sortkey", key.name)]))
    if resource.get and resource.has_id:
        path = f"{resource.path}/{{id}}"
        for record in listed[:3]:
            with_names = names if resource.get_reference_names else []
            for more in ([], with_names + expands):
                _check("GET", path, await server.one(f"{resource.path}/{record['id']}", more))


@pytest.mark.parametrize(("source", "name"), EVERY)
async def test_every_lookup_key_validates(
    asked: Mapping[str, Asked], municipality: Municipality, source: str, name: str
) -> None:
    resource, server = RESOURCES[name], asked[source]
    path = f"{resource.path}/lookup"
    expands = [("expand", e.name) for e in resource.expands] if resource.lookup_expands else []
    for key in resource.lookup:
        wanted = _lookup_values(municipality, source, name, key.name)
        for more in ([], [("expandReferenceNames", "true"), *expands]):
            answer = await server.one(path, more, {key.name: wanted})
            if wanted and (name, key.name) not in HOPS:
                assert answer, (name, key.name)
            _check("POST", path, answer[:20])


@pytest.mark.parametrize(("source", "name"), EVERY)
async def test_every_filter_validates(
    asked: Mapping[str, Asked], municipality: Municipality, source: str, name: str
) -> None:
    resource, server = RESOURCES[name], asked[source]
    for parameter in resource.parameters:
        for value in _filter_values(municipality, source, resource, parameter):
            window = {**WINDOW.get(name, {}), parameter.name: value}
            answer = await server.one(resource.path, [*window.items(), *SAMPLE])
            _check("GET", resource.path, answer)


@pytest.mark.parametrize("source", SOURCES)
async def test_deletions_validate(asked: Mapping[str, Asked], source: str) -> None:
    answer = await asked[source].one("/deletedEntities")
    assert answer["data"]
    _check("GET", "/deletedEntities", answer)
    refused = await asked[source].raw("/deletedEntities", {"after": "yesterday"})
    jsonschema.validate(refused.json(), {"required": ["code", "message"], "properties": {"code": {"type": "string"}}})


HOPS = {
    ("Activity", "member"): ("Group", "groupMemberships.person.id"),
    ("Activity", "members"): ("Group", "groupMemberships.person.id"),
    ("CalendarEvent", "student"): ("Group", "groupMemberships.person.id"),
    ("CalendarEvent", "teacher"): ("Activity", "teachers.duty.id"),
    ("CalendarEvent", "group"): ("Activity", "groups.id"),
    ("CalendarEvent", "organisation"): ("Activity", "organisation.id"),
    ("Attendance", "organisation"): ("Activity", "organisation.id"),
    ("Attendance", "activities"): ("CalendarEvent", "activity.id"),
    ("AttendanceSchedule", "group"): ("Placement", "group.id"),
    ("AggregatedAttendance", "organisation"): ("Activity", "organisation.id"),
    ("AggregatedAttendance", "schoolType"): ("Group", "schoolType"),
    ("Placement", "personIds"): ("Placement", "child.id"),
}
"""Where a value comes from that the records themselves do not show."""


def _lookup_values(municipality: Municipality, source: str, name: str, key: str) -> list[str]:
    declared = RESOURCES[name].lookup_key[key]
    hop = HOPS.get((name, key))
    if hop is not None:
        return list(_spread(municipality.background[hop[0]], hop[1]))
    return list(_spread(municipality.sources[source][name], _path(declared.column, declared.type)))


def _filter_values(municipality: Municipality, source: str, resource: Resource, parameter: Parameter) -> Iterator[str]:
    hop = HOPS.get((resource.name, parameter.name))
    if parameter.name == "relationship.entity.type":
        yield from RELATIONS
    elif parameter.name == "relationship.organisation":
        yield from _spread(municipality.background["Organisation"], "id")
    elif parameter.name.startswith("relationship."):
        yield "2026-01-01"
    elif isinstance(parameter.type, Enumeration):
        yield from parameter.type.values
    elif hop is not None:
        yield from _spread(municipality.background[hop[0]], hop[1])
    elif parameter.type is Scalar.DATE and not parameter.columns:
        yield "2026-01-01"
    else:
        for column in parameter.columns:
            yield from _spread(municipality.sources[source][resource.name], _path(column, parameter.type))


def _path(column: str, type: Scalar | Enumeration) -> str:
    """A declared column as a path in raw records: references are objects with an id."""
    return column if type is not Scalar.ID or column.split(".")[-1] == "id" else f"{column}.id"


def _spread(records: Any, path: str) -> list[str]:
    """A first, a middle and a last value at the path."""
    found = list(dict.fromkeys(v for record in records for v in values(record, path.split("."))))
    return [found[0], found[len(found) // 2], found[-1]] if found else []
