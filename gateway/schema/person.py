"""Person, with enrolments and those responsible."""

from __future__ import annotations

from .timetable import schedule_field
from .types import entity


@entity("Person")
class Person:
    schedule = schedule_field
