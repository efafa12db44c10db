"""What a record looks like in an answer: with its embedded records, and with names in its references."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ..standard import RESOURCES
from ..standard.model import Property, Reference, Structure
from .store import Store, values
from .world import Record


@dataclass(frozen=True, slots=True)
class Answers:
    """Renders records of one store as one request asks: ``expand`` and ``expandReferenceNames``."""

    store: Store
    expand: Collection[str] = ()
    names: bool = False

    def record(self, resource: str, record: Record) -> Record:
        shown = self._named(resource, record)
        if self.expand:
            shown = shown | {"_embedded": self._embedded(resource, record)}
        return shown

    def _named(self, resource: str, record: Record) -> Record:
        return _with_names(record, _references(resource), self.store) if self.names else record

    def _embedded(self, resource: str, record: Record) -> Record:
        """What is asked for, of what this source itself holds; a kind of record that it does not serve is left out."""
        found: Record = {}
        for name in self.expand:
            target = RESOURCES[resource].expand[name].resource
            if target in self.store.tables:
                value = self._expanded(resource, name, record)
                if value is not None:
                    found[name] = value
        return found

    def _expanded(self, resource: str, name: str, record: Record) -> object:
        id = str(record.get("id"))
        match resource, name:
            case "Person", "duties":
                return self._all("Duty", "person.id", id)
            case "Person", "placements":
                return self._all("Placement", "child.id", id)
            case "Person", "ownedPlacements":
                return self._all("Placement", "owners.id", id)
            case "Person", "responsibleFor":
                return self._responsible_for(id)
            case "Person", "groupMemberships":
                return self._memberships(id)
            case "Group", "assignmentRoles":
                return self._roles(id)
            case "Placement", "owners":
                return self._these("Person", values(record, ["owners", "id"]))
            case "Activity", "groups":
                return self._these("Group", values(record, ["groups", "id"]))
            case "Activity", "teachers":
                return self._these("Duty", values(record, ["teachers", "duty", "id"]))
            case "CalendarEvent", "attendance":
                return self._all("Attendance", "calendarEvent.id", id)
            case "AttendanceEvent", "group":
                found = self._one("Group", record, "group")
                return None if found is None else _fragment(found)
            case _:
                # the others embed the one record that the property of the same name refers to
                return self._one(RESOURCES[resource].expand[name].resource, record, name)

    def _all(self, resource: str, path: str, id: str) -> list[Record]:
        table = self.store.tables[resource]
        return [self._named(resource, table.records[i]) for i in table.index(path).get(id, ())]

    def _these(self, resource: str, ids: Iterable[str]) -> list[Record]:
        found = (self.store.tables[resource].get(id) for id in dict.fromkeys(ids))
        return [self._named(resource, record) for record in found if record is not None]

    def _one(self, resource: str, record: Record, name: str) -> Record | None:
        id = next(values(record, [name, "id"]), None)
        found = self.store.tables[resource].get(id) if id is not None else None
        return None if found is None else self._named(resource, found)

    def _responsible_for(self, id: str) -> list[Record]:
        table = self.store.tables["Person"]
        found: list[Record] = []
        for position in table.index("responsibles.person.id").get(id, ()):
            child = table.records[position]
            reference: Record = {"id": child["id"]}
            if child.get("securityMarking", "Ingen") != "Ingen":
                reference["securityMarking"] = child["securityMarking"]
            if self.names:
                reference["displayName"] = self.store.display_name("Person", str(child["id"]))
            for entry in _entries(child, "responsibles"):
                if entry["person"]["id"] == id:
                    found.append({"person": reference, "relationType": entry["relationType"]})
        return found

    def _memberships(self, id: str) -> list[Record]:
        table = self.store.tables["Group"]
        return [
            {"group": _fragment(self._named("Group", group)), **{k: v for k, v in entry.items() if k != "person"}}
            for group in (table.records[i] for i in table.index("groupMemberships.person.id").get(id, ()))
            for entry in _entries(group, "groupMemberships")
            if entry["person"]["id"] == id
        ]

    def _roles(self, id: str) -> list[Record]:
        table = self.store.tables["Duty"]
        return [
            {"duty": {"id": duty["id"]}, **{k: v for k, v in role.items() if k != "group"}}
            for duty in (table.records[i] for i in table.index("assignmentRole.group.id").get(id, ()))
            for role in _entries(duty, "assignmentRole")
            if role["group"]["id"] == id
        ]


def _fragment(group: Record) -> Record:
    return {k: v for k, v in group.items() if k != "groupMemberships"}


def _entries(record: Record, name: str) -> Sequence[dict[str, dict[str, object]]]:
    found = record.get(name)
    return found if isinstance(found, list) else ()


_Tree = Mapping[str, "str | _Tree"]
"""Property → the resource it refers to, or the tree of the structure that holds references."""


@cache
def _references(resource: str) -> _Tree:
    return _tree(RESOURCES[resource].properties)


def _tree(properties: Sequence[Property]) -> _Tree:
    found: dict[str, str | _Tree] = {}
    for each in properties:
        if isinstance(each.type, Reference):
            found[each.name] = each.type.target
        elif isinstance(each.type, Structure):
            below = _tree(each.type.properties)
            if below:
                found[each.name] = below
    return found


def _with_names(record: Record, tree: _Tree, store: Store) -> Record:
    changed: Record = {}
    for name, below in tree.items():
        value = record.get(name)
        if isinstance(value, list):
            changed[name] = [_named(item, below, store) for item in value]
        elif value is not None:
            changed[name] = _named(value, below, store)
    return record | changed if changed else record


def _named(value: object, below: str | _Tree, store: Store) -> object:
    if not isinstance(value, dict):
        return value
    if not isinstance(below, str):
        return _with_names(value, below, store)
    name = store.display_name(below, value["id"])
    return value if name is None else value | {"displayName": name}
