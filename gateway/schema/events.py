"""The derived field ``calendarEvents`` of a duty and of a group: through its activities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from resolvers.contracts import EVERYTHING, EntityId, Limits, Selector, Step
from resolvers.cost import Aside, Inverse, Leads
from resolvers.dated import dated
from resolvers.entity import Entity
from resolvers.relations import INVERSES
from resolvers.steps.schedule import events
from resolvers.steps.select import require_period
from sources.standard import RESOURCES

from .fields import field, optional, optional_list
from .inputs import selector
from .inverses import list_arguments, period_arguments
from .properties import context_of
from .registry import lazy


def events_field(target: str, doc: str) -> Any:
    """Events in a period of the activities of a ``target`` (Duty or Group)."""
    resource = RESOURCES["CalendarEvent"]

    def checked(given: Mapping[str, object], limits: Limits) -> Selector:
        asked = selector(resource, given, limits.max_candidates, None)
        require_period(asked.during, "calendarEvents")
        return asked

    def resolve(self: Entity, info: Any, **given: object) -> object:
        context = context_of(info)
        operation = context.operation
        asked = checked(given, operation.federation.limits)
        wanted = context.want(resource.name, info._raw_info, info._raw_info.field_nodes)

        def step(parents: list[EntityId]) -> Step[list[list[Entity]]]:
            return events(operation, target, parents, asked, wanted)

        return context.load(("events", target, asked, wanted), self.id, step)

    def leading(given: Mapping[str, object], limits: Limits) -> tuple[Leads, ...]:
        asked = checked(given, limits)
        through = (
            Inverse(INVERSES[target, "activities"], EVERYTHING),
            Inverse(INVERSES["Activity", "calendarEvents"], Selector(during=asked.during)),
        )
        if target != "Duty":
            return through
        exceptions = Inverse(INVERSES["Duty", "teacherExceptions"], Selector(during=asked.during))
        return (Aside((exceptions,)), *through)

    arguments = period_arguments(dated(resource), required=True) | list_arguments(resource)
    arguments["first"] = ("first", optional(int), "At most this many; without it, all.", strawberry.UNSET)
    return field(
        resolve,
        optional_list(lazy(resource.name)),
        name="calendarEvents",
        doc=doc,
        info=True,
        arguments=arguments,
        check=checked,
        leading=leading,
    )
