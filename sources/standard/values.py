"""The declarations seen by kind: every structure, enumeration, reference and operation of the resources."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from . import RESOURCES
from .model import Enumeration, Parameter, Property, Reference, Scalar, Structure


class ReferencePath(NamedTuple):
    """Where a resource refers to another: ``("Duty", ("assignmentRole", "group"), "Group", True)``.

    ``path`` are property names from the record inwards. ``many`` tells whether one record may hold several, because
    the reference or anything on the way to it is a list.
    """

    resource: str
    path: tuple[str, ...]
    target: str
    many: bool


def walk(properties: tuple[Property, ...]) -> Iterator[tuple[Property, ...]]:
    """Every property and all that is inside it, as the way to it: ``(enrolments,)``, ``(enrolments, enroledAt)``."""
    for prop in properties:
        yield (prop,)
        if isinstance(prop.type, Structure):
            for inner in walk(prop.type.properties):
                yield (prop, *inner)


@cache
def structures() -> tuple[Structure, ...]:
    """Every structure of the resources once, in the order of first use."""
    found = (
        way[-1].type
        for resource in RESOURCES.values()
        for way in walk(resource.properties)
        if isinstance(way[-1].type, Structure)
    )
    return tuple(dict.fromkeys(found))


@cache
def enumerations() -> tuple[Enumeration, ...]:
    """Every enumeration of the resources' properties and parameters once, in the order of first use."""
    found: dict[Enumeration, None] = {}
    for resource in RESOURCES.values():
        types = (
            *(way[-1].type for way in walk(resource.properties)),
            *(parameter.type for parameter in resource.parameters),
        )
        found.update((type_, None) for type_ in types if isinstance(type_, Enumeration))
    return tuple(found)


@cache
def references() -> tuple[ReferencePath, ...]:
    """Every reference of the resources, in the order of declaration."""
    return tuple(
        ReferencePath(resource.name, tuple(p.name for p in way), way[-1].type.target, any(p.many for p in way))
        for resource in RESOURCES.values()
        for way in walk(resource.properties)
        if isinstance(way[-1].type, Reference)
    )


@cache
def operations() -> tuple[tuple[str, str], ...]:
    """Every read operation of the resources as (method, path): lists, lookups and single records.

    The other operations of the standard stand in ``feeds``.
    """
    found: list[tuple[str, str]] = []
    for resource in RESOURCES.values():
        found.append(("GET", resource.path))
        if resource.lookup:
            found.append(("POST", f"{resource.path}/lookup"))
        if resource.get:
            found.append(("GET", f"{resource.path}/{{id}}"))
    return tuple(found)


_REFERS_TO = {
    "parent": "Organisation",
    "organisation": "Organisation",
    "group": "Group",
    "child": "Person",
    "owner": "Person",
    "person": "Person",
    "student": "Person",
    "member": "Person",
    "registeredBy": "Person",
    "gradingTeacher": "Person",
    "teacher": "Duty",
    "activity": "Activity",
    "calendarEvent": "CalendarEvent",
    "placement": "Placement",
    # Only in the gateway's own filters:
    "enroledAt": "Organisation",
    "programme": "Programme",
    "syllabus": "Syllabus",
}
"""What the ids in a query parameter belong to: the standard uses a name for one thing throughout."""


def looks_up(resource: str, key: str) -> str | None:
    """The resource whose ids a lookup's body array takes; None for one that takes none."""
    declared = RESOURCES[resource].lookup_key.get(key)
    if declared is None or declared.type is not Scalar.ID:
        return None
    if declared.column == "id":
        return resource
    path = tuple(declared.column.split("."))
    found = next((each.target for each in references() if (each.resource, each.path) == (resource, path)), None)
    return found or _REFERS_TO[_SINGULAR.get(key, key)]


_SINGULAR = {"members": "member", "teachers": "teacher", "personIds": "person"}
"""Lookup keys of what records do not show, by the parameters that ask the same."""


def refers_to(parameter: Parameter) -> str | None:
    """The resource whose ids a parameter takes; None for parameters that take none."""
    return _REFERS_TO[parameter.name.rpartition(".")[2]] if parameter.type is Scalar.ID else None
