"""One thing, several ids. So far every source uses the same ids, as the standard demands (Person.id).

All crossings between the gateway's ids and a source's go through these two functions.
"""

from __future__ import annotations

from .contracts import EntityId, LocalId


def local(source: str, resource: str, entity_id: EntityId) -> LocalId:
    """The id by which ``source`` knows the thing."""
    return LocalId(entity_id)


def entity(source: str, resource: str, local_id: str) -> EntityId:
    """The gateway's id of what ``source`` calls ``local_id``."""
    return EntityId(local_id)
