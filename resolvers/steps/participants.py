"""Who takes part in calendar events: the pupils and teachers in effect, without those whom the policy hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..contracts import EntityId, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..participation import PUPIL, TEACHER, Part, Role, exceptions, in_effect, local_day, part, reference, references
from .complete import complete
from .forward import reference_id
from .forward import references as followed
from .timetable import assignments

_MEMBERS = Want(frozenset({"groupMemberships", "startDate", "endDate"}))
_DUTIES = Want(frozenset({"person", "startDate", "endDate"}))


def read_of(role: Role) -> tuple[str, ...]:
    """The columns of an event that must be in hand."""
    return ("activity", "startTime", "endTime", role.length, role.exceptions)


@dataclass(frozen=True, slots=True, eq=False)
class Participant:
    """One person's part in an event. A teacher has a duty unless the source names none; a vacant duty no person."""

    part: Part
    person: Entity | None
    duty: EntityId | None = None


def pupils(operation: Operation, events: Sequence[EntityId], want: Want) -> Step[list[list[Participant]]]:
    """Per event, those who take part as pupils, in the order of their ids. ``want`` is asked of the persons."""
    activities = yield from _activities(operation, events, "groups")
    groups = [references(activity.value("groups")) if activity is not None else [] for activity in activities]
    yield from complete(operation, "Group", [EntityId(each) for found in groups for each in found], _MEMBERS)
    found: list[dict[EntityId, Part]] = []
    for event, having in zip(_entities(operation, "CalendarEvent", events), groups, strict=True):
        members = _members(operation, event, _entities(operation, "Group", [EntityId(each) for each in having]))
        said = exceptions(event.value, PUPIL)
        excepted = {
            who
            for entry in said.values()
            if (who := reference_id(operation, "Person", entry.get(PUPIL.whom))) is not None
        }
        found.append(
            {
                who: own
                for who in sorted(members | excepted)
                if (own := part(event.value, PUPIL, usual=who in members, exception=said.get(who))) is not None
            }
        )
    people = yield from _people(operation, [who for parts in found for who in parts], want)
    return [
        [Participant(own, person) for who, own in parts.items() if (person := people[who]) is not None]
        for parts in found
    ]


def _members(operation: Operation, event: Entity, groups: Sequence[Entity]) -> set[EntityId]:
    """The members of the groups on the day of the event, without those who are marked as protected there."""
    return {
        who
        for group in groups
        for entry in _entries(group.value("groupMemberships"))
        if (who := reference_id(operation, "Person", entry.get("person"))) is not None
        and _holds(operation, event, entry, group)
    }


def teachers(operation: Operation, events: Sequence[EntityId], want: Want) -> Step[list[list[Participant]]]:
    """Per event, those who teach it, in the order of the ids of their duties. ``want`` is asked of the persons.

    A teacher with several duties in an event stands there once for each.
    """
    activities = yield from _activities(operation, events, "teachers")
    assigned = [list(assignments(activity)) if activity is not None else [] for activity in activities]
    records = _entities(operation, "CalendarEvent", events)
    excepted = [exceptions(event.value, TEACHER) for event in records]
    ids = [EntityId(whom) for given in assigned for whom, entry in given if entry.get("duty") is not None]
    ids += [EntityId(whom) for said in excepted for whom in said]
    yield from complete(operation, "Duty", ids, _DUTIES)
    duties = dict(zip(ids, _entities(operation, "Duty", ids), strict=True))
    found = [
        _teaching(operation, event, given, said, duties)
        for event, given, said in zip(records, assigned, excepted, strict=True)
    ]
    people = yield from _people(operation, [each.who for taught in found for each in taught if each.who], want)
    return [
        [
            Participant(each.part, person, each.duty)
            for each in taught
            if (person := people[each.who] if each.who else None) is not None or each.vacant
        ]
        for taught in found
    ]


@dataclass(frozen=True, slots=True)
class _Taught:
    """A part of a teacher. ``who``: None for one who is hidden by the reference itself, and for a vacancy."""

    part: Part
    duty: EntityId | None
    who: EntityId | None
    vacant: bool


def _teaching(
    operation: Operation,
    event: Entity,
    assigned: Sequence[tuple[str, Mapping[str, object]]],
    excepted: Mapping[str, Mapping[str, object]],
    duties: Mapping[EntityId, Entity],
) -> list[_Taught]:
    """An event's teachers: by duty, then those whom the activity names without one."""
    usual: dict[EntityId, bool] = {}
    named: dict[str, object] = {}
    for whom, entry in assigned:
        duty_id = EntityId(whom)
        if entry.get("duty") is not None:
            usual[duty_id] = usual.get(duty_id, False) or _holds(operation, event, entry, duties[duty_id])
        elif _holds(operation, event, entry):
            named[whom] = entry.get("person")
    found: list[_Taught] = []
    told: set[str | None] = set()
    for duty_id in sorted({*usual, *map(EntityId, excepted)}):
        sent, exception = duties[duty_id].value("person"), excepted.get(duty_id)
        person = reference({"person": sent}, "person")
        as_named = exception is not None and person in named
        own = part(event.value, TEACHER, usual=usual.get(duty_id, False) or as_named, exception=exception)
        if own is not None:
            found.append(_Taught(own, duty_id, reference_id(operation, "Person", sent), sent is None))
        if own is not None or exception is not None:
            told.add(person)
    for whom in sorted(named.keys() - told):
        own = part(event.value, TEACHER, usual=True, exception=None)
        if own is not None:
            found.append(_Taught(own, None, reference_id(operation, "Person", named[whom]), vacant=False))
    return found


def _activities(operation: Operation, events: Sequence[EntityId], column: str) -> Step[list[Entity | None]]:
    """The events' activities, completed for a column."""
    ids = [
        reference_id(operation, "Activity", event.value("activity"))
        for event in _entities(operation, "CalendarEvent", events)
    ]
    yield from complete(operation, "Activity", [each for each in ids if each is not None], Want(frozenset({column})))
    rules = operation.federation.rules["Activity"]
    return [None if each is None else Entity(operation, rules, each) for each in ids]


def _people(operation: Operation, ids: Sequence[EntityId], want: Want) -> Step[dict[EntityId, Entity | None]]:
    unique = list(dict.fromkeys(ids))
    found = yield from followed(operation, "Person", unique, want)
    return dict(zip(unique, found, strict=True))


def _entities(operation: Operation, resource: str, ids: Sequence[EntityId]) -> list[Entity]:
    rules = operation.federation.rules[resource]
    return [Entity(operation, rules, each) for each in ids]


def _entries(value: object) -> list[Mapping[str, object]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _holds(operation: Operation, event: Entity, entry: Mapping[str, object], within: Entity | None = None) -> bool:
    """Whether an entry, and the record that it depends on, hold on the day on which the event begins."""
    start = event.value("startTime")
    if start is None:
        return False
    day = local_day(str(start), operation.federation.timezone)
    return in_effect(day, day, entry.get, *(() if within is None else (within.value,)))
