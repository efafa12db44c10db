"""SS 12000:2020 version 2.1.0 as data: the one place where facts about the standard are declared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .absence import ABSENCE
from .activity import ACTIVITY
from .aggregated_attendance import AGGREGATED_ATTENDANCE
from .attendance import ATTENDANCE
from .attendance_event import ATTENDANCE_EVENT
from .attendance_schedule import ATTENDANCE_SCHEDULE
from .calendar_event import CALENDAR_EVENT
from .duty import DUTY
from .grade import GRADE
from .group import GROUP
from .model import Resource
from .organisation import ORGANISATION
from .person import PERSON
from .placement import PLACEMENT
from .programme import PROGRAMME
from .resource import RESOURCE
from .room import ROOM
from .school_unit_offering import SCHOOL_UNIT_OFFERING
from .study_plan import STUDY_PLAN
from .syllabus import SYLLABUS

RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {
        resource.name: resource
        for resource in (
            ORGANISATION,
            PERSON,
            PLACEMENT,
            DUTY,
            GROUP,
            PROGRAMME,
            STUDY_PLAN,
            SYLLABUS,
            SCHOOL_UNIT_OFFERING,
            ACTIVITY,
            CALENDAR_EVENT,
            ATTENDANCE,
            ATTENDANCE_EVENT,
            ATTENDANCE_SCHEDULE,
            GRADE,
            ABSENCE,
            AGGREGATED_ATTENDANCE,
            RESOURCE,
            ROOM,
        )
    }
)
"""Every readable resource of the standard, by its name, in the standard's order."""
