"""Placement."""

from __future__ import annotations

from .stays import attendance_times_field
from .types import entity


@entity("Placement")
class Placement:
    attendanceTimes = attendance_times_field
