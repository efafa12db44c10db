"""The laws of one answer in executable form: what the gateway must say, computed from every source's raw records.

Nothing here fetches, pages, plans or caches, and nothing is taken over from the gateway: a merged record is computed
from all that all sources hold. Beside the raw records it knows the configuration (``holds`` and ``authority``) and the
standard's declarations. ``tests.oracle_query`` answers a GraphQL query from it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sources.standard import RESOURCES
from sources.standard.model import Property, Reference, Resource, Scalar, SortKey, Structure

from .official_relations import OfficialRelation

Raw = Mapping[str, Any]
Sources = Mapping[str, Mapping[str, Sequence[Raw]]]
"""Source, then resource name, then the records as the source sends them, in its own order."""
Period = tuple[date | None, date | None]
"""First and last local day, both inclusive; None is open."""

STOCKHOLM = ZoneInfo("Europe/Stockholm")
UNITED = {"enrolments", "responsibles", "emails", "phoneNumbers", "externalIdentifiers", "eduPersonPrincipalNames"}
"""Lists that are merged entry by entry unless the configuration says otherwise."""
MARKINGS = ("Ingen", "Sekretessmarkering", "Skyddad folkbokföring")
"""From the mildest to the strictest."""
NAMESPACE = uuid.UUID("6f1d3c1e-5a0b-5c57-9a55-5512000a0210")
"""Of the ids (UUID version 5) of records to which the standard gives none. Clients keep them: it never changes."""


def identity(resource: Resource, raw: Raw) -> str:
    """A record's id; for resources without one, a UUIDv5 of its key."""
    if "id" in raw:
        return str(raw["id"])
    key = [value["id"] if isinstance(value, Mapping) else value for value in map(raw.get, resource.key)]
    return str(uuid.uuid5(NAMESPACE, json.dumps([resource.name, key], separators=(",", ":"))))


@dataclass(frozen=True, eq=False)
class Record:
    """A merged record. ``values`` is None where no source of the population has it: then every property is null."""

    resource: Resource
    id: str
    values: Mapping[str, Any] | None

    def __getitem__(self, column: str) -> Any:
        return None if self.values is None else self.values[column]

    @property
    def name(self) -> str | None:
        """``displayName``, by the one rule of its type."""
        return " ".join(str(self[c]) for c in self.resource.display_name if self[c]) or None


@dataclass(frozen=True, eq=False)
class Entry:
    """An object without id inside a merged record; ``back`` is the field to that record if an inverse led here."""

    owner: Record
    structure: Structure
    values: Mapping[str, Any]
    back: str | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)


@dataclass
class Oracle:
    """All raw records, and the configuration's ``sources`` and ``authority``.

    ``without`` names sources of which no record is known; ``show_protected`` turns the policy off.
    """

    sources: Sources
    configuration: Mapping[str, Any]
    without: Collection[str] = ()
    show_protected: bool = False
    _merged: dict[tuple[str, str], Record] = field(default_factory=dict)
    _owners: dict[OfficialRelation, dict[str, list[Record]]] = field(default_factory=dict)

    @cached_property
    def tables(self) -> dict[tuple[str, str], dict[str, Raw]]:
        """Per source and resource, the raw records by id, in the source's order."""
        return {
            (source, name): {identity(RESOURCES[name], raw): raw for raw in records}
            for source, resources in self.sources.items()
            if source not in self.without
            for name, records in resources.items()
        }

    # Who speaks

    def authority(self, resource: str) -> Mapping[str, Any]:
        rules: Mapping[str, Any] = self.configuration["authority"].get(resource, {})
        return rules

    def servers(self, resource: str) -> list[str]:
        """The sources that serve a resource: those in ``order`` first, the others as they are configured."""
        plural = RESOURCES[resource].plural
        serving = [name for name, of in self.configuration["sources"].items() if plural in of["resources"]]
        first = [name for name in self.authority(resource).get("order", ()) if name in serving]
        return first + [name for name in serving if name not in first]

    def population(self, resource: str) -> list[str]:
        """The sources that may bring a record into being."""
        exists = self.authority(resource).get("exists")
        return [name for name in self.servers(resource) if exists is None or name in exists]

    def said(self, resource: str, id: str, column: str) -> list[Any]:
        """What the sources heard for a property say, first authority first; None for what one says is not there.

        A source that holds the property by its profile says so by leaving it out; another says nothing then.
        """
        found = []
        servers = self.servers(resource)
        heard = servers if column == "meta" else self.authority(resource).get("fields", {}).get(column, servers)
        for source in heard:
            raw = self.tables.get((source, resource), {}).get(id)
            holds = self.configuration["sources"][source].get("holds", {}).get(resource)
            if raw is None or (holds is not None and column not in holds and column != "meta"):
                continue
            if column in raw or (holds is not None and column != "meta"):
                found.append(raw.get(column))
        return found

    # Merging

    def record(self, resource: str, id: str) -> Record:
        """The merged record, whether the policy shows it or not."""
        found = self._merged.get((resource, id))
        if found is None:
            of = RESOURCES[resource]
            exists = any(id in self.tables.get((source, resource), {}) for source in self.population(resource))
            values = {p.name: self._value(of, id, p) for p in of.properties} if exists else None
            found = self._merged[resource, id] = Record(of, id, values)
        return found

    def _value(self, resource: Resource, id: str, prop: Property) -> Any:
        said = self.said(resource.name, id, prop.name)
        if prop.name == "meta":
            return _meta([meta for meta in said if meta is not None])
        if prop.name == "securityMarking":
            return max((m for m in said if m is not None), key=_strictness, default=None)
        union = self.authority(resource.name).get("lists", {}).get(prop.name)
        if prop.many and (union == "union" or (union is None and prop.name in UNITED)):
            return _united(prop, [entries for entries in said if entries is not None])
        return said[0] if said else None

    # Policy

    def hidden(self, record: Record) -> bool:
        """Whether the record is of a protected person."""
        return not self.show_protected and record.resource.name == "Person" and _protected(record["securityMarking"])

    def follow(self, target: str, reference: Any) -> Record | None:
        """What a reference leads to: always an object, but for protected persons and where there is no reference."""
        if reference is None:
            return None
        if not self.show_protected and target == "Person" and _protected(reference.get("securityMarking")):
            return None
        record = self.record(target, reference["id"])
        return None if self.hidden(record) else record

    def by_id(self, resource: str, id: str) -> Record | None:
        record = self.record(resource, id)
        return None if record.values is None or self.hidden(record) else record

    def all(self, resource: str) -> list[Record]:
        """Every record that is shown: sources in authority order, each in its own order, each record once."""
        tables = (self.tables.get((source, resource), {}) for source in self.population(resource))
        ids = dict.fromkeys(id for table in tables for id in table)
        return [record for id in ids if (record := self.by_id(resource, id)) is not None]

    def entries(self, owner: Record, structure: Structure, values: Sequence[Any], *, but: str = "") -> list[Entry]:
        """The entries of a list without those that are about a protected person (``but``: not judged by this one)."""
        persons = [
            prop.name
            for prop in structure.properties
            if prop.type == Reference("Person") and f"{prop.name}.id" in structure.entry_key and prop.name != but
        ]
        return [
            Entry(owner, structure, value)
            for value in values
            if all(value.get(p) is None or self.follow("Person", value[p]) is not None for p in persons)
        ]

    # Relations backwards

    def owners(self, relation: OfficialRelation, id: str) -> list[Record]:
        """The records whose merged reference names ``id``, in the order of their ids."""
        index = self._owners.get(relation)
        if index is None:
            index = self._owners[relation] = {}
            for record in sorted(self.all(relation.owner), key=lambda record: record.id):
                for named in dict.fromkeys(ids_at(record.values, relation.path)):
                    index.setdefault(named, []).append(record)
        return index.get(id, [])

    def entries_to(self, relation: OfficialRelation, id: str) -> list[Entry]:
        """The entries whose reference names ``id``: in the order of their records' ids, then of the list."""
        structure = kind_at(RESOURCES[relation.owner], relation.path[:-1])
        assert isinstance(structure, Structure)
        last = relation.path[-1:]
        return [
            replace(entry, back=relation.back)
            for owner in self.owners(relation, id)
            for entry in self.entries(owner, structure, [*values_at(owner.values, relation.path[:-1])], but=last[0])
            if id in ids_at(entry.values, last)
        ]

    # Time

    def in_period(self, of: Record | Entry, period: Period) -> bool:
        """Whether a record (or entry, by its own dates or else by its record's) holds or happens in the period."""
        kind = of.resource if isinstance(of, Record) else of.structure
        names = {prop.name for prop in kind.properties}
        if isinstance(of, Entry) and not {"startDate", "endDate"} <= names:
            return self.in_period(of.owner, period)
        if kind.name == "Attendance":
            event = self.record("CalendarEvent", of["calendarEvent"]["id"])
            return _happens(event["startTime"] or of["reportedTimestamp"], period)
        if kind.name == "AttendanceEvent":
            return _happens(of["time"], period)
        if kind.name == "CalendarEvent":
            return _happens(of["startTime"], period)
        if kind.name == "Grade":
            return of["registeredDate"] is not None and _overlaps(of["registeredDate"], of["registeredDate"], period)
        if {"startDate", "endDate"} <= names:
            return _overlaps(of["startDate"], of["endDate"], period)
        if {"startTime", "endTime"} <= names:
            return of["startTime"] is not None and _overlaps(
                local_day(of["startTime"]), local_day(of["endTime"]) if of["endTime"] else None, period
            )
        return True

    # Order

    def ordered(self, records: Sequence[Record], keys: Sequence[SortKey]) -> list[Record]:
        """By sort keys, the most important first: Swedish collation, nulls last, ties by id."""
        found = sorted(records, key=lambda record: record.id)
        for key in reversed(keys):
            value = _reading(key)
            there = [record for record in found if value(record) is not None]
            there.sort(key=value, reverse=key.descending)
            found = there + [record for record in found if value(record) is None]
        return found


def _meta(said: Sequence[Raw]) -> Raw | None:
    """The earliest ``created`` and the latest ``modified`` of all sources."""
    if not said:
        return None
    return {
        "created": min((m["created"] for m in said if "created" in m), key=instant, default=None),
        "modified": max((m["modified"] for m in said if "modified" in m), key=instant, default=None),
    }


def _united(prop: Property, said: Sequence[Sequence[Any]]) -> list[Any] | None:
    """The entries of all that gave a list; of entries with the same key the first."""
    keys = prop.type.entry_key if isinstance(prop.type, Structure) else ()
    found: dict[str, Any] = {}
    for entries in said:
        for entry in entries:
            key = [[*values_at(entry, tuple(path.split(".")))] for path in keys] if keys else _told(entry)
            found.setdefault(json.dumps(key, sort_keys=True), entry)
    return list(found.values()) if said else None


def _told(value: Any) -> Any:
    """What an entry says: what is null in it says nothing."""
    if isinstance(value, Mapping):
        return {name: _told(each) for name, each in value.items() if each is not None}
    return [_told(each) for each in value] if isinstance(value, list) else value


def _strictness(marking: str) -> int:
    return MARKINGS.index(marking)


def _protected(marking: str | None) -> bool:
    return marking is not None and marking != "Ingen"


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands at the end of a path, through lists and objects."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif value is not None and path:
        yield from values_at(value.get(path[0]), path[1:])
    elif value is not None:
        yield value


def ids_at(value: Any, path: Sequence[str]) -> list[str]:
    """The ids that references at the end of a path name."""
    return [reference["id"] for reference in values_at(value, path)]


def kind_at(of: Resource | Structure, path: Sequence[str]) -> object:
    """The declared type at the end of a path."""
    kind: object = of
    for name in path:
        assert isinstance(kind, Resource | Structure)
        kind = next(prop.type for prop in kind.properties if prop.name == name)
    return kind


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def local_day(text: str) -> str:
    """The day in Sweden on which an instant lies."""
    return instant(text).astimezone(STOCKHOLM).date().isoformat()


def _happens(at: str | None, period: Period) -> bool:
    return at is not None and _overlaps(local_day(at), local_day(at), period)


def _overlaps(start: str | None, end: str | None, period: Period) -> bool:
    """Whether a time from day to day (None is open) shares a day with the period. ISO days compare as text."""
    first, last = period
    return (start is None or last is None or start <= last.isoformat()) and (
        end is None or first is None or end >= first.isoformat()
    )


def _reading(key: SortKey) -> Callable[[Record], Any]:
    """How a sort key reads a record: something that sorts, or None."""
    path = key.column.split(".")

    def read(record: Record) -> Any:
        value = record.name if key.column == "displayName" else next(values_at(record.values, path), None)
        if value is None:
            return None
        kind = Scalar.STRING if key.column == "displayName" else kind_at(record.resource, path)
        if kind in (Scalar.DATE, Scalar.DATE_TIME):
            return value if kind is Scalar.DATE else instant(value)
        return swedish(str(value))

    return read


ALPHABET = "abcdefghijklmnopqrstuvwxyzåäö"


def swedish(text: str) -> list[tuple[int, int]]:
    """Places in the Swedish alphabet: å, ä and ö last, case ignored, é as e; anything else before the letters."""
    letters = text.casefold().replace("é", "e").replace("ü", "y")
    return [(1, ALPHABET.index(c)) if c in ALPHABET else (0, ord(c)) for c in letters]
