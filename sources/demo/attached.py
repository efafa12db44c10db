"""The records of a server that attaches them to other organisations than the standard's, or turns organisations round.

Unlike other habits these are in the records themselves: filters go by them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..standard import RESOURCES
from ..standard.model import Reference
from .habits import Habits
from .store import Store
from .world import Record


def attached(store: Store, habits: Habits) -> Store:
    """The store as a server with these habits holds it; the same one where they change nothing."""
    if not habits.differs("organisation_level", "own_parents"):
        return store
    own = {name: table.records for name, table in store.tables.items()}
    for resource, level in habits.organisation_level.items():
        name = organisation_of(resource)
        own[resource] = [_lifted(store, record, name, level) for record in own.get(resource, ())]
    if habits.own_parents:
        own["Organisation"] = [_own_parent(record) for record in own.get("Organisation", ())]
    return Store({name: own[name] for name in store.tables}, store.background)


def organisation_of(resource: str) -> str:
    """The property that tells where a record of the resource belongs: ``dutyAt``, ``organisation``, ``owner``."""
    to = Reference("Organisation")
    return next(p.name for p in RESOURCES[resource].properties if p.type == to)


def _lifted(store: Store, record: Record, name: str, level: str) -> Record:
    """Attached to the nearest organisation of the level; where there is none above, as it was."""
    here: object = record.get(name)
    seen: set[str] = set()
    while isinstance(here, Mapping) and (id := str(here.get("id"))) not in seen:
        seen.add(id)
        organisation = store.find("Organisation", id)
        if organisation is None:
            break
        if organisation.get("organisationType") == level:
            return record | {name: {"id": id}}
        here = organisation.get("parentOrganisation")
    return record


def _own_parent(organisation: Record) -> Record:
    return (
        organisation
        if organisation.get("parentOrganisation")
        else organisation | {"parentOrganisation": {"id": organisation["id"]}}
    )
