"""Values to ask a filter with, and what an answer to them shows. Pure; no value leaves for anywhere but the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from ..standard.model import Enumeration, Parameter, Resource, Scalar, SortKey, Test

NOWHERE = "5d2c7e04-0000-4000-8000-7f3a91b6c0de"
"""An id that no record has."""
NOTHING = "zqxj-no-such-value"
"""A text that stands nowhere."""

_AFTER = (Test.ON_OR_AFTER, Test.ON_OR_AFTER_OR_OPEN, Test.AFTER)
_BEFORE = (Test.ON_OR_BEFORE, Test.ON_OR_BEFORE_OR_OPEN)
_PAST, _FUTURE = "1900-01-01", "2999-12-31"
ENTITY_TYPE, _ENROLMENT = "relationship.entity.type", "enrolment"

_PERSONAL = re.compile(r"(?<!\d)(\d\d)?\d{6}[-+]?[0-9A-Z]{2}\d\d(?!\d)")
"""What may be a personal identity number, or the number that stands in for one."""

Record = Mapping[str, object]


def leaves(record: Record, path: str) -> list[object]:
    """What stands at a path; lists are gone through, a reference gives its id, null gives nothing."""
    here: list[object] = [record]
    for name in path.split("."):
        level = [value.get(name) for value in here if isinstance(value, Mapping)]
        here = [each for value in level for each in (value if isinstance(value, list) else [value]) if each is not None]
    return [value["id"] if isinstance(value, Mapping) and "id" in value else value for value in here]


def protected(value: object) -> bool:
    """Whether a record is of a protected person, or refers to one."""
    if isinstance(value, Mapping):
        return value.get("securityMarking") not in (None, "Ingen") or any(map(protected, value.values()))
    return isinstance(value, list) and any(map(protected, value))


def impossible(parameter: Parameter, sample: Sequence[Record]) -> str | None:
    """A value that selects none of the records, or only those whose column is empty; None where there is none."""
    if parameter.test in _AFTER or parameter.test in _BEFORE:
        return _moment(parameter, _FUTURE if parameter.test in _AFTER else _PAST)
    if parameter.name == ENTITY_TYPE:  # only where the source shows who is enrolled
        return _ENROLMENT if any(leaves(record, "enrolments") for record in sample) else None
    if isinstance(parameter.type, Enumeration):
        seen = {str(value) for record in sample for column in parameter.columns for value in leaves(record, column)}
        return next((value for value in parameter.type.values if value not in seen), None)
    if parameter.test is Test.RELATION and parameter.type is not Scalar.ID:
        return None  # what has no date is always selected, and the record does not show all relations
    if parameter.type is Scalar.ID:
        return NOWHERE
    return NOTHING if parameter.type is Scalar.STRING else None


def selecting(parameter: Parameter, record: Record) -> str | None:
    """A value with which the record must be selected; None where it does not show one."""
    column = _column(parameter)
    found = [value for value in leaves(record, column) if isinstance(value, str)] if column else []
    if not found or parameter.name == ENTITY_TYPE:
        return None
    if parameter.type is Scalar.STRING and _PERSONAL.search(found[0]):
        return None  # it would stand in a URL
    if parameter.test is Test.AFTER:
        moment = _read(parameter, found[0])
        return (moment - timedelta(days=1)).isoformat() if moment is not None else None
    return found[0]


def offends(parameter: Parameter, value: str, record: Record) -> bool:
    """Whether the record shows that a list with this value was not filtered. False where it does not show it."""
    if parameter.name == ENTITY_TYPE:
        return not leaves(record, "enrolments")
    if value in (NOWHERE, NOTHING):
        return True
    if not parameter.columns or parameter.test in (Test.SUBTREE, Test.UNSHOWN, Test.RELATION, Test.IDENTIFIER):
        return False
    found = [each for column in parameter.columns for each in leaves(record, column)]
    if parameter.test is Test.CONTAINS_ALL:
        return not any(value.casefold() in str(each).casefold() for each in found)
    if parameter.test in (Test.EQUAL, Test.ANY):
        return value not in map(str, found)
    moment, limit = (_read(parameter, text) for text in (found[0] if found else None, value))
    if moment is None or limit is None:
        return False
    if parameter.test in _BEFORE:
        return moment > limit
    return moment <= limit if parameter.test is Test.AFTER else moment < limit


def naive(value: object) -> bool:
    """Whether something in a record as it was sent is a date-time without an offset."""
    if isinstance(value, Mapping):
        return any(map(naive, value.values()))
    if isinstance(value, list):
        return any(map(naive, value))
    if not isinstance(value, str) or len(value) < 16 or value[10] not in "Tt":
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except ValueError:
        return False


def nulls(value: object) -> bool:
    """Whether a record as it was sent has a property that is null."""
    return isinstance(value, Mapping) and None in value.values()


def bounds(resource: Resource) -> Iterator[tuple[str, str, str]]:
    """The columns with a date-time that a list can be bounded by on both sides, and the two parameters."""
    timed = [each for each in resource.parameters if each.type is Scalar.DATE_TIME and len(each.columns) == 1]
    for after in timed:
        for before in timed:
            if after.columns == before.columns and after.test in _AFTER and before.test in _BEFORE:
                yield after.columns[0], after.name, before.name


def around(text: object, zone: str) -> tuple[str, str] | None:
    """A minute before and after a date-time, taken to be of the zone; None where it has an offset, or is none."""
    if not naive(text):
        return None
    moment = datetime.fromisoformat(str(text)).replace(tzinfo=ZoneInfo(zone))
    return (moment - timedelta(minutes=1)).isoformat(), (moment + timedelta(minutes=1)).isoformat()


def disordered(key: SortKey, records: Sequence[Record]) -> bool:
    """Whether records are clearly not sorted by the key.

    Times are compared as they are, texts by a first letter of which every collation says the same.
    """
    found = [text for record in records for text in leaves(record, key.column)[:1] if isinstance(text, str)]
    ranks = [rank for text in found if (rank := _rank(text)) is not None]
    return any((b > a if key.descending else b < a) for a, b in pairwise(ranks))


def _rank(text: str) -> float | None:
    first = text[:1].casefold()
    if "a" <= first <= "z" and first != "w":  # v and w were one letter
        return float(ord(first))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo is not None else float(found.toordinal())


def _column(parameter: Parameter) -> str | None:
    if parameter.name == "relationship.organisation":
        return "enrolments.enroledAt"
    if parameter.test is Test.IDENTIFIER:
        return "externalIdentifiers." + parameter.name.rpartition(".")[2]
    if parameter.test in (Test.UNSHOWN, Test.RELATION):
        return None
    return parameter.columns[-1] if parameter.columns else None


def _moment(parameter: Parameter, day: str) -> str:
    return day if parameter.type is Scalar.DATE else f"{day}T00:00:00+00:00"


def _read(parameter: Parameter, value: object) -> date | datetime | None:
    try:
        if parameter.type is Scalar.DATE:
            return date.fromisoformat(str(value))
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
