"""Forwards along a reference: from ids to records, and from a record to the entries that may be shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.standard.model import Property, Reference, Structure

from ..completeness import Gaps
from ..contracts import EntityId, Period, Step, Want
from ..dated import dated, within
from ..entity import Entity, Entry
from ..operation import Operation
from ..policy import Verdict
from .complete import complete


def references(
    operation: Operation, target: str, ids: Sequence[EntityId], want: Want, gaps: Gaps | None = None
) -> Step[list[Entity | None]]:
    """The records referred to. One that is found nowhere is an object all the same; None where the policy hides it."""
    yield from complete(operation, target, ids, want, gaps)
    rules = operation.federation.rules[target]
    policy = operation.federation.policy
    found = [Entity(operation, rules, each) for each in ids]
    return [None if policy.verdict(entity) is Verdict.HIDE else entity for entity in found]


def reference_id(operation: Operation, target: str, reference: object) -> EntityId | None:
    """The id in a reference object; None where there is none or the reference itself is marked as protected."""
    if not isinstance(reference, Mapping) or reference.get("id") is None:
        return None
    if operation.federation.policy.reference(target, reference) is Verdict.HIDE:
        return None
    return EntityId(str(reference["id"]))


def guarded(structure: Structure) -> tuple[Property, ...]:
    """The references to persons that identify an entry: it is left out when such a person is."""
    keys = {path.partition(".")[0] for path in structure.entry_key}
    return tuple(
        prop
        for prop in structure.properties
        if isinstance(prop.type, Reference) and prop.type.target == "Person" and prop.name in keys
    )


def visible_entries(
    operation: Operation, structure: Structure, owners: Sequence[tuple[Entity, object]], want: Want
) -> Step[list[list[Entry]]]:
    """Per owner and its merged list, the entries that do not lead to a protected person.

    ``want`` is what will be asked of those persons, so that they are fetched only once.
    """
    guards = guarded(structure)
    entries = [
        [Entry(owner, structure, data) for data in value if isinstance(data, Mapping)]
        if isinstance(value, list)
        else []
        for owner, value in owners
    ]
    if not guards or not operation.federation.policy.columns("Person"):
        return entries
    ids = dict.fromkeys(
        person
        for group in entries
        for entry in group
        for guard in guards
        if (person := reference_id(operation, "Person", entry.data.get(guard.name))) is not None
    )
    people = yield from references(operation, "Person", list(ids), want)
    visible = {person.id for person in people if person is not None}
    return [[entry for entry in group if _visible(operation, entry, guards, visible)] for group in entries]


def _visible(operation: Operation, entry: Entry, guards: Sequence[Property], visible: set[EntityId]) -> bool:
    for guard in guards:
        reference = entry.data.get(guard.name)
        if reference is not None and reference_id(operation, "Person", reference) not in visible:
            return False
    return True


def entries_in_period(operation: Operation, entries: list[Entry], period: Period | None) -> list[Entry]:
    """The entries that hold in the period, by their own dates."""
    if period is None:
        return entries
    return [
        entry
        for entry in entries
        if (how := dated(entry.structure)) is None or within(how, entry.data.get, period, operation.federation.timezone)
    ]
