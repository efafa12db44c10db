"""Who takes part in a calendar event, why, and when: the rules alone, over plain values (field guide 6.3).

A pupil takes part as a member of a group of the event's activity, on the local day on which the event begins. A teacher
takes part by an assignment in the activity on that day. An exception of the event says otherwise for one of them:
``participates: false`` takes out, ``true`` brings in, and its own times and length replace the event's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from zoneinfo import ZoneInfo

from .dated import Read
from .instants import instant


class Via(Enum):
    """Why somebody takes part."""

    GROUP = "GROUP"
    EXCEPTION = "EXCEPTION"
    DUTY = "DUTY"


@dataclass(frozen=True, slots=True)
class Role:
    """A way to take part: what brings one in as a rule, and the event's columns for it."""

    via: Via
    length: str
    exceptions: str
    whom: str
    """The reference in an exception."""


PUPIL = Role(Via.GROUP, "teachingLengthStudent", "studentExceptions", "student")
TEACHER = Role(Via.DUTY, "teachingLengthTeacher", "teacherExceptions", "duty")


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody's part in one event: RFC 3339 date-times, and a length in minutes."""

    via: Via
    start: str | None
    end: str | None
    teaching_length: int | None


def part(read: Read, role: Role, *, usual: bool, exception: Mapping[str, object] | None) -> Part | None:
    """One's part in an event that ``read`` shows; None if one does not take part.

    ``usual``: without the exception one would. The exception's times replace the event's, each for itself.
    """
    said = exception or {}
    participates = said.get("participates")
    if participates is False or not (usual or participates is True):
        return None

    def own(name: str, column: str) -> object:
        value = said.get(name)
        return read(column) if value is None else value

    length = own("teachingLength", role.length)
    return Part(
        role.via if usual else Via.EXCEPTION,
        _text(own("startTime", "startTime")),
        _text(own("endTime", "endTime")),
        length if isinstance(length, int) else None,
    )


def teaching(
    read: Read, duties: Sequence[tuple[bool, Mapping[str, object] | None]], *, named: bool = False
) -> Part | None:
    """One person's part in an event as a teacher, with several duties; an assignment goes before an exception.

    ``duties``: of each, whether it is assigned, and its exception. ``named``: the activity names the person without a
    duty; an exception of any of the person's duties is then about that.
    """
    if named and not any(exception for _, exception in duties):
        duties = [*duties, (True, None)]
    found = [
        own
        for assigned, exception in duties
        if (own := part(read, TEACHER, usual=assigned or (named and exception is not None), exception=exception))
    ]
    return min(found, key=lambda own: own.via is not TEACHER.via, default=None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def exceptions(read: Read, role: Role) -> dict[str, Mapping[str, object]]:
    """An event's exceptions by the id they are for; of several for one the first."""
    found: dict[str, Mapping[str, object]] = {}
    entries = read(role.exceptions)
    for entry in entries if isinstance(entries, list) else ():
        whom = reference(entry, role.whom)
        if whom is not None:
            found.setdefault(whom, entry)
    return found


def reference(entry: object, name: str) -> str | None:
    """The id that a reference inside an object names."""
    value = entry.get(name) if isinstance(entry, Mapping) else None
    return str(value["id"]) if isinstance(value, Mapping) and value.get("id") is not None else None


def references(value: object) -> list[str]:
    """The ids that a list of references names."""
    found = value if isinstance(value, list) else ()
    return [str(each["id"]) for each in found if isinstance(each, Mapping) and each.get("id") is not None]


def in_effect(first: date, last: date, *dated: Read) -> bool:
    """Whether there is a day from ``first`` to ``last`` on which everything in ``dated`` holds; no date is open."""
    start, end = first.isoformat(), last.isoformat()
    for read in dated:
        begins, ends = read("startDate"), read("endDate")
        start = start if begins is None else max(start, str(begins))
        end = end if ends is None else min(end, str(ends))
    return start <= end


def local_day(text: str, zone: ZoneInfo) -> date:
    """The local day on which an instant lies."""
    return instant(text).astimezone(zone).date()
