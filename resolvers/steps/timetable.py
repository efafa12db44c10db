"""Persons' schedules: what they take part in during some days, as pupils and as teachers.

An exception can bring anybody into any event, and the records of a list say so only as a whole. So all events of the
period are read, once for however many persons are asked about, and the rules of ``participation`` choose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sources.requests import Query

from ..contracts import EntityId, Fetch, List, Period, Selector, Step, Want
from ..entity import Entity
from ..instants import day_end, day_start, instant
from ..operation import Operation
from ..participation import (
    PUPIL,
    TEACHER,
    Part,
    exceptions,
    in_effect,
    local_day,
    part,
    reference,
    references,
    teaching,
)
from ..relations import INVERSES
from .complete import complete, shown
from .inverse import inverse, inverse_entries
from .select import in_period

EVENT = frozenset(
    {
        "activity",
        "startTime",
        "endTime",
        "cancelled",
        "teachingLengthStudent",
        "teachingLengthTeacher",
        "studentExceptions",
        "teacherExceptions",
    }
)
"""The columns of a calendar event that a schedule reads."""
DATES = Want(frozenset({"startDate", "endDate"}))
_EXCEPTION_MOVES = timedelta(days=1)
"""How far an exception may move somebody's part away from the event and still be found."""


@dataclass(frozen=True, slots=True, eq=False)
class Scheduled:
    """One event in one person's schedule."""

    person: EntityId
    event: Entity
    part: Part


def timetable(
    operation: Operation, people: Sequence[EntityId], first: date, last: date, want: Want
) -> Step[list[list[Scheduled]]]:
    """Per person, what begins for that person on a local day from ``first`` to ``last``; by start, then event id.

    ``want``: what is asked of the events beside ``EVENT``.
    """
    around = Period(first - _EXCEPTION_MOVES, last + _EXCEPTION_MOVES)
    events = yield from events_between(operation, around, want.also(*EVENT))
    memberships = yield from inverse_entries(
        operation, INVERSES["Person", "groupMemberships"], people, Selector(during=around), DATES
    )
    duties = yield from inverse(operation, INVERSES["Person", "duties"], people, Selector(), DATES)
    index = yield from _indexed(operation, events)
    answers = []
    for person, groups, own in zip(people, memberships, duties, strict=True):
        member: dict[str, list[Sequence[Mapping[str, object]]]] = {}
        for entry in groups:
            dates = {column: entry.owner.value(column) for column in DATES.columns}
            member.setdefault(entry.owner.id, []).append((entry.data, dates))
        mine = _Mine(operation, index, person, member, {duty.id: duty for duty in own})
        answers.append(mine.between(first, last))
    return answers


def events_between(operation: Operation, period: Period, want: Want) -> Step[list[Entity]]:
    """All events that begin in a closed period, completed for ``want``; in the order of their ids."""
    rules = operation.federation.rules["CalendarEvent"]
    if not rules.servers:
        operation.not_served["CalendarEvent"] = None
        return []
    assert period.start is not None
    assert period.end is not None
    zone = operation.federation.timezone
    window = Query.of(
        {
            "startTime.onOrAfter": (day_start(period.start, zone).isoformat(),),
            "startTime.onOrBefore": (day_end(period.end, zone).isoformat(),),
        }
    )
    fetches = [Fetch(source, "CalendarEvent", List(window)) for source in rules.speaker_names("startTime")]
    found = sorted({each for ids in operation.absorb_all(fetches, (yield fetches)) for each in ids})
    yield from complete(operation, "CalendarEvent", found, want)
    return [
        event
        for event in shown(operation, "CalendarEvent", found)
        if event is not None and in_period(operation, event, period)
    ]


_Excepted = Mapping[str, tuple[Entity, Mapping[str, object]]]
"""By event, with the exception."""


@dataclass(frozen=True, slots=True)
class _Index:
    """The events of the period by what leads to them."""

    by_group: Mapping[str, Sequence[Entity]]
    by_teacher: Mapping[str, Sequence[tuple[Entity, Mapping[str, object]]]]
    """By the id of a duty or of a person, with the assignment."""
    excepted: Mapping[str, _Excepted]
    """By the id of a pupil or a duty."""


def _indexed(operation: Operation, events: Sequence[Entity]) -> Step[_Index]:
    of = {event.id: reference({"activity": event.value("activity")}, "activity") for event in events}
    ids = [EntityId(each) for each in of.values() if each is not None]
    yield from complete(operation, "Activity", ids, Want(frozenset({"groups", "teachers"})))
    rules = operation.federation.rules["Activity"]
    by_group: defaultdict[str, list[Entity]] = defaultdict(list)
    by_teacher: defaultdict[str, list[tuple[Entity, Mapping[str, object]]]] = defaultdict(list)
    excepted: defaultdict[str, dict[str, tuple[Entity, Mapping[str, object]]]] = defaultdict(dict)
    for event in events:
        activity_id = of[event.id]
        if activity_id is not None:
            activity = Entity(operation, rules, EntityId(activity_id))
            for group in references(activity.value("groups")):
                by_group[group].append(event)
            for whom, assignment in assignments(activity):
                by_teacher[whom].append((event, assignment))
        for role in (PUPIL, TEACHER):
            for whom, exception in exceptions(event.value, role).items():
                excepted[whom][event.id] = (event, exception)
    return _Index(by_group, by_teacher, excepted)


def assignments(activity: Entity) -> Iterator[tuple[str, Mapping[str, object]]]:
    """An activity's teachers, each with the id of the duty, or of the person where the source names no duty."""
    teachers = activity.value("teachers")
    for entry in teachers if isinstance(teachers, list) else ():
        whom = reference(entry, "duty") or reference(entry, "person")
        if whom is not None:
            yield whom, entry


@dataclass(frozen=True, slots=True)
class _Mine:
    """What decides about one person."""

    operation: Operation
    index: _Index
    person: EntityId
    groups: Mapping[str, Sequence[Sequence[Mapping[str, object]]]]
    """By group: memberships, each as the things that must all hold."""
    duties: Mapping[EntityId, Entity]

    def between(self, first: date, last: date) -> list[Scheduled]:
        zone = self.operation.federation.timezone
        found = self._attended() | self._taught()
        chosen = [
            (instant(each.part.start), event_id, each)
            for event_id, each in found.items()
            if each.part.start is not None and first <= local_day(each.part.start, zone) <= last
        ]
        return [each for _, _, each in sorted(chosen, key=lambda entry: entry[:2])]

    def _attended(self) -> dict[str, Scheduled]:
        """As a pupil, by event."""
        usual: dict[str, Entity] = {
            event.id: event
            for group, memberships in self.groups.items()
            for event in self.index.by_group.get(group, ())
            if any(self._holds(event, *dated) for dated in memberships)
        }
        excepted = self.index.excepted.get(self.person, {})
        found: dict[str, Scheduled] = {}
        for event in _events(usual, excepted):
            own = part(event.value, PUPIL, usual=event.id in usual, exception=_said(excepted, event))
            if own is not None:
                found[event.id] = Scheduled(self.person, event, own)
        return found

    def _taught(self) -> dict[str, Scheduled]:
        """As a teacher, by event."""
        named = self._assigned(self.person)
        duties = []
        for duty_id, duty in self.duties.items():
            dates = {column: duty.value(column) for column in DATES.columns}
            duties.append((self._assigned(duty_id, dates), self.index.excepted.get(duty_id, {})))
        found: dict[str, Scheduled] = {}
        for event in [*named.values(), *(event for each in duties for event in _events(*each))]:
            of_each = [(event.id in assigned, _said(excepted, event)) for assigned, excepted in duties]
            own = teaching(event.value, of_each, named=event.id in named)
            if own is not None:
                found[event.id] = Scheduled(self.person, event, own)
        return found

    def _assigned(self, whom: str, *dated: Mapping[str, object]) -> dict[str, Entity]:
        """The events that a duty, or a person who is named without one, teaches as a rule."""
        assigned = self.index.by_teacher.get(whom, ())
        return {event.id: event for event, assignment in assigned if self._holds(event, assignment, *dated)}

    def _holds(self, event: Entity, *dated: Mapping[str, object]) -> bool:
        """Whether these things all hold on the day on which the event begins."""
        day = local_day(str(event.value("startTime")), self.operation.federation.timezone)
        return in_effect(day, day, *(each.get for each in dated))


def _events(usual: Mapping[str, Entity], excepted: _Excepted) -> list[Entity]:
    return list({**usual, **{event_id: event for event_id, (event, _) in excepted.items()}}.values())


def _said(excepted: _Excepted, event: Entity) -> Mapping[str, object] | None:
    return excepted[event.id][1] if event.id in excepted else None
