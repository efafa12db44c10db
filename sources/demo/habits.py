"""What a demonstration server does otherwise than the standard says: one field per habit, to be combined at will.

Every habit is one that real servers have, or that the standard's own text leads to; the numbers name the sections of
SS 12000 practice they come from: 2.3 paging, limits and refusals, 2.4 deviations of known systems, 2.5 names of version
2.0.0, 3 identities, 6.5 lookups, 6.6 errors in the official file. ``declared`` tells a gateway about them, as far as a
configuration can.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from hashlib import blake2b
from typing import TypeVar

from ..capabilities import ALL, Arrays, Filter, Paging
from ..endpoints import DELETED
from ..standard import RESOURCES

T = TypeVar("T")

Names = frozenset[str]
PerResource = Mapping[str, Names]
"""By resource name."""


class Pages(StrEnum):
    """How the pages of a list are asked for (2.3)."""

    SEALED = "sealed"
    """The standard: the token carries the query, and stands with ``limit`` alone; anything beside it is refused."""
    TOLERANT = "tolerant"
    """The token carries the query; whatever stands beside it is passed over."""
    BOUND = "bound"
    """The token carries the query; what stands beside it must be the same as in the first request."""
    OFFSET_TOKENS = "offset_tokens"
    """The token is a number of records to skip: the query must be repeated, or the page is of the whole list."""
    OFFSET = "offset"
    """``limit`` and ``offset``, no token."""
    NONE = "none"
    """The whole list at once; ``limit`` and ``pageToken`` are parameters that it does not know."""


class LastToken(Enum):
    """How the last page says that it is the last."""

    NULL = "null"
    ABSENT = "absent"
    EMPTY = "empty"
    """An empty string."""


class ListKey(Enum):
    """Where the records of a list stand."""

    DATA = "data"
    PLURAL = "plural"
    """Under the resource's name: ``persons``."""
    BARE = "bare"
    """The list is the whole body. There is no place for a token then: with tokens, everything comes at once."""


class Unknown(StrEnum):
    """What becomes of a parameter or a value that the server does not know."""

    REFUSED = "refused"
    IGNORED = "ignored"


class CivicNo(Enum):
    """How a personal identity number is written (3)."""

    PLAIN = "YYYYMMDDNNNN"
    DASHED = "YYYYMMDD-NNNN"
    SHORT = "YYMMDD-NNNN"
    """Without century, which the birth date then tells: it is sent with every such number."""


class Trouble(Enum):
    """What goes wrong with a call."""

    UNAVAILABLE = 503
    TOO_MANY = 429
    BROKEN = 500
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    SLOW = "slow"
    """No answer for ``Habits.slow`` seconds."""
    TRUNCATED = "truncated"
    """The body ends in the middle."""
    NOT_JSON = "not JSON"
    """Status 200 and a page for people."""
    GARBAGE = "garbage"
    """Among the records stand a null, a number and a record without id; the records themselves are all there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """A server's habits. Left as they are, it is the standard to the letter.

    Resources and properties have the standard's names throughout.
    """

    # Pages (2.3)
    paging: Pages = Pages.SEALED
    window_with_token: bool = False
    """With sealed tokens: the parameters that a list requires are required beside the token as well."""
    last_token: LastToken = LastToken.NULL
    empty_last_page: bool = False
    """A token is given as long as a page holds anything, so that the list ends with an empty page."""
    list_key: ListKey = ListKey.DATA
    usual_page: int | None = None
    """Records of a page where ``limit`` is left out; None: as many as a page holds at most."""
    large_limit: Unknown = Unknown.IGNORED
    """What becomes of a ``limit`` above the most that a page holds."""
    stale: int = 0
    """So many times the list changes under a walk, when page ``stale_page`` is asked for: 410, and its tokens die."""
    stale_page: int = 2
    endless: Names = frozenset()
    """Resources whose second page names itself as the next."""

    # Parameters (2.3, 2.4)
    filters: Mapping[str, Mapping[str, Filter]] = field(default_factory=dict)
    """Per resource and query parameter (or ``*``): exact, superset, ignored or refused. A parameter that the list
    requires is required all the same, and never refused."""
    unknown_parameters: Unknown = Unknown.REFUSED
    sort_keys: PerResource = field(default_factory=dict)
    """Per resource, the sort keys that it knows; left out: all."""
    unknown_sort_keys: Unknown = Unknown.REFUSED
    expand: PerResource = field(default_factory=dict)
    """Per resource, the expands that it knows; left out: all."""
    unknown_expands: Unknown = Unknown.REFUSED
    arrays: Arrays = Arrays.REPEATED
    """With ``comma``, only the first of repeated parameters is read, and split at commas."""
    window_days: int | None = None
    """The longest window of a list that requires one, in days; longer ones are refused."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Per resource (and ``DeletedEntities``), its path where it is another (2.2): ``/persons/``."""

    # Lookups (6.5)
    no_lookup: Names = frozenset()
    no_lookup_status: int = 404
    """The answer where there is no lookup: 404, 405, 501, 400 or 403."""
    lookup: PerResource = field(default_factory=dict)
    """Per resource, the body arrays that its lookup knows; others are refused. Left out: all."""
    lookup_max: int | None = None
    """The most values in one lookup."""
    lookup_too_large: int = 503
    """The status for more: 503 as in the standard, or 400."""
    lookup_in_data: bool = False
    """The answer is ``{"data": […]}``."""
    lookup_reversed: bool = False
    """The answer has an order of its own."""
    lookup_of_everything: Names = frozenset()
    """Resources whose lookup takes no notice of its body."""

    # What a view shows (2.4)
    list_lacks: PerResource = field(default_factory=dict)
    """Per resource, properties that only a record asked for by id carries, not a list, nor an embedded record."""
    list_only: PerResource = field(default_factory=dict)
    """Per resource, properties that only a list carries."""
    lacks: PerResource = field(default_factory=dict)
    """Per resource, properties that nothing carries, required or not; also inner ones: ``enrolments.startDate``."""
    no_meta: bool = False
    nulls: bool = False
    """Every property without value is there, as null."""
    empty_strings: bool = False
    """Every text of a record without value is there, as an empty string."""
    extras: bool = False
    """Records have properties that nobody knows."""

    # Spellings (2.3, 2.4, 2.5, 6.6)
    braces: bool = False
    """Ids are upper case and in braces."""
    other_spellings: bool = False
    """Every name and value has its other spelling, where one is known: ``Omsorg``, ``titleEngish``, ``activities``."""
    length_for_end_time: bool = False
    """A stay in a schedule has a length in minutes instead of an end, as in 2.0.0."""
    end_time_as_number: bool = False
    """The end of a stay is the integer 1530; one before 01:00 stays text, for 30 would say nothing."""
    zone: str | None = None
    """Date-times are wall-clock times of this IANA zone, and do not say so."""
    offsets_ignored: bool = False
    """With ``zone``: the date-times that it is asked for are taken for such times too, whatever their offset."""
    dates_as_date_times: bool = False
    """Dates are midnights: ``2026-03-25T00:00:00``."""
    integers_as_text: bool = False
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Per enumeration (``DutyRole``), what the server says instead of the standard's value."""
    teachers_as_persons: bool = False
    """The teachers of an activity are persons and not duties."""
    parent_activity_as_list: bool = False
    civic_no: CivicNo = CivicNo.PLAIN
    """What it sends; in questions the standard's form is understood all the same."""
    byte_order_mark: bool = False
    deleted_as_list: bool = False
    """/deletedEntities gives ``[{"entityType", "id", "deletedAt"}]``."""

    # Identities and organisations (2.4, 3)
    own_ids: Names = frozenset()
    """Resources for which the server has ids of its own, wherever they stand."""
    own: str = "own"
    """The name space of these ids: servers with different ones have different ids."""
    borrowed_ids: Mapping[str, str] = field(default_factory=dict)
    """Per resource whose records come from a server with ids of its own: that server's name space."""
    organisation_level: Mapping[str, str] = field(default_factory=dict)
    """Per resource, the organisationType that records are attached to: the nearest such organisation from where they
    belong upwards."""
    own_parents: bool = False
    """An organisation at the top is its own parent."""

    # Troubles (2.3)
    troubles: Mapping[tuple[str, str], Trouble] = field(default_factory=dict)
    """Per resource (or ``*``) and operation (``list``, ``lookup``, ``get``, ``deleted`` or ``*``)."""
    trouble_times: int | None = None
    """How many calls of each pair are so, from the first on; None: all."""
    slow: float = 3600.0

    def filter(self, resource: str, parameter: str) -> Filter:
        """What becomes of a query parameter of the resource's list."""
        known = self.filters.get(resource, {})
        return known.get(parameter, known.get(ALL, Filter.EXACT))

    def own_id(self, resource: str, id: str) -> str:
        """The server's own id for a shared one, or the shared one for its own: the way back is the way there."""
        space = self.own if resource in self.own_ids else self.borrowed_ids.get(resource)
        return id if space is None else swapped(space, resource, id)

    def differs(self, *names: str) -> bool:
        """Whether any of these habits is not the standard's."""
        return any(getattr(self, name) != getattr(STANDARD, name) for name in names)


STANDARD = Habits()
"""The standard to the letter."""


_FREE = ~(0xF << 76 | 0x3 << 62) & (1 << 128) - 1
"""The bits of a UUID that are neither version nor variant."""


def swapped(space: str, resource: str, id: str) -> str:
    """Another UUID of the same version, from which the same call leads back. Text that is no UUID stays as it is."""
    try:
        known = uuid.UUID(id)
    except ValueError:
        return id
    key = int.from_bytes(blake2b(f"{space}/{resource}".encode(), digest_size=16).digest())
    return str(uuid.UUID(int=known.int ^ key & _FREE))


_DECLARED_PAGING: Mapping[Pages, Paging] = {
    Pages.SEALED: Paging.TOKEN,
    Pages.TOLERANT: Paging.TOKEN,
    Pages.BOUND: Paging.TOKEN,
    Pages.OFFSET_TOKENS: Paging.TOKEN_WITH_FILTERS,
    Pages.OFFSET: Paging.OFFSET,
    Pages.NONE: Paging.NONE,
}


def declared(habits: Habits, resources: Iterable[str], page_size: int | None = None) -> dict[str, object]:
    """What gateway.yaml is to say of a server with these habits, under ``sources.<name>``, beside url and auth.

    ``page_size`` is the server's. Habits that every reader must bear with (spellings, troubles, odd ends of lists)
    have no key.
    """
    served = [name for name in RESOURCES if name in set(resources)]
    paging = _DECLARED_PAGING[habits.paging]
    if habits.window_with_token and habits.paging is Pages.SEALED:
        paging = Paging.TOKEN_WITH_WINDOW

    def named(by_resource: Mapping[str, T]) -> dict[str, T]:
        return {RESOURCES[name].plural: by_resource[name] for name in served if name in by_resource}

    def listed(by_resource: PerResource) -> dict[str, list[str]]:
        return {plural: sorted(values) for plural, values in named(by_resource).items()}

    def plurals(names: Names) -> list[str]:
        return [RESOURCES[name].plural for name in served if name in names]

    found: dict[str, object] = {
        "endpoints": named(habits.paths)
        | ({"deletedEntities": habits.paths[DELETED]} if DELETED in habits.paths else {}),
        "paging": paging.value,
        "arrays": habits.arrays.value,
        "filters": {
            plural: {parameter: kind.value for parameter, kind in known.items()}
            for plural, known in named(habits.filters).items()
        },
        "expand": listed(habits.expand),
        "no_lookup": plurals(habits.no_lookup),
        "lookup": listed({name: keys for name, keys in habits.lookup.items() if name not in habits.no_lookup}),
        "list_lacks": listed(habits.list_lacks),
        "list_only": listed(habits.list_only),
        "null_is_absent": habits.nulls,
        "own_ids": plurals(habits.own_ids),
        "organisation_level": named(habits.organisation_level),
        "window_days": habits.window_days,
        "lookup_chunk": habits.lookup_max,
        "timezone": habits.zone,
        "page_size": None if habits.paging is Pages.NONE else page_size,
    }
    usual = {"paging": Paging.TOKEN.value, "arrays": Arrays.REPEATED.value}
    section: dict[str, object] = {"resources": plurals(frozenset(served))}
    return section | {key: value for key, value in found.items() if value and value != usual.get(key)}
