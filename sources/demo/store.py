"""One source's records, found by id and, through indexes made when first asked for, by what filters compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ..standard import RESOURCES
from .world import Record


class Table:
    """Records in the order in which they are served. Positions in that order stand for records everywhere here."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.positions = {str(r["id"]): i for i, r in enumerate(records) if "id" in r}
        self._indexes: dict[str, Mapping[str, Sequence[int]]] = {}
        self._firsts: dict[str, Sequence[str | None]] = {}
        self._instants: dict[str, Sequence[float | None]] = {}

    def get(self, id: str) -> Record | None:
        position = self.positions.get(id)
        return None if position is None else self.records[position]

    def index(self, path: str) -> Mapping[str, Sequence[int]]:
        """Value at the path → positions. Paths lead through lists: ``teachers.duty.id``."""
        found = self._indexes.get(path)
        if found is None:
            steps = path.split(".")
            made: defaultdict[str, list[int]] = defaultdict(list)
            for position, record in enumerate(self.records):
                for value in dict.fromkeys(values(record, steps)):
                    made[value].append(position)
            found = self._indexes[path] = dict(made)
        return found

    def where(self, path: str, wanted: Sequence[str]) -> set[int]:
        """The positions with any of the values at the path."""
        index = self.index(path)
        return {position for value in wanted for position in index.get(value, ())}

    def first(self, path: str) -> Sequence[str | None]:
        """The value at the path, per position."""
        found = self._firsts.get(path)
        if found is None:
            steps = path.split(".")
            found = self._firsts[path] = [next(values(r, steps), None) for r in self.records]
        return found

    def instants(self, path: str) -> Sequence[float | None]:
        """The date-time at the path as seconds since 1970, per position."""
        found = self._instants.get(path)
        if found is None:
            found = self._instants[path] = [None if v is None else seconds(v) for v in self.first(path)]
        return found


class Store:
    """A source's own tables, and what it knows internally beside them."""

    def __init__(self, own: Mapping[str, Sequence[Record]], background: Mapping[str, Table] | None = None) -> None:
        self.tables = {resource: Table(records) for resource, records in own.items()}
        self.background = {resource: Table(()) for resource in RESOURCES} | dict(background or {})
        self._known: dict[str, Table] = {}
        self.keeps_enrolments = any("enrolments" in r for r in own.get("Person", ()))

    def known(self, resource: str) -> Table:
        """The source's own records and behind them those that it only knows of."""
        if resource not in self.tables:
            return self.background[resource]
        found = self._known.get(resource)
        if found is None:
            own = self.tables[resource]
            behind = (r for r in self.background[resource].records if r.get("id") not in own.positions)
            found = self._known[resource] = Table([*own.records, *behind])
        return found

    def find(self, resource: str, id: str) -> Record | None:
        """A record that the source serves or knows of."""
        found = self.tables[resource].get(id) if resource in self.tables else None
        return found or self.background[resource].get(id)

    def served(self, resource: str) -> Table:
        """The source's own records; where it does not serve the resource, those that it knows of."""
        return self.tables.get(resource) or self.background[resource]

    def subtree(self, organisation: str) -> set[str]:
        """The organisation and all below it."""
        table = self.known("Organisation")
        children = table.index("parentOrganisation.id")
        found = {organisation}
        waiting = [organisation]
        while waiting:
            for position in children.get(waiting.pop(), ()):
                id = str(table.records[position]["id"])
                if id not in found:
                    found.add(id)
                    waiting.append(id)
        return found

    def display_name(self, resource: str, id: str) -> str | None:
        """What a reference to the record is called. Of a person, only what the source itself holds."""
        table = self.tables.get(resource)
        record = table.get(id) if table is not None else None
        if record is None and resource != "Person":
            record = self.background[resource].get(id)
        return None if record is None else display_name(resource, record)


def display_name(resource: str, record: Mapping[str, object]) -> str | None:
    parts = [record[c] for c in RESOURCES[resource].display_name if record.get(c)]
    return " ".join(map(str, parts)) or None


def values(value: object, steps: Sequence[str]) -> Iterator[str]:
    """Every value at the end of the path, as text."""
    if isinstance(value, list):
        for item in value:
            yield from values(item, steps)
    elif not steps:
        if value is not None:
            yield str(value)
    elif isinstance(value, dict) and steps[0] in value:
        yield from values(value[steps[0]], steps[1:])


def seconds(date_time: str) -> float:
    return datetime.fromisoformat(date_time).timestamp()
