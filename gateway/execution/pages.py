"""Records that are printed as their pages come, so that no more than a page of them is ever in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from resolvers.contracts import EntityId
from resolvers.entity import Entity
from resolvers.operation import Operation
from sources.records import Row, Slab
from sources.shape import Shape

from .printing import FAILED, PrintAll


@dataclass(eq=False)
class Pages:
    """What a list takes over (``connection.Take``): JSON of records, and records that graphql-core has to complete."""

    operation: Operation
    show: PrintAll
    shape: Shape
    parts: list[tuple[int, bytes | Entity]] = field(default_factory=list)
    """With how many records each is."""

    def take(self, slab: Slab, numbers: Sequence[int]) -> None:
        decoded = slab.columns(self.shape)
        shown = self.show(decoded if len(numbers) == len(decoded) else [decoded[number] for number in numbers])
        begun = 0
        if FAILED in shown:
            for place, each in enumerate(shown):
                if each is FAILED:
                    self._add(shown[begun:place])
                    self.parts.append((1, self._known(slab, numbers[place])))
                    begun = place + 1
        self._add(shown[begun:])

    def _add(self, shown: Sequence[object]) -> None:
        if shown:
            self.parts.append((len(shown), orjson.dumps(shown)[1:-1]))

    def _known(self, slab: Slab, number: int) -> Entity:
        """A record that the operation knows from now on."""
        alone = slab.select([number])
        id = EntityId(alone.ids[0])
        self.operation.rows(slab.source, slab.resource).setdefault(id, Row(alone, 0))
        return Entity(self.operation, self.operation.federation.rules[slab.resource], id)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """A list as JSON, in pieces of some records each."""

    records: Sequence[bytes]
