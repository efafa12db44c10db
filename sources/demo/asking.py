"""Reading a request as the standard words it, strictly: what is not in the standard, or malformed, is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ..standard.feeds import DELETED_ENTITIES_PARAMETERS
from ..standard.model import Enumeration, Parameter, Resource, Scalar


class BadRequest(Exception):
    """A request that the standard does not allow: status 400. The message never holds a value from the request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read: filters by parameter name, and how the answer is to look."""

    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    expand: tuple[str, ...] = ()
    names: bool = False
    sortkey: str | None = None
    limit: int | None = None
    token: str | None = None


Pairs = Sequence[tuple[str, str]]


def read_list(resource: Resource, pairs: Pairs) -> Asked:
    """The query of a list. A page token goes with ``limit`` only. Raises BadRequest."""
    given = _grouped(pairs)
    if "pageToken" in given:
        return _page(given)
    asked = Asked(
        _filters(resource.parameters, given),
        _expand(resource, given),
        _names(given),
        _sortkey(resource, given),
        _limit(given),
    )
    _nothing_left(given)
    missing = [name for name in resource.window if name not in asked.filters]
    if missing:
        raise BadRequest(f"the parameter {missing[0]} is required")
    return asked


def read_get(resource: Resource, pairs: Pairs) -> Asked:
    """The query of a get. Raises BadRequest."""
    given = _grouped(pairs)
    asked = Asked(expand=_expand(resource, given), names=resource.get_reference_names and _names(given))
    _nothing_left(given)
    return asked


def read_lookup(resource: Resource, pairs: Pairs, body: object) -> Asked:
    """The query and body of a lookup. Raises BadRequest."""
    given = _grouped(pairs)
    asked_names = _names(given)
    expand = _expand(resource, given) if resource.lookup_expands else ()
    _nothing_left(given)
    if not isinstance(body, dict):
        raise BadRequest("the body must be an object of arrays")
    keys: dict[str, Sequence[str]] = {}
    for name, values in body.items():
        key = resource.lookup_key.get(name)
        if key is None:
            raise BadRequest("the body holds an array that the standard does not have here")
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise BadRequest(f"{key.name} must be an array of strings")
        keys[key.name] = [_value(key.name, key.type, v) for v in values]
    return Asked(keys, expand, asked_names)


def read_deleted(pairs: Pairs) -> Asked:
    """The query of /deletedEntities. Raises BadRequest."""
    given = _grouped(pairs)
    if "pageToken" in given:
        return _page(given)
    asked = Asked(_filters(DELETED_ENTITIES_PARAMETERS, given), limit=_limit(given))
    _nothing_left(given)
    return asked


def _grouped(pairs: Pairs) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    return given


def _page(given: dict[str, list[str]]) -> Asked:
    token = _single(given, "pageToken")
    limit = _limit(given)
    if given:
        raise BadRequest("pageToken cannot be combined with other parameters than limit")
    return Asked(token=token, limit=limit)


def _nothing_left(given: Mapping[str, object]) -> None:
    if given:
        raise BadRequest("there is a parameter that the standard does not have here")


def _single(given: dict[str, list[str]], name: str) -> str | None:
    values = given.pop(name, None)
    if values is None:
        return None
    if len(values) > 1:
        raise BadRequest(f"the parameter {name} takes one value")
    return values[0]


def _filters(parameters: Sequence[Parameter], given: dict[str, list[str]]) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for parameter in parameters:
        values = given.pop(parameter.name, None)
        if values is None:
            continue
        if len(values) > 1 and not parameter.many:
            raise BadRequest(f"the parameter {parameter.name} takes one value")
        found[parameter.name] = [_value(parameter.name, parameter.type, v) for v in values]
    return found


def _expand(resource: Resource, given: dict[str, list[str]]) -> tuple[str, ...]:
    if not resource.expands:
        return ()
    names = given.pop("expand", [])
    if any(name not in resource.expand for name in names):
        raise BadRequest("expand has a value that the standard does not have here")
    return tuple(dict.fromkeys(names))


def _names(given: dict[str, list[str]]) -> bool:
    value = _single(given, "expandReferenceNames")
    if value not in (None, "true", "false"):
        raise BadRequest("expandReferenceNames must be true or false")
    return value == "true"


def _sortkey(resource: Resource, given: dict[str, list[str]]) -> str | None:
    if not resource.sort_keys:
        return None
    value = _single(given, "sortkey")
    if value is not None and value not in resource.sort_key:
        raise BadRequest("sortkey has a value that the standard does not have here")
    return value


def _limit(given: dict[str, list[str]]) -> int | None:
    value = _single(given, "limit")
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise BadRequest("limit must be a whole number from 1")
    return int(value)


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def is_id(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _value(name: str, kind: Scalar | Enumeration, text: str) -> str:
    if isinstance(kind, Enumeration):
        if text not in kind.values:
            raise BadRequest(f"{name} has a value that the standard does not have here")
        return text
    read = _READERS.get(kind)
    if read is None:
        return text
    try:
        return read(text)
    except ValueError:
        raise BadRequest(f"{name} must be a {kind.value}") from None


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError
    return text.lower()


def _date(text: str) -> str:
    if len(text) != 10:
        raise ValueError
    return date.fromisoformat(text).isoformat()


def _date_time(text: str) -> str:
    if not _RFC_3339.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text.upper()).isoformat()


_READERS: Mapping[Scalar, Callable[[str], str]] = {
    Scalar.ID: _id,
    Scalar.DATE: _date,
    Scalar.DATE_TIME: _date_time,
}
