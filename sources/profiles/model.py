"""What a profile is made of, and the values that several share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..capabilities import ALL, Capabilities, Filter
from ..standard import RESOURCES
from ..standard.common import META_PARAMETERS

META = tuple(parameter.name for parameter in META_PARAMETERS)
"""``meta.created.before`` and so on."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of source. ``doc`` says which, and what of it cannot be declared.

    ``capabilities.resources`` are those that such a source serves where the configuration does not name them; none: it
    must. ``timezone`` is the IANA zone of its date-times without an offset, if it sends such.
    """

    name: str
    doc: str
    capabilities: Capabilities
    timezone: str | None = None


def only(resources: Iterable[str], rest: Filter, *exact: str) -> dict[str, Mapping[str, Filter]]:
    """Filters of resources: ``exact`` are honoured, all others are ``rest``."""
    return {resource: {ALL: rest, **dict.fromkeys(exact, Filter.EXACT)} for resource in resources}


def none(resources: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each resource, nothing."""
    return {resource: frozenset() for resource in resources}


def by_ids(resources: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each resource, the lookup by its own ids alone (single gets stand in where the source refuses it)."""
    return {resource: frozenset({"ids"} & RESOURCES[resource].lookup_key.keys()) for resource in resources}
