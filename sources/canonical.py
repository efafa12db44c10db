"""From a source's spelling to the canonical one: a record in, the same facts out, read by the standard's declarations.

Canonical means: the standard's property names, lower-case ids without braces, RFC 3339 date-times with an offset, plain
dates, integers that are integers. What cannot be read is left out and noted as an issue that names the property and
what was expected, never the value. An explicit null stays: a source may say with it that there is nothing.

One function per resource and zone is put together from the declarations at first use; it is the hot path of every read.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

import orjson

from .standard import RESOURCES
from .standard.common import SECURITY_MARKING
from .standard.model import Enumeration, Expand, Property, PropertyType, Reference, Resource, Scalar, Structure, View

NAMESPACE = uuid.UUID("6f1d3c1e-5a0b-5c57-9a55-5512000a0210")
"""The namespace of ids made for records of resources that have none (RFC 9562, UUID version 5). Never change it."""

MAX_ID = 255
"""The most characters of a usable id."""

Object = dict[str, object]
Convert = Callable[[object, list[str]], object]
"""A value that is not null, and where to note issues → the canonical value, or None: left out."""
Finish = Callable[[Object, Object, list[str]], None]
"""The object as sent, the canonical one to complete, and where to note issues."""
Reader = Callable[[object], "tuple[Object, tuple[str, ...]] | None"]
"""A record as sent → the canonical record, always with ``id``, and its issues; None: no object, or no identity."""

_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:[.,]([0-9]{1,9})[0-9]*)?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_MAX_INTEGER = 2**53
_MINUTES_PER_DAY = 24 * 60


def read_id(value: object) -> str | None:
    """A usable id of any kind: trimmed, lower case, without braces, 1 to 255 printable characters."""
    if type(value) is not str:
        return None
    text = value.strip("{} \t\r\n").lower()
    return text if 0 < len(text) <= MAX_ID and text.isprintable() else None


def read_integer(value: object) -> int | None:
    """An integer, also when sent as ``15.0`` or ``"15"``; below 2^53, as JSON can carry it."""
    if (type(value) is float and value.is_integer()) or (type(value) is str and _INTEGER.fullmatch(value.strip(" "))):
        value = int(value)
    return value if type(value) is int and -_MAX_INTEGER < value < _MAX_INTEGER else None


def read_boolean(value: object) -> bool | None:
    """True or false, also when sent as text; no other value counts as either."""
    if type(value) is bool:
        return value
    if type(value) is str:
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def read_date_time(value: object, zone: ZoneInfo) -> str | None:
    """An RFC 3339 date-time with an offset. One without a zone is a wall-clock time in ``zone``."""
    if type(value) is not str:
        return None
    size = len(value)
    usual = (size == 20 and value[19] == "Z") or (size == 25 and value[19] in "+-" and value[22] == ":")
    if usual and value[4] == value[7] == "-" and value[10] == "T" and value[13] == value[16] == ":":
        try:  # without the price of the pattern
            datetime.fromisoformat(value)
        except ValueError:
            return None
        return value
    match = _DATE_TIME.fullmatch(value.strip())
    if match is None:
        return None
    day, minute, second, fraction, offset = match.groups()
    text = f"{day}T{minute or '00:00'}{second or ':00'}"
    if offset is None:
        shown = ""
    elif offset in "Zz":
        shown = "Z"
    else:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        shown = f"{offset[0]}{digits[:2]}:{digits[2:]}"
    try:
        moment = datetime.fromisoformat(text + shown)
    except ValueError:
        return None
    if not shown:
        shown = _offset(moment.replace(tzinfo=zone).utcoffset() or timedelta())
    return f"{text}.{fraction}{shown}" if fraction else text + shown


def read_date(value: object, zone: ZoneInfo) -> str | None:
    """A local date ``YYYY-MM-DD``. Of a date-time, the day it names; with an offset, not at midnight, in ``zone``."""
    if type(value) is not str:
        return None
    if len(value) == 10:
        if value[4] != "-" or value[7] != "-":
            return None
        try:
            date.fromisoformat(value)
        except ValueError:
            return None
        return value
    text = read_date_time(value, zone)
    if text is None:
        return None
    sent = _DATE_TIME.fullmatch(value.strip())
    if text[11:19] == "00:00:00" or sent is None or sent[5] is None:
        return text[:10]
    try:
        return datetime.fromisoformat(text).astimezone(zone).date().isoformat()
    except OverflowError:
        return None


def read_time(value: object) -> str | None:
    """A wall-clock time ``HH:MM``. Also read are ``8:30``, ``08:30:00`` and the integers 830 and 1530."""
    if type(value) is str:
        match = _TIME.fullmatch(value.strip())
        if match is not None:
            return _clock(int(match[1]) * 60 + int(match[2])) if int(match[2]) < 60 else None
    number = read_integer(value)
    if number is None or 0 < number < 100:  # 15 may be an hour as well as a minute: nobody knows
        return None
    hours, minutes = divmod(number, 100)
    return _clock(hours * 60 + minutes) if hours >= 0 and minutes < 60 else None


def _clock(minutes: int) -> str | None:
    return f"{minutes // 60:02d}:{minutes % 60:02d}" if 0 <= minutes <= _MINUTES_PER_DAY else None


def _offset(offset: timedelta) -> str:
    """``+01:00``. Whole minutes, as in RFC 3339; local mean time of the years before zones has seconds."""
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


# Putting converters together


def _leaf(read: Callable[[object], object], path: str, expected: str) -> Convert:
    issue = f"{path}: expected {expected}"

    def convert(value: object, issues: list[str]) -> object:
        result = read(value)
        if result is None:
            issues.append(issue)
        return result

    return convert


def _date(path: str, zone: ZoneInfo) -> Convert:
    issue = f"{path}: expected a date"

    def convert(value: object, issues: list[str]) -> object:
        result = read_date(value, zone)
        if result is None:
            issues.append(issue)
        return result

    return convert


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _scalar(scalar: Scalar, path: str, zone: ZoneInfo) -> Convert:
    match scalar:
        case Scalar.ID:
            return _leaf(read_id, path, "an id")
        case Scalar.INTEGER:
            return _leaf(read_integer, path, "an integer")
        case Scalar.BOOLEAN:
            return _leaf(read_boolean, path, "a boolean")
        case Scalar.DATE:
            return _date(path, zone)
        case Scalar.DATE_TIME:
            return _leaf(partial(read_date_time, zone=zone), path, "a date-time")
        case Scalar.TIME:
            return _leaf(read_time, path, "a time")
        case Scalar.STRING | Scalar.EMAIL | Scalar.URI:
            return _leaf(_text, path, "a string")


def _enumeration(enumeration: Enumeration, path: str) -> Convert:
    also = dict(enumeration.also)
    issue = f"{path}: expected a string"
    # A marking that cannot be read must not make a protected person look unprotected: it counts as an unknown value.
    unreadable = "" if enumeration.name == "SecurityMarking" else None

    def convert(value: object, issues: list[str]) -> object:
        if type(value) is str:
            return also.get(value, value)
        issues.append(issue)
        return unreadable

    return convert


def _alone(value: object) -> object:
    """The one object of a list, where one object is expected (Activity.parentActivity: "one or more", by its text)."""
    return value[0] if type(value) is list and len(value) == 1 else None


def _list(convert: Convert, path: str) -> Convert:
    not_a_list, null = f"{path}: expected a list", f"{path}: expected no null in the list"

    def converted(value: object, issues: list[str]) -> object:
        if type(value) is not list:
            issues.append(not_a_list)
            return None
        result = []
        for item in value:
            if item is None:
                issues.append(null)
            elif (canonical := convert(item, issues)) is not None:
                result.append(canonical)
        return result

    return converted


_MARKING = _enumeration(SECURITY_MARKING, "securityMarking")


def _reference(path: str, *, many: bool = False) -> Convert:
    not_an_object, without_id = f"{path}: expected a reference", f"{path}.id: expected an id"

    def convert(value: object, issues: list[str]) -> object:
        if type(value) is not dict:
            value = None if many else _alone(value)
            if type(value) is not dict:
                issues.append(not_an_object)
                return None
        identity = read_id(value.get("id"))
        if identity is None:
            issues.append(without_id)
            return None
        result: Object = {"id": identity}
        name = value.get("displayName")
        if type(name) is str:
            result["displayName"] = name
        marking = value.get("securityMarking")
        if marking is not None:
            result["securityMarking"] = _MARKING(marking, issues)
        return result

    return convert


def _type(kind: PropertyType, path: str, zone: ZoneInfo, *, many: bool) -> Convert:
    if isinstance(kind, Scalar):
        return _scalar(kind, path, zone)
    if isinstance(kind, Enumeration):
        return _enumeration(kind, path)
    if isinstance(kind, Reference):
        return _reference(path, many=many)
    return _object(kind.properties, f"{path}.", path, zone, _finish(kind, path), many=many)


def converter(declared: Property, prefix: str, zone: ZoneInfo) -> Convert:
    path = prefix + declared.name
    convert = _type(declared.type, path, zone, many=declared.many)
    return _list(convert, path) if declared.many else convert


def _as_it_is(declared: Property) -> type | None:
    """The JSON type of which every value is canonical as it is, so that no converter need be called; None: no type."""
    if declared.many:
        return None
    if isinstance(declared.type, Enumeration):
        return None if declared.type.also else str
    if declared.type is Scalar.BOOLEAN:
        return bool
    return str if declared.type in (Scalar.STRING, Scalar.EMAIL, Scalar.URI) else None


def _object(
    properties: Iterable[Property],
    prefix: str,
    path: str,
    zone: ZoneInfo,
    finish: Finish | None = None,
    *,
    many: bool = True,
) -> Convert:
    declared = tuple(properties)
    converters = {p.name: converter(p, prefix, zone) for p in declared}
    as_it_is = {p.name: kind for p in declared if (kind := _as_it_is(p)) is not None}
    spellings = tuple((alias, p.name) for p in declared for alias in p.also)
    issue = f"{path}: expected an object"

    def convert(value: object, issues: list[str]) -> object:
        if type(value) is not dict:
            value = None if many else _alone(value)
            if type(value) is not dict:
                issues.append(issue)
                return None
        if spellings:
            for alias, name in spellings:
                if alias in value and name not in value:
                    value = {**value, name: value[alias]}
        result: Object = {}
        for key, item in value.items():
            if key not in converters:
                continue
            if item is None or type(item) is as_it_is.get(key):
                result[key] = item
            elif (canonical := converters[key](item, issues)) is not None:
                result[key] = canonical
        if finish is not None:
            finish(value, result, issues)
        return result

    return convert


def _finish(structure: Structure, path: str) -> Finish | None:
    """What two structures need beyond their properties."""
    types = {p.name: p.type for p in structure.properties}
    if types.get("startTime") is types.get("endTime") is Scalar.TIME:
        return _end_of_length(path)
    if types.get("duty") == Reference("Duty") and "person" not in types:
        return _teacher_as_person(path)
    return None


def _end_of_length(path: str) -> Finish:
    """2.0.0 had ``length``, minutes after startTime, instead of endTime. An end that is no later is the next day's."""

    def finish(sent: Object, result: Object, issues: list[str]) -> None:
        if result.get("endTime") is not None or sent.get("length") is None:
            return
        start, length = result.get("startTime"), read_integer(sent["length"])
        end = None
        if isinstance(start, str) and length is not None and 0 < length <= _MINUTES_PER_DAY:
            minutes = int(start[:2]) * 60 + int(start[3:]) + length
            end = _clock(minutes if minutes <= _MINUTES_PER_DAY else minutes - _MINUTES_PER_DAY)
        if end is None:
            issues.append(f"{path}.length: expected minutes, a day at most")
        else:
            result["endTime"] = end

    return finish


def _teacher_as_person(path: str) -> Finish:
    """Some sources name the teacher as a person, without a duty; the entry is kept, with ``person`` beside the rest."""
    read = _reference(f"{path}.person")

    def finish(sent: Object, result: Object, issues: list[str]) -> None:
        if result.get("duty") is None and sent.get("person") is not None:
            person = read(sent["person"], issues)
            if person is not None:
                result["person"] = person

    return finish


# Records


def _plain(value: object) -> object:
    """A key column's value; of a reference, its id."""
    return value.get("id") if isinstance(value, dict) else value


def synthetic_id(resource: Resource, record: Mapping[str, object]) -> str | None:
    """The UUIDv5 of a record's key columns, for a resource without ids; None if a part that must be there is not.

    Must be there: references, and what the standard requires. An open end date may be absent, and counts as null.
    """
    parts = [_plain(record.get(column)) for column in resource.key]
    for column, part in zip(resource.key, parts, strict=True):
        declared = resource.columns[column]
        if part is None and (declared.required or isinstance(declared.type, Reference)):
            return None
    return str(uuid.uuid5(NAMESPACE, orjson.dumps([resource.name, parts]).decode()))


@lru_cache(maxsize=512)
def reader(name: str, timezone: str) -> Reader:
    """The function that reads one record of a resource from a source in ``timezone`` (an IANA name)."""
    resource, zone = RESOURCES[name], ZoneInfo(timezone)
    convert = _object(resource.properties, "", name, zone)

    def read(value: object) -> tuple[Object, tuple[str, ...]] | None:
        issues: list[str] = []
        record = convert(value, issues)
        if type(record) is not dict:
            return None
        if record.get("id") is None:
            identity = None if resource.has_id else synthetic_id(resource, record)
            if identity is None:
                return None
            record["id"] = identity
        return record, tuple(dict.fromkeys(issues)) if issues else ()

    return read


# What stands in _embedded

EmbeddedReader = Callable[[object], "tuple[Object, Object, tuple[str, ...]] | None"]
"""An element of ``_embedded.<name>`` → the record in it, the canonical element, issues; None: no usable record."""


@lru_cache(maxsize=512)
def embedded_reader(resource: str, expand: str, timezone: str) -> EmbeddedReader:
    """The function that reads one element of an expand, from a source in ``timezone``."""
    declared = RESOURCES[resource].expand[expand]
    target = _target(declared, timezone)
    path = declared.path
    if not path:

        def read_record(value: object) -> tuple[Object, Object, tuple[str, ...]] | None:
            found = target(value)
            return None if found is None else (found[0], found[0], found[1])

        return read_record

    others = _object((p for p in _well_known() if p.name != path), f"_embedded.{expand}.", expand, ZoneInfo(timezone))

    def read_element(value: object) -> tuple[Object, Object, tuple[str, ...]] | None:
        if type(value) is not dict:
            return None
        inner = value.get(path, value)  # some sources embed the record where the standard has an object around it
        found = target(inner)
        if found is None:
            return None
        record, issues = found
        noted = list(issues)
        element = others({} if inner is value else value, noted)
        return record, {**(element if type(element) is dict else {}), path: record}, tuple(dict.fromkeys(noted))

    return read_element


def _target(expand: Expand, timezone: str) -> Reader:
    if expand.view is not View.REFERENCE:
        return reader(expand.resource, timezone)
    convert = _reference(expand.path or expand.name)

    def read(value: object) -> tuple[Object, tuple[str, ...]] | None:
        issues: list[str] = []
        reference = convert(value, issues)
        return (reference, tuple(issues)) if type(reference) is dict else None

    return read


@lru_cache(maxsize=1)
def _well_known() -> Sequence[Property]:
    """Properties that mean the same wherever the standard has them; they read the objects around embedded records."""
    found: dict[str, Property | None] = {}

    def collect(properties: Iterable[Property]) -> None:
        for declared in properties:
            known = found.setdefault(declared.name, declared)
            if known is not None and (known.type, known.many) != (declared.type, declared.many):
                found[declared.name] = None
            if isinstance(declared.type, Structure):
                collect(declared.type.properties)

    for resource in RESOURCES.values():
        collect(resource.properties)
    return tuple(p for p in found.values() if p is not None)
