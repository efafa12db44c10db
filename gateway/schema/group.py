"""Group, with its memberships."""

from __future__ import annotations

from .events import events_field
from .members import members_field
from .types import entity


@entity("Group")
class Group:
    calendarEvents = events_field("Group", "Events in a period of the activities that the group takes part in.")
    members = members_field
