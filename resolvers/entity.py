"""A merged thing: an id, and the rows of it that the operation has seen. Columns are coalesced when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sources.records import Row
from sources.standard.model import Resource, Structure

from . import belonging, merge
from .authority import Rules
from .contracts import EntityId
from .operation import Operation


@dataclass(slots=True, eq=False)
class Entity:
    """One record of the merged view. Reading a column never fetches: a step has seen to its speakers before."""

    operation: Operation
    rules: Rules
    id: EntityId

    @property
    def resource(self) -> Resource:
        return self.rules.resource

    @property
    def owner(self) -> Entity:
        """The record itself; an entry's owner is the record it stands in."""
        return self

    @property
    def applied(self) -> Rules:
        """The rules for this very record."""
        return self.rules if self.rules.settled else belonging.applied(self)

    def row(self, source: str) -> Row | None:
        """What a source has of it; None also where the source is not heard of it."""
        if not self.rules.settled and source not in self.applied.servers:
            return None
        return self.operation.rows(source, self.resource.name).get(self.id)

    @property
    def exists(self) -> bool:
        """Whether a source that may bring such a record into being has it."""
        return any(self.row(source) is not None for source in self.rules.population)

    def value(self, column: str) -> object:
        """The merged value of a top-level property; None where no source says anything, or the record is dangling."""
        return merge.value(self, column) if self.exists else None

    def display_name(self) -> str | None:
        """The name by the one rule of its type (``Resource.display_name``)."""
        parts = (self.value(column) for column in self.resource.display_name)
        return " ".join(str(part) for part in parts if part) or None


@dataclass(slots=True, eq=False)
class Entry:
    """An object without id inside a record, with the record it stands in."""

    owner: Entity
    structure: Structure
    data: Mapping[str, object]

    def value(self, name: str) -> object:
        return self.data.get(name)
