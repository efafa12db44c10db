"""What the answer must be, computed from the raw records and the decisions in plain Python.

It knows the standard's declarations and nothing of the gateway: a second reading of the laws of one answer.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Property, Reference, Structure

from .worlds import Decisions, Part, World

UNITED = {"enrolments", "responsibles", "emails", "phoneNumbers", "externalIdentifiers", "eduPersonPrincipalNames"}
BELONGING = {
    "Person": ("enrolments", "schoolType", "enroledAt"),
    "Organisation": ("", "schoolTypes", "id"),
    "Group": ("", "schoolType", "organisation"),
    "Duty": ("", "", "dutyAt"),
}
"""Where a record says that it belongs: the list whose entries do, the form of schooling, the organisation."""
STRICTNESS = {"Ingen": 0, "Sekretessmarkering": 1, "Skyddad folkbokföring": 2}


class Oracle:
    """The merged view of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows = {
            (source, resource): {str(record["id"]): record for record in records}
            for source, served in world.sources.items()
            for resource, records in served.items()
        }
        self._parents: dict[str, str] | None = None
        self._heard: dict[tuple[str, str], tuple[list[str], Mapping[str, tuple[str, ...]]]] = {}

    def decisions(self, resource: str) -> Decisions:
        return self.world.decisions.get(resource, Decisions())

    def servers(self, resource: str) -> list[str]:
        """First authority first."""
        serving = [name for name, served in self.world.sources.items() if resource in served]
        first = [name for name in self.decisions(resource).order if name in serving]
        return first + [name for name in serving if name not in first]

    def population(self, resource: str) -> list[str]:
        exists = self.decisions(resource).exists
        return [name for name in self.servers(resource) if exists is None or name in exists]

    # Where a record belongs, and who is heard of it

    def below(self, root: str) -> set[str]:
        """An organisation and all that is below it, by what all sources say."""
        if self._parents is None:
            every, fields = self.servers("Organisation"), self.decisions("Organisation").fields
            self._parents = {}
            for id in {id for name in every for id in self.rows[name, "Organisation"]}:
                if any(id in self.rows[name, "Organisation"] for name in self.population("Organisation")):
                    said = self._said("Organisation", id, "parentOrganisation", every, fields)
                    if said and said[0][1] is not None:
                        self._parents[id] = said[0][1]["id"]  # type: ignore[index]
        found: set[str] = set()
        above = {root}
        while above:
            found |= above
            above = {child for child, parent in self._parents.items() if parent in above} - found
        return found

    def _fits(self, place: Mapping[str, set[str]], part: Part) -> dict[str, bool]:
        """Per kind of bound that the part has and the place tells, whether it fits."""
        allowed = {
            "school type": set(part.school_types),
            "organisation": {each for root in part.organisations for each in self.below(root)},
        }
        bounds = [kind for kind in allowed if place[kind] and allowed[kind]]
        return {kind: bool(place[kind] & allowed[kind]) for kind in bounds}

    def inside(self, places: Sequence[Mapping[str, set[str]]], part: Part) -> bool | None:
        """Whether a record is in a part; None where it cannot be known."""
        found = [None if not fits else all(fits.values()) for fits in (self._fits(place, part) for place in places)]
        if any(found):
            return True
        return False if found and None not in found else None

    def places(self, resource: str, id: str, heard: Sequence[str]) -> list[dict[str, set[str]]]:
        """What these sources say, by the authority that holds for all records, of where a record belongs."""
        entries, school_type, organisation = BELONGING[resource]

        def read(column: str) -> Any:
            return self._merged(resource, id, column, heard, self.decisions(resource).fields)

        def at(get: Any, column: str) -> set[str]:
            value = id if column == "id" else get(column) if column else None
            values = value if isinstance(value, list) else [value]
            return {each["id"] if isinstance(each, Mapping) else each for each in values if each is not None}

        records = [entry.get for entry in read(entries) or ()] if entries else [read]
        return [{"school type": at(get, school_type), "organisation": at(get, organisation)} for get in records]

    def heard(self, resource: str, id: str) -> tuple[list[str], Mapping[str, tuple[str, ...]]]:
        """The sources that are heard of a record, first authority first, and the properties decided apart."""
        if (resource, id) not in self._heard:
            self._heard[resource, id] = self._who(resource, id)
        return self._heard[resource, id]

    def _who(self, resource: str, id: str) -> tuple[list[str], Mapping[str, tuple[str, ...]]]:
        servers, decisions = self.servers(resource), self.decisions(resource)
        if resource not in BELONGING:
            return servers, decisions.fields
        heard = [name for name in servers if name not in self._out(resource, id)]
        for part, order, fields in decisions.when:
            for place in self.places(resource, id, heard):
                fits = self._fits(place, part)
                if len(fits) == bool(part.school_types) + bool(part.organisations) and all(fits.values()):
                    first = [name for name in order if name in heard]
                    return first + [name for name in heard if name not in first], {**decisions.fields, **fields}
        return heard, decisions.fields

    def _out(self, resource: str, id: str) -> set[str]:
        """The sources outside whose scope a record lies."""
        scopes = self._scopes(resource)
        if not scopes:
            return set()
        own = {name: self.inside(self._unbounded.places(resource, id, [name]), scopes[name]) for name in scopes}
        where = self.places(resource, id, [name for name in self.servers(resource) if name not in scopes])
        kinds = {
            kind
            for part in scopes.values()
            for kind, bound in (("school type", part.school_types), ("organisation", part.organisations))
            if bound
        }
        if not any(place[kind] for place in where for kind in kinds):
            first = next((name for name in scopes if own[name]), None)
            where = self.places(resource, id, [first]) if first is not None else where
        return {name for name, part in scopes.items() if own[name] is False or self.inside(where, part) is False}

    def _scopes(self, resource: str) -> dict[str, Part]:
        """The scopes that records of the resource can show, first authority first."""
        _, school_type, organisation = BELONGING.get(resource, ("", "", ""))
        scopes = {name: self.world.scopes[name] for name in self.servers(resource) if name in self.world.scopes}
        return {
            name: part
            for name, part in scopes.items()
            if (part.school_types and school_type) or (part.organisations and organisation)
        }

    @cached_property
    def _unbounded(self) -> Oracle:
        return Oracle(replace(self.world, scopes={}))

    def exists(self, resource: str, id: str) -> bool:
        heard, _ = self.heard(resource, id)
        return any(id in self.rows[name, resource] for name in self.population(resource) if name in heard)

    def said(self, resource: str, id: str, column: str) -> list[tuple[str, object]]:
        """Which sources speak for a property of a record, and what they say."""
        return self._said(resource, id, column, *self.heard(resource, id))

    def _said(
        self, resource: str, id: str, column: str, servers: Sequence[str], fields: Mapping[str, tuple[str, ...]]
    ) -> list[tuple[str, object]]:
        """The same of these sources, with these properties decided apart."""
        heard = servers
        if column != "meta":
            heard = [name for name in fields.get(column, heard) if name in servers]
        found = []
        for name in heard:
            holds = self.world.holds.get(name, {}).get(resource)
            row = self.rows[name, resource].get(id)
            if row is None or (holds is not None and column not in holds and column != "meta"):
                continue
            if column in row or (holds is not None and column != "meta"):
                found.append((name, self._in_scope(resource, column, name, row.get(column))))
        return found

    def _in_scope(self, resource: str, column: str, name: str, value: Any) -> object:
        """What is said, without the entries outside the source's scope."""
        part = self.world.scopes.get(name)
        if part is None or column != "enrolments" or not value:
            return value
        return [
            entry
            for entry in value
            if all(
                self._fits(
                    {
                        "school type": {*_some(entry.get("schoolType"))},
                        "organisation": {*_some((entry.get("enroledAt") or {}).get("id"))},
                    },
                    part,
                ).values()
            )
        ]

    def unites(self, resource: str, column: str) -> bool:
        mode = self.decisions(resource).lists.get(column, "union" if column in UNITED else "first")
        return RESOURCES[resource].columns[column].many and mode == "union"

    def value(self, resource: str, id: str, column: str) -> Any:
        """The merged value of a property."""
        if not self.exists(resource, id):
            return None
        return self._merged(resource, id, column, *self.heard(resource, id))

    def _merged(
        self, resource: str, id: str, column: str, servers: Sequence[str], fields: Mapping[str, tuple[str, ...]]
    ) -> Any:
        said = self._said(resource, id, column, servers, fields)
        if column == "meta":
            metas: list[Any] = [value for _, value in said if value is not None]
            return (
                metas and {"created": _edge(min, metas, "created"), "modified": _edge(max, metas, "modified")}
            ) or None
        if column == "securityMarking":
            return max((value for _, value in said if value is not None), key=_strictness, default=None)
        if not self.unites(resource, column):
            return said[0][1] if said else None
        kind = RESOURCES[resource].columns[column].type
        lists: list[Any] = [value for _, value in said if value is not None]
        entries: list[tuple[object, object]] = []
        for entry in (entry for value in lists for entry in value):
            key = _key(kind, entry)
            if key not in [known for known, _ in entries]:
                entries.append((key, entry))
        return [entry for _, entry in entries] if lists else None

    def contributors(self, resource: str, id: str, column: str) -> list[str]:
        """The sources that the merged value comes from."""
        said = self.said(resource, id, column)
        value = self.value(resource, id, column)
        if column == "meta":
            return [name for name, content in said if content is not None]
        if column == "securityMarking":
            return [name for name, content in said if content is not None and content == value][:1]
        if self.unites(resource, column):
            return [name for name, content in said if content]
        return [said[0][0]]

    # What may be seen

    def hidden(self, resource: str, id: str) -> bool:
        marking = (
            self.value("Person", id, "securityMarking") if resource == "Person" and self.serves("Person") else None
        )
        return self.world.hide_protected and marking not in (None, "Ingen")

    def serves(self, resource: str) -> bool:
        return bool(self.servers(resource))

    def visible(self, resource: str, id: str) -> bool:
        """Whether the record can be asked for by its id."""
        return self.serves(resource) and self.exists(resource, id) and not self.hidden(resource, id)

    def listed(self, resource: str) -> list[str]:
        """The ids of the whole list: sources in authority order, each in its own order, each record once."""
        rows = [
            str(record["id"])
            for name in self.population(resource)
            for record in self.world.sources[name][resource]
            if name in self.heard(resource, str(record["id"]))[0]
        ]
        return [id for id in dict.fromkeys(rows) if self.visible(resource, id)]

    def ordered(self, resource: str, ids: Sequence[str], keys: Sequence[tuple[str, bool]]) -> list[str]:
        """Sorted by (property path, descending) in turn: missing values last, ties by id."""
        found = sorted(ids)
        for path, descending in reversed(keys):
            values = {each: self._sort_value(resource, each, path) for each in found}
            having = [each for each in found if values[each] is not None]
            having.sort(key=values.__getitem__, reverse=descending)
            found = having + [each for each in found if values[each] is None]
        return found

    def _sort_value(self, resource: str, id: str, path: str) -> Any:
        if path == "meta.modified":
            meta = self.value(resource, id, "meta")
            return None if meta is None or meta["modified"] is None else datetime.fromisoformat(meta["modified"])
        value = self.value(resource, id, path)
        return value if value is None or path.endswith("Date") else swedish(value)

    def reference(self, target: str, reference: Any) -> str | None:
        """The id that a reference leads to, if it may be followed."""
        if reference is None:
            return None
        marked = target == "Person" and reference.get("securityMarking") not in (None, "Ingen")
        if (marked and self.world.hide_protected) or self.hidden(target, reference["id"]):
            return None
        return str(reference["id"])

    def entries(self, structure: Structure, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The entries without those that a hidden person identifies."""
        guards = {path.split(".")[0] for path in structure.entry_key}
        persons = [p.name for p in structure.properties if p.name in guards and p.type == Reference("Person")]
        return [
            entry
            for entry in entries
            if all(entry.get(name) is None or self.reference("Person", entry[name]) is not None for name in persons)
        ]

    # As GraphQL shows it

    def record(self, resource: str, id: str, columns: Sequence[str], *, provenance: bool = False) -> dict[str, Any]:
        """What ``selection`` of the same columns gives."""
        of = RESOURCES[resource]
        found: dict[str, Any] = {"id": id}
        for column in columns:
            if column == "displayName" and column not in of.columns:
                parts = [self.value(resource, id, part) for part in of.display_name]
                found[column] = " ".join(part for part in parts if part) or None
            else:
                found |= self._shown(of.columns[column], self.value(resource, id, column))
        if provenance:
            found["provenance"] = self.provenance(resource, id)
        return found

    def provenance(self, resource: str, id: str) -> dict[str, Any]:
        having = [name for name in self.heard(resource, id)[0] if id in self.rows[name, resource]]
        columns = [column for column in RESOURCES[resource].columns if column != "id"]
        return {
            "sources": [{"name": name, "id": id, "matchedBy": "id"} for name in having],
            "fields": [
                {"name": column, "source": name}
                for column in columns
                if self.value(resource, id, column) is not None
                for name in self.contributors(resource, id, column)
            ],
            "conflicts": [
                {"field": column, "source": name}
                for column in columns
                if column != "meta" and self.exists(resource, id)
                for name in self.conflicting(resource, id, column)
            ],
            "issues": [] if self.exists(resource, id) else ["dangling"],
        }

    def conflicting(self, resource: str, id: str, column: str) -> list[str]:
        """The sources that say something else than the merged value."""
        prop = RESOURCES[resource].columns[column]
        said = [(name, value) for name, value in self.said(resource, id, column) if value is not None]
        if not self.unites(resource, column):
            merged = plain(prop, self.value(resource, id, column))
            return [name for name, value in said if plain(prop, value) != merged]
        entries = [(name, _key(prop.type, entry), plain(prop, [entry])) for name, value in said for entry in value]  # type: ignore[attr-defined]
        first: list[tuple[str, object, object]] = []
        found = []
        for name, key, content in entries:
            known = next((each for each in first if each[1] == key), None)
            if known is None:
                first.append((name, key, content))
            elif known[0] != name and known[2] != content:
                found.append(name)
        return list(dict.fromkeys(found))

    def _shown(self, prop: Property, value: Any) -> dict[str, Any]:
        kind = prop.type
        if isinstance(kind, Structure):
            if prop.many and value is not None:
                return {prop.name: [self._entry(kind, entry) for entry in self.entries(kind, value)]}
            return {prop.name: None if value is None else self._entry(kind, value)}
        if isinstance(kind, Reference):
            leads_to = self.reference(kind.target, value)
            return {prop.name: None if leads_to is None else {"id": leads_to}}
        if isinstance(kind, Enumeration):
            name = _enum_list if prop.many else _enum
            return {prop.name: None if value is None else name(kind, value), prop.name + "Text": value}
        return {prop.name: value}

    def _entry(self, structure: Structure, entry: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for prop in structure.properties:
            found |= self._shown(prop, entry.get(prop.name))
        return found


def selection(resource: str, columns: Sequence[str], *, provenance: bool = False) -> str:
    """The GraphQL fields of some columns, as deep as the record itself goes."""
    of = RESOURCES[resource]
    fields = ["id", *(_selected(of.columns[c]) if c in of.columns else c for c in columns)]
    if provenance:
        fields.append(
            "provenance { sources { name id matchedBy } fields { name source } conflicts { field source } issues }"
        )
    return " ".join(fields)


def _selected(prop: Property) -> str:
    if isinstance(prop.type, Structure):
        return f"{prop.name} {{ {' '.join(_selected(inner) for inner in prop.type.properties)} }}"
    if isinstance(prop.type, Reference):
        return f"{prop.name} {{ id }}"
    return f"{prop.name} {prop.name}Text" if isinstance(prop.type, Enumeration) else prop.name


def plain(prop: Property, value: Any) -> Any:
    """A value as text in which equal is the same: references by id, lists in any order."""
    if value is None:
        return None
    if prop.many:
        return sorted(json.dumps(plain(replace(prop, many=False), each)) for each in value)
    if isinstance(prop.type, Reference):
        return value["id"]
    if isinstance(prop.type, Structure):
        return {each.name: plain(each, value.get(each.name)) for each in prop.type.properties}
    return value


def _some(value: Any) -> list[Any]:
    return [] if value is None else [value]


ALPHABET = " 0123456789abcdefghijklmnopqrstuvwxyzåäö"
ACCENTED = {"é": "e", "è": "e", "ü": "y", "á": "a", "ñ": "n", "ç": "c", "æ": "ä", "ø": "ö"}


def swedish(text: str) -> list[int]:
    """Where each letter stands in the Swedish alphabet."""
    return [ALPHABET.index(ACCENTED.get(letter, letter)) for letter in text.lower()]


def _enum(kind: Enumeration, value: str) -> str:
    if value not in kind.values:
        return "UNRECOGNISED"
    letters = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().upper()
    return "_".join("".join(c if c.isalnum() else " " for c in letters).split())


def _enum_list(kind: Enumeration, values: Sequence[str]) -> list[str]:
    return [_enum(kind, value) for value in values]


def _strictness(marking: object) -> int:
    """A marking that the standard does not know protects like the first that does."""
    return STRICTNESS.get(str(marking), 1)


def _edge(choose: Any, metas: Sequence[Mapping[str, str]], name: str) -> str | None:
    times = [meta[name] for meta in metas if meta.get(name) is not None]
    found: str | None = choose(times, key=datetime.fromisoformat, default=None)
    return found


def _key(kind: object, entry: Any) -> object:
    if not isinstance(kind, Structure) or not kind.entry_key:
        return entry
    values = []
    for path in kind.entry_key:
        here = entry
        for name in path.split("."):
            here = here.get(name) if here is not None else None
        values.append(here)
    return values
