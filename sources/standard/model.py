"""The words in which SS 12000 is written down here: properties, structures, parameters, resources.

Everything else in the gateway (URLs, GraphQL types, filters, predicates, decoders, documentation) is derived from
declarations made of these. They are plain frozen data: no behaviour but small derived views.

Source: SS 12000:2020 version 2.1.0, the official OpenAPI description.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import MappingProxyType


class Scalar(Enum):
    """A leaf value as it travels in JSON."""

    ID = "uuid"
    STRING = "string"
    EMAIL = "email"
    URI = "uri"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    DATE_TIME = "date-time"
    TIME = "time"
    """A wall-clock time ``HH:MM`` without date or zone."""


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A closed list in the standard, an open one in practice.

    ``values`` are the standard's spellings in the standard's order; ``also`` maps a spelling that is seen in the wild
    (2.0.0 names, misprints of the official file) to the value that is meant.
    """

    name: str
    doc: str
    values: tuple[str, ...]
    also: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference object ``{id, displayName}`` to a record of ``target`` (a resource's name, e.g. ``Person``).

    References to persons also carry ``securityMarking``.
    """

    target: str


@dataclass(frozen=True, slots=True)
class Structure:
    """An object without an id of its own, inside a record: an enrolment, an address, a membership.

    ``entry_key`` names the paths that make two entries of a list the same entry when lists from several sources are
    united (empty: the whole entry).
    """

    name: str
    doc: str
    properties: tuple[Property, ...]
    entry_key: tuple[str, ...] = ()


PropertyType = Scalar | Enumeration | Reference | Structure


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a record or structure. ``also`` are other spellings to be read (2.0.0, misprints)."""

    name: str
    type: PropertyType
    doc: str
    many: bool = False
    required: bool = False
    also: tuple[str, ...] = ()


class Test(Enum):
    """How a query parameter selects a record, given the value of its ``column`` (the standard's own definition)."""

    __test__ = False  # not a pytest class

    EQUAL = "equal"
    """The column is one of the values given (several values: any of them)."""
    ANY = "any"
    """The column is a list and holds at least one of the values given."""
    CONTAINS_ALL = "contains all"
    """Every term is a case-insensitive part of at least one of the columns (``nameContains``)."""
    SUBTREE = "subtree"
    """The column refers to the organisation given or to one below it."""
    ON_OR_BEFORE = "on or before"
    """The column is at most the value; no value in the column: not selected."""
    ON_OR_AFTER = "on or after"
    """The column is at least the value; no value in the column: not selected."""
    AFTER = "after"
    """The column is strictly later than the value; no value in the column: not selected."""
    ON_OR_BEFORE_OR_OPEN = "on or before, or open"
    """As ON_OR_BEFORE, and a record without the column is always selected."""
    ON_OR_AFTER_OR_OPEN = "on or after, or open"
    """As ON_OR_AFTER, and a record without the column is always selected."""
    RELATION = "relation"
    """Part of a group of parameters that must hold for one and the same relation (``relationship.*``)."""
    IDENTIFIER = "identifier"
    """Part of a group that must hold for one and the same external identifier (``identifier.*``)."""
    UNSHOWN = "unshown"
    """The record itself does not show it (``activities.member``, ``calendarEvents.organisation``)."""

    # The gateway's own filters (resolvers.filters): no parameter of the standard has these.
    ENROLMENT = "enrolment"
    """Part of a group that must hold for one and the same enrolment (``enrolment.*``)."""
    MEMBER_OF = "member of"
    """Part of a group that must hold for one and the same membership (``memberOf.*``)."""
    ACTIVE_ON = "active on"
    """The record holds, or happens, on the day."""
    PRESENT_IN = "present in"
    """All of the sources have the record."""
    ABSENT_FROM = "absent from"
    """None of the sources has the record."""


UPPER = frozenset({Test.ON_OR_BEFORE, Test.ON_OR_BEFORE_OR_OPEN})
LOWER = frozenset({Test.ON_OR_AFTER, Test.ON_OR_AFTER_OR_OPEN, Test.AFTER})
"""The tests for which the value is a bound."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter of a list endpoint.

    ``name`` is the wire name; dots become nested GraphQL input objects. ``columns`` are the paths in the record that
    decide (``startDate``, ``enrolments.enroledAt``); empty where the record does not show it.
    """

    name: str
    type: Scalar | Enumeration
    test: Test
    columns: tuple[str, ...]
    doc: str
    many: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class SortKey:
    """A value of ``sortkey``: its exact spelling, the column it sorts by, and the direction."""

    name: str
    column: str
    descending: bool


class View(Enum):
    """How much of a record an answer holds."""

    FULL = "full"
    FRAGMENT = "fragment"
    """A named part of the properties (GroupFragment: without ``groupMemberships``)."""
    REFERENCE = "reference"
    """Only a reference."""


@dataclass(frozen=True, slots=True)
class Expand:
    """A value of ``expand``: what ``_embedded.<name>`` then holds.

    ``path`` leads from an element of ``_embedded.<name>`` to the embedded record (``""``: the element is the record).
    ``relation`` is the relation of ``resolvers.relations`` whose candidates it gives, as ``Resource.field``.
    """

    name: str
    resource: str
    doc: str
    view: View = View.FULL
    path: str = ""
    many: bool = True


@dataclass(frozen=True, slots=True)
class LookupKey:
    """An array that a lookup's body may hold: its exact spelling and the column its values are compared with.

    ``column`` is empty where the record does not show what is compared (``activities.members``) or the standard does
    not say it (``placements.personIds``); ``doc`` tells which.
    """

    name: str
    column: str
    type: Scalar
    also: tuple[str, ...] = ()
    doc: str = ""


@dataclass(frozen=True)
class Resource:
    """One of the standard's readable resources.

    ``name`` is the entity's name (``StudyPlan``, as in EndPointsEnum), ``plural`` the collection's GraphQL name
    (``studyPlans``), ``path`` the list's URL path (``/studyplans``), ``key`` the columns that identify a record
    (``("id",)`` where it has one), ``deleted`` its key in /deletedEntities (with other spellings in ``deleted_also``).
    """

    name: str
    plural: str
    path: str
    swedish: str
    doc: str
    properties: tuple[Property, ...]
    parameters: tuple[Parameter, ...] = ()
    expands: tuple[Expand, ...] = ()
    sort_keys: tuple[SortKey, ...] = ()
    lookup: tuple[LookupKey, ...] = ()
    lookup_expands: bool = True
    get: bool = True
    get_reference_names: bool = True
    key: tuple[str, ...] = ("id",)
    deleted: str | None = None
    deleted_also: tuple[str, ...] = ()
    display_name: tuple[str, ...] = ("displayName",)
    """Columns that together make the ``displayName`` of a record, in order, joined by a space."""

    @cached_property
    def columns(self) -> Mapping[str, Property]:
        return MappingProxyType({p.name: p for p in self.properties})

    @cached_property
    def parameter(self) -> Mapping[str, Parameter]:
        return MappingProxyType({p.name: p for p in self.parameters})

    @cached_property
    def sort_key(self) -> Mapping[str, SortKey]:
        return MappingProxyType({s.name: s for s in self.sort_keys})

    @cached_property
    def expand(self) -> Mapping[str, Expand]:
        return MappingProxyType({e.name: e for e in self.expands})

    @cached_property
    def lookup_key(self) -> Mapping[str, LookupKey]:
        return MappingProxyType({k.name: k for k in self.lookup})

    @property
    def has_id(self) -> bool:
        return self.key == ("id",)

    @property
    def window(self) -> tuple[str, ...]:
        """The parameters that a list call must have."""
        return tuple(p.name for p in self.parameters if p.required)
