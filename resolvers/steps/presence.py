"""One person's attendance at an event, and absences that overlap a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..contracts import EVERYTHING, EntityId, Period, Selector, Step, Want
from ..entity import Entity
from ..instants import instant
from ..operation import Operation
from ..participation import local_day
from ..relations import INVERSES
from .inverse import estimated_calls, inverse

At = tuple[EntityId, EntityId]
"""A person and an event."""
During = tuple[EntityId, str, str]
"""A person, and the start and end of a time."""

_BY_EVENT, _BY_PERSON = INVERSES["CalendarEvent", "attendances"], INVERSES["Person", "attendances"]


def attendance(operation: Operation, asked: Sequence[At], want: Want) -> Step[list[Entity | None]]:
    """What is reported of each person at each event.

    Of several records a reported one, of those the one reported last. They are found by the events or by the persons,
    in whichever way takes fewer calls; by the events where it is the same, since a person's go far back.
    """
    people = list(dict.fromkeys(person for person, _ in asked))
    events = list(dict.fromkeys(event for _, event in asked))
    ways = [(_BY_EVENT, events), (_BY_PERSON, people)]
    relation, parents = min(ways, key=lambda way: estimated_calls(operation, *way))
    want = want.also("student", "calendarEvent", "isReported", "reportedTimestamp")
    having = yield from inverse(operation, relation, parents, EVERYTHING, want)
    best: dict[At, Entity] = {}
    for record in {record.id: record for found in having for record in found}.values():
        at = _named(record, "student"), _named(record, "calendarEvent")
        if at not in best or _told(record) > _told(best[at]):
            best[at] = record
    return [best.get(at) for at in asked]


def _named(record: Entity, column: str) -> EntityId:
    value = record.value(column)
    return EntityId(str(value["id"])) if isinstance(value, Mapping) else EntityId("")


def _told(record: Entity) -> tuple[bool, float, str]:
    at = record.value("reportedTimestamp")
    return record.value("isReported") is True, 0.0 if at is None else instant(str(at)).timestamp(), record.id


def absences(operation: Operation, asked: Sequence[During], want: Want) -> Step[list[list[Entity]]]:
    """Each person's absences that overlap each time, in the order of their ids. An absence without end is open."""
    zone = operation.federation.timezone
    days = [local_day(moment, zone) for _, start, end in asked for moment in (start, end)]
    people = list(dict.fromkeys(person for person, _, _ in asked))
    around = Selector(during=Period(min(days), max(days)))
    want = want.also("startTime", "endTime")
    found = yield from inverse(operation, INVERSES["Person", "absences"], people, around, want)
    of = dict(zip(people, found, strict=True))
    return [[each for each in of[person] if _overlaps(each, start, end)] for person, start, end in asked]


def _overlaps(absence: Entity, start: str, end: str) -> bool:
    """Whether they share some time. A time without length is shared by an absence that it lies in."""
    begins, ends = absence.value("startTime"), absence.value("endTime")
    first, last = instant(start), instant(end)
    if begins is None or not (instant(str(begins)) < last or instant(str(begins)) <= first):
        return False
    return ends is None or instant(str(ends)) > first
