"""What a server with habits makes of a request, before it is read as the standard words it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..capabilities import Arrays, Filter
from ..standard.model import Parameter, Resource, Scalar, Test
from ..standard.values import refers_to
from .asking import Asked, BadRequest, Pairs, is_id
from .habits import Habits, Unknown
from .store import seconds

CONTROL = frozenset({"expand", "expandReferenceNames", "sortkey", "limit", "offset", "pageToken"})
DAY = 86_400

_LOOKED_UP: Mapping[str, str] = {
    "personIds": "Person",
    "members": "Person",
    "students": "Person",
    "student": "Person",
    "person": "Person",
    "teachers": "Duty",
    "teacher": "Duty",
    "activities": "Activity",
    "calendareEvents": "CalendarEvent",
    "calendarEvents": "CalendarEvent",
    "group": "Group",
    "placement": "Placement",
}
"""What the ids in a lookup's array belong to, ``ids`` apart."""


def heard(parameters: Sequence[Parameter], pairs: Pairs, habits: Habits, resource: Resource | None = None) -> Pairs:
    """The parameters of a list or get in the standard's terms and the store's ids. Raises BadRequest."""
    known = {p.name: p for p in parameters}
    arrays = {p.name for p in parameters if p.many} | {"expand"}
    if habits.unknown_parameters is Unknown.IGNORED:
        pairs = [(name, value) for name, value in pairs if name in known or name in CONTROL]
    if habits.arrays is Arrays.COMMA:
        pairs = _split(pairs, arrays)
    said: list[tuple[str, str]] = []
    for name, value in pairs:
        if resource is not None:
            refused = name in known and habits.filter(resource.name, name) is Filter.REFUSED
            if refused and name not in resource.window:
                raise BadRequest(f"the parameter {name} is not supported")
            if name == "expand" and value not in habits.expand.get(resource.name, resource.expand):
                if habits.unknown_expands is Unknown.IGNORED:
                    continue
                raise BadRequest("expand has a value that is not supported")
            if name == "sortkey" and value not in habits.sort_keys.get(resource.name, resource.sort_key):
                if habits.unknown_sort_keys is Unknown.IGNORED:
                    continue
                raise BadRequest("the sortkey is not supported")
        if habits.offsets_ignored and habits.zone is not None and name in known:
            value = _of_the_place(known[name], value, habits.zone)
        target = _target(known[name]) if name in known else None
        said.append((name, value if target is None else shared(target, value, habits)))
    return said


def _of_the_place(parameter: Parameter, value: str, zone: str) -> str:
    """A date-time without its offset is one of the server's zone; what is none stays, to be refused."""
    if parameter.type is not Scalar.DATE_TIME:
        return value
    try:
        return datetime.fromisoformat(value).replace(tzinfo=ZoneInfo(zone)).isoformat()
    except ValueError:
        return value


def _split(pairs: Pairs, arrays: set[str]) -> Pairs:
    """Of every array only the first parameter, split at its commas."""
    said: dict[str, Sequence[str]] = {}
    others = [(name, value) for name, value in pairs if name not in arrays]
    for name, value in pairs:
        if name in arrays:
            said.setdefault(name, value.split(","))
    return [*others, *((name, value) for name, values in said.items() for value in values)]


def _target(parameter: Parameter) -> str | None:
    if parameter.name == "parentProgramme":  # an id all the same, though typed as text
        return "Programme"
    return refers_to(parameter) if parameter.type is Scalar.ID else None


def shared(resource: str, id: str, habits: Habits) -> str:
    """The store's id for one that a client gives; what is no id stays, to be refused."""
    plain = id.strip("{}") if habits.braces else id
    return habits.own_id(resource, plain) if is_id(plain) else id


def heard_body(resource: Resource, body: object, habits: Habits) -> object:
    """A lookup's body in the store's ids. Raises BadRequest for an array that the server does not know."""
    if not isinstance(body, dict):
        return body
    known = habits.lookup.get(resource.name, resource.lookup_key)
    said: dict[str, object] = {}
    for name, values in body.items():
        if name in resource.lookup_key and name not in known:
            raise BadRequest(f"the array {name} is not supported")
        target = resource.name if name == "ids" else _LOOKED_UP.get(name)
        if target is not None and isinstance(values, list):
            values = [shared(target, v, habits) if isinstance(v, str) else v for v in values]
        said[name] = values
    return said


def honoured(resource: Resource, asked: Asked, habits: Habits) -> Asked:
    """Without the filters that have no effect. Raises BadRequest for a window that is too long."""
    if habits.window_days is not None and resource.window:
        _check_window(resource, asked, habits.window_days)
    filters = {n: v for n, v in asked.filters.items() if habits.filter(resource.name, n) is not Filter.IGNORED}
    return replace(asked, filters=filters)


def _check_window(resource: Resource, asked: Asked, days: int) -> None:
    ends: list[float] = []
    for name in resource.window:
        declared, value = resource.parameter[name], asked.filters[name][0]
        if declared.type is Scalar.DATE_TIME:
            ends.append(seconds(value) / DAY)
        else:  # the last day counts
            ends.append(date.fromisoformat(value).toordinal() + (declared.test is Test.ON_OR_BEFORE))
    if max(ends) - min(ends) > days:
        raise BadRequest(f"the window is longer than {days} days")
