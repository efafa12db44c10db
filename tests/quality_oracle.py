"""What is wrong in the records of several sources, in plain Python over all of them at once.

Knows the standard's declarations and the configuration's decisions, and nothing of how the gateway finds out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Property, Reference, Structure

from .oracle import MARKINGS, UNITED, identity

Raw = Mapping[str, Any]
Sources = Mapping[str, Mapping[str, Sequence[Raw]]]
Where = tuple[str, str, str, str | None, str | None]
"""Source, kind, resource, property, and the source that is believed."""
Found = dict[Where, list[str]]
"""The ids of the records, once per record (per reference, where it leads nowhere)."""

BY_PERIOD = ("CalendarEvent", "AggregatedAttendance")


def every(sources: Sources, authority: Mapping[str, Any], holds: Mapping[str, Mapping[str, Sequence[str]]]) -> Found:
    """Everything that is wrong, but ids that differ and lists that are not read."""
    found: Found = defaultdict(list)
    for source, lists in sources.items():
        for name, records in lists.items():
            held = holds.get(source, {}).get(name)
            for record in records:
                alone(found, source, name, record, None if held is None else {*held, "id", "meta"})
    there = {name: {i for lists in sources.values() for i in ids(name, lists.get(name, ()))} for name in RESOURCES}
    served = {name for lists in sources.values() for name in lists}
    for source, lists in sources.items():
        for name, records in lists.items():
            for record in records:
                for path, target, id in dict.fromkeys(references(record, RESOURCES[name].properties, "")):
                    if target in served and target not in BY_PERIOD and id not in there[target]:
                        found[source, "dangling", name, path, None].append(identity(RESOURCES[name], record))
    for name in RESOURCES:
        together(found, name, sources, authority.get(name, {}), holds)
    return dict(found)


def ids(name: str, records: Sequence[Raw]) -> list[str]:
    return [identity(RESOURCES[name], record) for record in records]


def alone(found: Found, source: str, name: str, record: Raw, held: set[str] | None) -> None:
    """What the standard says against a record."""
    id = identity(RESOURCES[name], record)
    for path in dict.fromkeys(missing(record, RESOURCES[name].properties, "")):
        if held is None or path in held or "." in path:
            found[source, "missing_required", name, path, None].append(id)
    for path in dict.fromkeys(path for path, _ in unknown(record, RESOURCES[name].properties, "")):
        found[source, "unknown_value", name, path, None].append(id)


def inside(record: Raw, properties: Sequence[Property], prefix: str) -> Iterator[tuple[Property, str, Any]]:
    """Every value of a record with its property and path; lists are gone through."""
    for each in properties:
        value = record.get(each.name)
        for item in value if isinstance(value, list) else [value]:
            yield each, prefix + each.name, item
            if isinstance(each.type, Structure) and item is not None:
                yield from inside(item, each.type.properties, f"{prefix}{each.name}.")


def missing(record: Raw, properties: Sequence[Property], prefix: str) -> Iterator[str]:
    return (path for each, path, value in inside(record, properties, prefix) if each.required and value is None)


def unknown(record: Raw, properties: Sequence[Property], prefix: str) -> Iterator[tuple[str, str]]:
    for each, path, value in inside(record, properties, prefix):
        if isinstance(each.type, Enumeration) and value is not None and value not in each.type.values:
            yield path, value


def references(record: Raw, properties: Sequence[Property], prefix: str) -> Iterator[tuple[str, str, str]]:
    for each, path, value in inside(record, properties, prefix):
        if isinstance(each.type, Reference) and value is not None:
            yield path, each.type.target, value["id"]


def together(
    found: Found, name: str, sources: Sources, rules: Raw, holds: Mapping[str, Mapping[str, Sequence[str]]]
) -> None:
    """What the sources of one resource say against each other."""
    serving = [source for source, lists in sources.items() if name in lists]
    order = list(dict.fromkeys([s for s in rules.get("order", ()) if s in serving] + serving))
    population = [source for source in order if source in rules.get("exists", order)]
    known = {source: {identity(RESOURCES[name], r): r for r in sources[source][name]} for source in serving}
    exists = {id for source in population for id in known[source]}
    for source in order:
        if source not in population:
            for id in known[source]:
                if id not in exists:
                    found[source, "orphan", name, None, None].append(id)
    for column, declared in RESOURCES[name].columns.items():
        speakers = [
            source
            for source in rules.get("fields", {}).get(column, order)
            if source in serving and column in holds.get(source, {}).get(name, [column])
        ]
        if column in ("id", "meta") or len(speakers) < 2:
            continue
        united = rules.get("lists", {}).get(column, "union" if column in UNITED else "first") == "union"
        for id in exists:
            said = {}
            for source in speakers:
                record = known[source].get(id)
                if record is None or (column not in record and name not in holds.get(source, {})):
                    continue
                said[source] = record.get(column)
            if column == "securityMarking":
                pairs = markings(said)
            elif declared.many and united:
                pairs = entries(declared, said)
            else:
                pairs = whole(said)
            for source, believed in pairs:
                found[source, "disagreement", name, column, believed].append(id)


def whole(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for source in said:
        first = next(iter(said))
        if fact(said[source]) is not None and fact(said[source]) != fact(said[first]):
            yield source, first


def markings(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = {source: marking for source, marking in said.items() if marking is not None}
    strictest = max(given, key=lambda source: MARKINGS.index(given[source]), default=None)
    for source, marking in given.items():
        if strictest is not None and marking != given[strictest]:
            yield source, strictest


def entries(declared: Property, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    key = declared.type.entry_key if isinstance(declared.type, Structure) else ()
    first: dict[str, tuple[str, Any]] = {}
    for source, listed in said.items():
        differing = set()
        for entry in listed or ():
            name = json.dumps([at(entry, path) for path in key] if key else entry)
            believed, content = first.setdefault(name, (source, fact(entry)))
            if believed != source and content != fact(entry):
                differing.add(believed)
        for believed in differing:
            yield source, believed


def at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = None if value is None else value.get(name)
    return value


def fact(value: Any) -> Any:
    """A value without its spelling: references by id, instants, lists in any order, no nulls."""
    if isinstance(value, dict):
        if "id" in value:
            return value["id"]
        return {name: fact(item) for name, item in value.items() if fact(item) is not None} or None
    if isinstance(value, list):
        return sorted((fact(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True)) or None
    if isinstance(value, str) and value[10:11] == "T":
        return datetime.fromisoformat(value).timestamp()
    return value
