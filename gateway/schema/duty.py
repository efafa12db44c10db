"""Duty, with its assignments in groups."""

from __future__ import annotations

from .events import events_field
from .types import entity


@entity("Duty")
class Duty:
    calendarEvents = events_field(
        "Duty",
        "Events in a period that the duty teaches or has an exception for; as the standard's filter `teacher`, "
        "whatever the dates of its assignments.",
    )
