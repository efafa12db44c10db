"""Activity and CalendarEvent, with who teaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolvers.contracts import Want
from resolvers.cost import Forward
from resolvers.entity import Entry
from resolvers.steps.forward import reference_id

from .fields import field, optional
from .participants import participants_field, teachers_field
from .properties import context_of, follow
from .registry import lazy
from .types import entity, structure


@entity("Activity")
class Activity:
    pass


@entity("CalendarEvent")
class CalendarEvent:
    participants = participants_field
    teachersInEffect = teachers_field


async def _person(self: Entry, info: Any) -> object:
    """Some sources send the teacher as a person and not as a duty."""
    sent = self.value("person")
    if isinstance(sent, Mapping):
        followed = follow(info, "Person", sent)
        return None if followed is None else await followed
    context = context_of(info)
    duty_id = reference_id(context.operation, "Duty", self.value("duty"))
    if duty_id is None:
        return None
    duty = await context.reference("Duty", duty_id, Want(frozenset({"person"})))
    followed = None if duty is None else follow(info, "Person", duty.value("person"))
    return None if followed is None else await followed


@structure("DutyAssignment")
class DutyAssignment:
    person = field(
        _person,
        optional(lazy("Person")),
        name="person",
        doc="The teacher: the person that the source sent here, or the duty's person.",
        info=True,
        leading=lambda given, limits: (Forward("Duty", want=Want(frozenset({"person"}))), Forward("Person")),
    )
