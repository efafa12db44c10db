"""The derived fields ``participants`` and ``teachersInEffect`` of a calendar event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import strawberry

from resolvers.contracts import EntityId, Limits, Step, Want
from resolvers.cost import Forward, Inside
from resolvers.entity import Entity
from resolvers.operation import Operation
from resolvers.participation import PUPIL, TEACHER
from resolvers.steps.participants import Participant, pupils, read_of, teachers

from .fields import field, optional, optional_list
from .inputs import bounded
from .properties import context_of
from .registry import lazy
from .timetable import part_fields, record


def _type(name: str, doc: str, **own: Any) -> Any:
    return strawberry.type(type(name, (), own | part_fields()), name=name, description=doc)


def _person(doc: str) -> Any:
    return field(
        lambda self: self.person,
        optional(lazy("Person")),
        name="person",
        doc=doc,
        leading=lambda given, limits: (Forward("Person", known=True),),
    )


EventParticipant = _type("EventParticipant", "A pupil's part in a calendar event.", person=_person("Who takes part."))
EventTeacher = _type(
    "EventTeacher",
    "A teacher's part in a calendar event.",
    person=_person("Who teaches; none while the duty is vacant."),
    duty=record("Duty", "duty", "The duty; none where the source names a person only.", lambda self: self.duty),
)

_Find = Callable[[Operation, Sequence[EntityId], Want], Step[list[list[Participant]]]]


def _field(name: str, doc: str, of: Any, find: _Find, reads: Sequence[str], through: str) -> Any:
    def checked(given: Mapping[str, object], limits: Limits) -> int | None:
        return bounded(given.get("first", strawberry.UNSET), limits.max_candidates, None)

    async def resolve(self: Entity, info: Any, **given: object) -> object:
        context = context_of(info)
        operation = context.operation
        first = checked(given, operation.federation.limits)
        nodes = context.selection(info._raw_info, info._raw_info.field_nodes).get("person", [])
        wanted = context.want("Person", info._raw_info, nodes) if nodes else Want()

        def step(events: list[EntityId]) -> Step[list[list[Participant]]]:
            return find(operation, events, wanted)

        return (await context.load((name, wanted), self.id, step))[:first]

    arguments: dict[str, tuple[str, Any, str, object]] = {
        "first": ("first", optional(int), "At most this many; without it, all.", strawberry.UNSET)
    }
    return field(
        resolve,
        optional_list(of),
        name=name,
        doc=doc,
        info=True,
        arguments=arguments,
        check=checked,
        reads=reads,
        leading=lambda given, limits: (Forward("Activity"), Inside(), Forward(through), Inside(), Forward("Person")),
    )


participants_field = _field(
    "participants",
    "Those who take part in it as pupils: members of the activity's groups on the day on which it begins, and its "
    "exceptions both ways. In the order of their ids.",
    EventParticipant,
    pupils,
    read_of(PUPIL),
    "Group",
)
teachers_field = _field(
    "teachersInEffect",
    "Those who teach it: assigned to the activity on the day on which it begins, and its exceptions both ways. In the "
    "order of their duties' ids.",
    EventTeacher,
    teachers,
    read_of(TEACHER),
    "Duty",
)
