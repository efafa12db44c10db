"""The derived field ``attendanceTimes`` of a placement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from resolvers.contracts import EntityId, Limits, Period, Selector, Step
from resolvers.cost import Inverse, Leads
from resolvers.entity import Entity
from resolvers.relations import INVERSES
from resolvers.rotation import Stay
from resolvers.steps.stays import PLACEMENT, stays
from sources.standard.attendance_schedule import SCHEDULE_STATE

from .days import FROM_AND_TO, days
from .enums import enumeration
from .fields import field, optional, optional_list
from .properties import context_of
from .scalars import Date, DateTime
from .timetable import record


def _type() -> Any:
    known = enumeration(SCHEDULE_STATE)

    def day(self: Stay) -> object:
        return self.day.isoformat()

    def start(self: Stay) -> object:
        return None if self.start is None else self.start.isoformat()

    def end(self: Stay) -> object:
        return None if self.end is None else self.end.isoformat()

    def state(self: Stay) -> object:
        return known.member(self.schedule.state)

    def state_text(self: Stay) -> object:
        return self.schedule.state

    fields = {
        "date": field(day, optional(Date), name="date", doc="The local day on which the stay begins."),
        "start": field(start, optional(DateTime), name="start", doc="When it begins."),
        "end": field(
            end, optional(DateTime), name="end", doc="When it ends; on the next day if the stay is overnight."
        ),
        "state": field(
            state,
            optional(known.type),
            name="state",
            doc="The schedule's latest state; none where its source keeps none.",
        ),
        "stateText": field(
            state_text,
            optional(str),
            name="stateText",
            doc="state in the standard's spelling, or as the source sent it.",
        ),
        "schedule": record(
            "AttendanceSchedule", "schedule", "The schedule it comes from.", lambda self: self.schedule.id
        ),
    }
    return strawberry.type(
        type("AttendanceTime", (), fields),
        name="AttendanceTime",
        description="A stay of a placed child on one day.",
    )


AttendanceTime = _type()


def _leading(given: Mapping[str, object], limits: Limits) -> tuple[Leads, ...]:
    first, last = days(given, limits)
    return (Inverse(INVERSES["Placement", "attendanceSchedules"], Selector(during=Period(first, last))),)


def _attendance_times(self: Entity, info: Any, **given: object) -> object:
    context = context_of(info)
    operation = context.operation
    first, last = days(given, operation.federation.limits)

    def step(placements: list[EntityId]) -> Step[list[list[Stay]]]:
        return stays(operation, placements, first, last)

    return context.load(("attendanceTimes", first, last), self.id, step)


attendance_times_field = field(
    _attendance_times,
    optional_list(AttendanceTime),
    name="attendanceTimes",
    doc="When the child is to come and go, day by day: weeks that turn, temporary schedules before usual ones, refused "
    "ones left out.",
    info=True,
    arguments=FROM_AND_TO,
    check=days,
    reads=PLACEMENT,
    leading=_leading,
)
