"""The derived field ``schedule`` of a person, and what one entry of it is."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Mapping
from typing import Any

import strawberry

from resolvers.contracts import EVERYTHING, EntityId, Limits, Period, Selector, Step, Want
from resolvers.cost import Aside, Between, Forward, Inside, Inverse, Leads
from resolvers.entity import Entity
from resolvers.participation import Part
from resolvers.participation import Via as Reason
from resolvers.relations import INVERSES
from resolvers.steps.presence import At, During, absences, attendance
from resolvers.steps.timetable import DATES, EVENT, Scheduled, timetable

from .days import FROM_AND_TO, days
from .fields import field, optional, optional_list
from .properties import context_of, follow, follow_all
from .registry import lazy
from .scalars import DateTime

_REASONS = {
    Reason.GROUP: "A member of a group of the event's activity, on the day on which the event begins.",
    Reason.EXCEPTION: "By an exception of the event alone.",
    Reason.DUTY: "Assigned to the event's activity as a teacher, on the day on which the event begins.",
}
_Via: Any = enum.Enum(  # type: ignore[misc]
    "Via", {reason.value: strawberry.enum_value(reason.value, description=doc) for reason, doc in _REASONS.items()}
)
Via: Any = strawberry.enum(_Via, name="Via", description="Why somebody takes part in an event.")


def part_fields() -> dict[str, Any]:
    """The fields of somebody's part in an event, read from ``part``."""

    def read(name: str, kind: Any, doc: str, of: Any) -> Any:
        return field(lambda self: of(self.part), optional(kind), name=name, doc=doc)

    def via(part: Part) -> object:
        return _Via[part.via.value]

    exception = "by an exception's own time, or else the event's"
    return {
        "via": read("via", Via, "Why the person takes part.", via),
        "start": read("start", DateTime, f"When it begins for the person: {exception}.", lambda part: part.start),
        "end": read("end", DateTime, f"When it ends for the person: {exception}.", lambda part: part.end),
        "teachingLength": read(
            "teachingLength",
            int,
            "Minutes of teaching for the person: the exception's, or else the event's for pupils or for teachers.",
            lambda part: part.teaching_length,
        ),
    }


def record(target: str, name: str, doc: str, id_of: Any) -> Any:
    """A field that gives the record whose id (or None) ``id_of`` reads."""

    def resolve(self: object, info: Any) -> object:
        context, found = context_of(info), id_of(self)
        wanted = context.want(target, info._raw_info, info._raw_info.field_nodes)
        return None if found is None else context.reference(target, found, wanted)

    return field(resolve, optional(lazy(target)), name=name, doc=doc, info=True)


def _activity(self: Scheduled, info: Any) -> object:
    return follow(info, "Activity", self.event.value("activity"))


def _rooms(self: Scheduled, info: Any) -> object:
    rooms = self.event.value("rooms")
    return follow_all(info, "Room", rooms) if isinstance(rooms, list) else None


def _attendance(self: Scheduled, info: Any) -> Awaitable[Entity | None]:
    context = context_of(info)
    wanted = context.want("Attendance", info._raw_info, info._raw_info.field_nodes)

    def step(asked: list[At]) -> Step[list[Entity | None]]:
        return attendance(context.operation, asked, wanted)

    return context.load(("attendance", wanted), (self.person, self.event.id), step)


def _absences(self: Scheduled, info: Any) -> Awaitable[list[Entity]]:
    context = context_of(info)
    wanted = context.want("Absence", info._raw_info, info._raw_info.field_nodes)
    start = self.part.start
    assert start is not None  # or it would not be in a schedule

    def step(asked: list[During]) -> Step[list[list[Entity]]]:
        return absences(context.operation, asked, wanted)

    return context.load(("absences", wanted), (self.person, start, self.part.end or start), step)


def _entry_type() -> Any:
    fields = part_fields() | {
        "cancelled": field(
            lambda self: self.event.value("cancelled") is True, bool, name="cancelled", doc="Whether it is cancelled."
        ),
        "event": record("CalendarEvent", "event", "The calendar event.", lambda self: self.event.id),
        "activity": field(
            _activity, optional(lazy("Activity")), name="activity", doc="The event's activity.", info=True
        ),
        "rooms": field(_rooms, optional_list(lazy("Room")), name="rooms", doc="The event's rooms.", info=True),
        "attendance": field(
            _attendance,
            optional(lazy("Attendance")),
            name="attendance",
            doc="What is reported of this person's attendance; of several records the one reported last.",
            info=True,
            leading=lambda given, limits: (Inverse(INVERSES["CalendarEvent", "attendances"], EVERYTHING),),
        ),
        "absences": field(
            _absences,
            optional_list(lazy("Absence")),
            name="absences",
            doc="This person's absences that overlap the entry, in the order of their ids.",
            info=True,
            leading=lambda given, limits: (Inverse(INVERSES["Person", "absences"], EVERYTHING),),
        ),
    }
    return strawberry.type(
        type("ScheduleEntry", (), fields),
        name="ScheduleEntry",
        description="A calendar event in one person's schedule, as it is for that person.",
    )


ScheduleEntry = _entry_type()


def _leading(given: Mapping[str, object], limits: Limits) -> tuple[Leads, ...]:
    around = Period(*days(given, limits))
    return (
        Aside((Between(INVERSES["Activity", "calendarEvents"], around, Want(EVENT)),)),
        Aside((Inverse(INVERSES["Person", "groupMemberships"], Selector(during=around), DATES),)),
        Aside((Inverse(INVERSES["Person", "duties"], EVERYTHING, DATES),)),
        Inside(),
        Aside((Forward("Activity", want=Want(frozenset({"groups", "teachers"}))),)),
    )


def _schedule(self: Entity, info: Any, **given: object) -> object:
    context = context_of(info)
    operation = context.operation
    first, last = days(given, operation.federation.limits)
    selected = context.selection(info._raw_info, info._raw_info.field_nodes)
    wanted = Want(frozenset({"rooms"} & selected.keys()))

    def step(people: list[EntityId]) -> Step[list[list[Scheduled]]]:
        return timetable(operation, people, first, last, wanted)

    return context.load(("schedule", first, last, wanted), self.id, step)


schedule_field = field(
    _schedule,
    optional_list(ScheduleEntry),
    name="schedule",
    doc="What the person takes part in, as a pupil or as a teacher, with memberships, assignments and exceptions "
    "regarded; by start. Cancelled events are among them.",
    info=True,
    arguments=FROM_AND_TO,
    check=days,
    leading=_leading,
)
