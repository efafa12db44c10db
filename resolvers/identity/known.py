"""What is known of one resource's identities: one immutable state, of which an operation keeps to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sources.errors import Fault

from ..contracts import EntityId, LocalId
from .clusters import Place


@dataclass(frozen=True, slots=True)
class Known:
    """Ids in both directions. Only what differs stands here: a shared id that is its thing's id is in no table.

    ``ids``: per source and its id, the gateway's. ``locals``: per source, the other way. ``own``: sources that have ids
    of their own. ``aliases``: ids that the gateway gave before, and those that now stand for them. ``things``: every
    id that the gateway knows. ``faults``: sources that could not be read when this was put together.
    """

    own: frozenset[str] = frozenset()
    ids: Mapping[Place, EntityId] = field(default_factory=dict)
    locals: Mapping[str, Mapping[EntityId, LocalId]] = field(default_factory=dict)
    aliases: Mapping[EntityId, EntityId] = field(default_factory=dict)
    things: frozenset[str] = frozenset()
    matched: Mapping[Place, str] = field(default_factory=dict)
    conflicts: frozenset[Place] = frozenset()
    splits: frozenset[Place] = frozenset()
    faults: tuple[Fault, ...] = ()
    serial: int = 0
    """Another number for another state."""

    def entity(self, source: str, local: str) -> EntityId:
        """The gateway's id of what the source calls ``local``; the id itself where nothing else is known."""
        found = self.ids.get((source, local))
        return EntityId(local) if found is None else found

    def local(self, source: str, id: EntityId) -> LocalId | None:
        """The source's id of a thing; None where the source is known not to have it."""
        id = self.canonical(id)
        found = self.locals.get(source, {}).get(id)
        if found is not None:
            return found
        elsewhere = source in self.own and id in self.things and not self._of_others(source, id)
        return None if elsewhere else LocalId(id)

    def linked(self, source: str, id: EntityId) -> bool:
        """Whether the source's own id of a thing is known."""
        return self.canonical(id) in self.locals.get(source, {})

    def _of_others(self, source: str, id: EntityId) -> bool:
        """Whether another source with ids of its own calls it so: sources may have such ids in common."""
        return any((other, id) in self.ids for other in self.own if other != source)

    def canonical(self, id: EntityId) -> EntityId:
        """The id itself, or the one that it is an old name of."""
        return self.aliases.get(id, id)

    def matched_by(self, source: str, local: str) -> str:
        """How a record was found to be the thing: ``id``, or a kind of key."""
        return "id" if self.entity(source, local) == local else self.matched.get((source, local), "id")

    def unresolved(self, source: str, local: str) -> bool:
        """Whether a source's own id was met that no reading of its list has shown."""
        return source in self.own and (source, local) not in self.ids
