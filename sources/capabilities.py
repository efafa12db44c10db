"""What a source really does, as plain facts: declared in the configuration, by a profile, or found out by a probe."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .standard import RESOURCES
from .standard.model import LOWER, UPPER, Parameter, Scalar

ALL = "*"
"""In ``Capabilities.filters``: every query parameter of the resource that is not named itself."""


class Filter(StrEnum):
    """What becomes of a query parameter at a source. Only the first two may be sent and relied on."""

    EXACT = "exact"
    """Gives what the standard says."""
    SUPERSET = "superset"
    """Gives at least that: never leaves out a record that it should give."""
    IGNORED = "ignored"
    """Has no effect: the source gives everything."""
    REFUSED = "refused"
    """Is answered with an error."""
    UNKNOWN = "unknown"
    """Nobody has found out: not sent."""

    @property
    def pushable(self) -> bool:
        """Whether what the parameter leaves out may be taken as not selected."""
        return self in (Filter.EXACT, Filter.SUPERSET)


class Paging(StrEnum):
    """How the pages of a list are asked for (field guide, 2.3)."""

    TOKEN = "token"
    """``pageToken`` with ``limit`` alone, as the standard has it."""
    TOKEN_WITH_FILTERS = "token_with_filters"
    """``pageToken`` with all the parameters of the first page: the source would forget them (offset tokens do)."""
    TOKEN_WITH_WINDOW = "token_with_window"
    """``pageToken`` with ``limit`` and the parameters that the list requires."""
    OFFSET = "offset"
    """No token: ``limit`` and ``offset``; the list ends with an empty page."""
    NONE = "none"
    """No paging at all: neither ``limit`` nor ``pageToken`` is sent, one answer holds the whole list."""


class Arrays(StrEnum):
    """How several values of one query parameter are written."""

    REPEATED = "repeated"
    """``type=A&type=B``, OpenAPI's default."""
    COMMA = "comma"
    """``type=A,B``."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What may be relied on for one source. Keys and values are the standard's names.

    ``resources`` are the resource names it serves. ``holds`` names, per resource, the properties the source knows; a
    resource that is left out is undeclared: then null speaks and absent does not. ``chunk`` is the most ids per lookup,
    ``page_size`` the ``limit`` of a list call (None: leave it to the source).
    """

    resources: frozenset[str]
    holds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    null_is_absent: bool = False
    """Whether an explicit null says nothing, as if the property were left out."""
    list_only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per resource, properties that only the list view carries."""
    list_lacks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per resource, properties that the list view does not carry, but a record asked for by id does."""
    own_ids: frozenset[str] = frozenset()
    """Resources for which the source has ids of its own, instead of the ones that all systems share."""

    filters_ignored: frozenset[str] = frozenset()
    """Resources whose list filters have no effect, all of them (a shorthand of ``filters``)."""
    filters: Mapping[str, Mapping[str, Filter]] = field(default_factory=dict)
    """Per resource and query parameter (or ``*``), where it is something else than ``exact``."""
    filters_with: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Per resource, query parameters that are honoured only together with another one, which is named."""
    organisation_level: Mapping[str, str] = field(default_factory=dict)
    """Per resource, the organisationType that the source attaches its records to (``Skola``), where it is always one
    above the school unit (``Skolenhet``)."""
    window_days: int | None = None
    """The longest period that a list with a required window takes, in days; None: no cap. Longer ones are split."""

    naive: str | None = None
    """The IANA zone of the date-times that the source sends without an offset; None: it sends none such. It may take
    no notice of a bound's offset either, so that bounds are sent as times of that zone, and a little wider."""

    no_lookup: frozenset[str] = frozenset()
    """Resources without a lookup endpoint."""
    lookup: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per resource, the body arrays that its lookup takes; where left out, all of the standard's."""
    expand: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per resource, the expands that it knows; where left out, all of the standard's."""
    chunk: int = 500

    sort_keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per resource, the sort keys that the source sorts by exactly as this gateway does (Swedish collation, nulls last,
    whole records); where left out, none: the order is made here."""

    paging: Paging = Paging.TOKEN
    arrays: Arrays = Arrays.REPEATED
    page_size: int | None = 500

    def filter(self, resource: str, parameter: str) -> Filter:
        """What becomes of a query parameter of the resource's list, without any other."""
        if parameter in self.filters_with.get(resource, {}):
            return Filter.REFUSED
        declared = self.filters.get(resource, {})
        found = declared.get(parameter, declared.get(ALL))
        if found is not None:
            return found
        return Filter.IGNORED if resource in self.filters_ignored else Filter.EXACT

    def widens(self, parameter: Parameter) -> bool:
        """Whether the source is asked for more than is wanted, because it may read the bound otherwise."""
        return self.naive is not None and parameter.type is Scalar.DATE_TIME and parameter.test in UPPER | LOWER

    def honoured(self, resource: str, parameters: Collection[str]) -> frozenset[str]:
        """Those of some query parameters that may be sent in one call and relied on."""
        company = self.filters_with.get(resource, {})
        alone = {each for each in parameters if self.filter(resource, each).pushable}
        return frozenset(alone | {each for each in parameters if company.get(each) in alone})

    def lookup_keys(self, resource: str) -> frozenset[str]:
        """The body arrays that the resource's lookup takes; empty where there is no lookup."""
        if resource not in self.resources or resource in self.no_lookup:
            return frozenset()
        known = frozenset(RESOURCES[resource].lookup_key)
        return known & self.lookup.get(resource, known)

    def expands(self, resource: str) -> frozenset[str]:
        """The expands that the resource knows."""
        if resource not in self.resources:
            return frozenset()
        known = frozenset(RESOURCES[resource].expand)
        return known & self.expand.get(resource, known)
