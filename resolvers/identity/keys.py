"""What makes records of different sources the same thing: normalised keys, per kind (field guide, section 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..policy import OPEN_MARKING

Record = Mapping[str, object]
Key = tuple[str, ...]
"""Kind, then the normalised value. Never leaves the process: it may hold a civicNo."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of key. ``read`` gives a record's normalised values.

    ``single``: a thing has at most one value, so that two values are two things. ``weak``: the value can be shared by
    different things; it counts only where exactly two records have it, and never for a protected person.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Record], Iterable[tuple[str, ...]]]
    single: bool = False
    weak: bool = False


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """By which kinds of keys records of one resource are recognised, beside equal ids; see ``KINDS``."""

    keys: tuple[str, ...]


_CIVIC_NO = re.compile(r"([0-9]{2})?([0-9]{6})([-+]?)([0-9]{4}|[0-9A-Z]{4})")
_COORDINATION = 60
"""Added to the day of birth in a coordination number (samordningsnummer)."""


def civic_no(text: str, birth_date: object) -> str | None:
    """A civicNo as 12 characters; None where it is none, or where its century is not certain.

    Read are ``YYYYMMDDNNNN`` with and without a separator, coordination numbers, temporary numbers (``YYYYMMDD-TFnn``);
    a number without century counts only if the birth date agrees with it.
    """
    match = _CIVIC_NO.fullmatch(re.sub(r"\s", "", text).upper())
    if match is None:
        return None
    century, day, separator, last = match.groups()
    if century is not None:
        return None if separator == "+" else century + day + last
    born = str(birth_date).replace("-", "") if birth_date is not None else ""
    if len(born) != 8 or not born.isdigit():
        return None
    number = int(day[4:])
    plain = f"{day[:4]}{number - _COORDINATION:02d}" if number > _COORDINATION else day
    return born[:2] + day + last if born[2:] == plain else None


def _civic_no(record: Record) -> Iterator[tuple[str, ...]]:
    held = record.get("civicNo")
    value = held.get("value") if isinstance(held, Mapping) else None
    found = civic_no(value, record.get("birthDate")) if isinstance(value, str) else None
    if found is not None:
        yield (found,)


def _principal_names(record: Record) -> Iterator[tuple[str, ...]]:
    for name in _entries(record.get("eduPersonPrincipalNames")):
        if isinstance(name, str) and name.strip():
            yield (name.strip().lower(),)


def _external_identifiers(record: Record) -> Iterator[tuple[str, ...]]:
    for entry in _entries(record.get("externalIdentifiers")):
        if isinstance(entry, Mapping) and entry.get("globallyUnique") is True:
            context, value = entry.get("context"), entry.get("value")
            if isinstance(context, str) and isinstance(value, str) and context.strip() and value.strip():
                yield (context.strip(), value.strip())


def _emails(record: Record) -> Iterator[tuple[str, ...]]:
    for entry in _entries(record.get("emails")):
        value = entry.get("value") if isinstance(entry, Mapping) else None
        if isinstance(value, str) and "@" in value:
            yield (value.strip().lower(),)


def _name(record: Record) -> Iterator[tuple[str, ...]]:
    parts = [record.get(column) for column in ("givenName", "familyName", "birthDate")]
    if all(isinstance(part, str) and part for part in parts):
        yield tuple(str(part).casefold() for part in parts)


def _code(column: str) -> Callable[[Record], Iterator[tuple[str, ...]]]:
    def read(record: Record) -> Iterator[tuple[str, ...]]:
        value = record.get(column)
        if isinstance(value, str) and value.strip():
            yield (value.strip().upper(),)

    return read


def _duty(record: Record) -> Iterator[tuple[str, ...]]:
    person, place = (_id(record.get(column)) for column in ("person", "dutyAt"))
    if person is not None and place is not None:
        yield (person, place, str(record.get("dutyRole")))


def _id(reference: object) -> str | None:
    return str(reference["id"]) if isinstance(reference, Mapping) and reference.get("id") is not None else None


def _entries(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


KINDS: Mapping[str, Mapping[str, Kind]] = {
    resource: {kind.name: kind for kind in kinds}
    for resource, kinds in {
        "Person": (
            Kind("civicNo", ("civicNo", "birthDate"), _civic_no, single=True),
            Kind("eduPersonPrincipalName", ("eduPersonPrincipalNames",), _principal_names),
            Kind("externalIdentifier", ("externalIdentifiers",), _external_identifiers),
            Kind("email", ("emails",), _emails, weak=True),
            Kind("name", ("givenName", "familyName", "birthDate"), _name, weak=True),
        ),
        "Organisation": (
            Kind("schoolUnitCode", ("schoolUnitCode",), _code("schoolUnitCode"), single=True),
            Kind("organisationCode", ("organisationCode",), _code("organisationCode"), single=True),
        ),
        "Duty": (Kind("person", ("person", "dutyAt", "dutyRole", "startDate", "endDate"), _duty),),
    }.items()
}
"""Per resource, the kinds of keys that can be configured."""

SAME_TIME = {"Duty": ("startDate", "endDate")}
"""Resources whose keys count only between records whose dates overlap, one to one."""


def keys(resource: str, rule: IdentityRule, record: Record, *, weak: bool) -> tuple[Key, ...]:
    """The normalised keys of a record, strong or weak ones; of a protected person no weak ones."""
    if weak and record.get("securityMarking") not in (None, OPEN_MARKING):
        return ()
    kinds = (KINDS[resource][name] for name in rule.keys)
    return tuple(
        dict.fromkeys((kind.name, *value) for kind in kinds if kind.weak is weak for value in kind.read(record))
    )
