"""The derived field ``members`` of a group."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import strawberry

from resolvers.contracts import Limits, Period
from resolvers.cost import Forward, Inside
from resolvers.entity import Entity
from resolvers.participation import in_effect, reference

from .fields import field, optional, optional_list
from .inputs import bounded, period
from .properties import ON_AND_DURING, context_of, follow_all
from .registry import lazy


def _checked(given: Mapping[str, object], limits: Limits) -> tuple[Period | None, int | None]:
    asked = period(given.get("on", strawberry.UNSET), given.get("during", strawberry.UNSET))
    return asked, bounded(given.get("first", strawberry.UNSET), limits.max_candidates, None)


async def _members(self: Entity, info: Any, **given: object) -> list[Entity] | None:
    asked, first = _checked(given, context_of(info).operation.federation.limits)
    entries = self.value("groupMemberships")
    if not isinstance(entries, list):
        return None
    found: dict[str, object] = {}
    for entry in entries:
        who = reference(entry, "person")
        if who is not None and (asked is None or _in_effect(asked, entry, self)):
            found.setdefault(who, entry["person"])
    return (await follow_all(info, "Person", [found[who] for who in sorted(found)]))[:first]


def _in_effect(asked: Period, entry: Mapping[str, object], group: Entity) -> bool:
    return in_effect(asked.start or date.min, asked.end or date.max, entry.get, group.value)


members_field = field(
    _members,
    optional_list(lazy("Person")),
    name="members",
    doc="Those who are members: on a day, or on any day of a period, by the dates of the membership and of the group. "
    "In the order of their ids.",
    info=True,
    arguments=ON_AND_DURING
    | {"first": ("first", optional(int), "At most this many; without it, all.", strawberry.UNSET)},
    check=_checked,
    reads=("groupMemberships", "startDate", "endDate"),
    leading=lambda given, limits: (Inside(), Forward("Person")),
)
