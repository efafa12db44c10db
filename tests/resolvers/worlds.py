"""Small random huvudmän: a few sources that overlap and disagree, and decisions over them, as plain data.

Everything is drawn from small pools, so that two sources often have the same record, the same entry, the same id.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from hypothesis import strategies as st

from resolvers.contracts import Authority, EntityId, Scope, When
from resolvers.cursor import Sealer
from resolvers.federation import Federation
from resolvers.policy import HideProtected, ShowAll
from sources.standard import RESOURCES
from tests.fakes import FakeSource
from tests.harness import ask

Record = dict[str, object]
ABSENT = object()
"""Stands for a property that a source leaves out."""


@dataclass(frozen=True)
class Part:
    """A part of what the huvudman has; empty is no bound."""

    school_types: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()

    def scope(self) -> Scope:
        return Scope(self.school_types, frozenset(map(EntityId, self.organisations)))


@dataclass(frozen=True)
class Decisions:
    """What the huvudman decided for one resource. ``when``: part, order and fields of each."""

    exists: tuple[str, ...] | None = None
    order: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    when: Sequence[tuple[Part, tuple[str, ...], Mapping[str, tuple[str, ...]]]] = ()


@dataclass(frozen=True)
class World:
    """``sources``: by name in configured order, per resource the records in the source's own order."""

    sources: Mapping[str, Mapping[str, Sequence[Record]]]
    decisions: Mapping[str, Decisions] = field(default_factory=dict)
    holds: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    """Per source and resource, the properties it declares to know; undeclared where it is left out."""
    hide_protected: bool = True
    page_size: int = 100
    embeds: bool = True
    scopes: Mapping[str, Part] = field(default_factory=dict)
    """Per source that is for a part only."""


def fakes(world: World, **capabilities: Any) -> dict[str, FakeSource]:
    return {
        name: FakeSource(
            name,
            records,
            page_size=world.page_size,
            embeds=world.embeds,
            holds=world.holds.get(name, {}),
            **capabilities,
        )
        for name, records in world.sources.items()
    }


def federation(world: World, sources: Mapping[str, FakeSource], **settings: Any) -> Federation:
    authority = {
        resource: Authority(
            each.exists, each.order, each.fields, each.lists, tuple(When(p.scope(), *rest) for p, *rest in each.when)
        )
        for resource, each in world.decisions.items()
    }
    scopes = {name: part.scope() for name, part in world.scopes.items()}
    policy = HideProtected() if world.hide_protected else ShowAll()
    return Federation(sources, authority, scopes=scopes, policy=policy, **{"sealer": _SEALER, **settings})


_SEALER = Sealer([b"one secret for all tests of resolvers"])
_LOOP = asyncio.new_event_loop()


def answer(
    over: Federation, query: str, variables: Mapping[str, Any] | None = None, *, errors: bool = False
) -> dict[str, Any]:
    """The answer's body, asked from a test that is no coroutine (hypothesis); no errors unless ``errors``."""
    body = _LOOP.run_until_complete(ask(over, query, variables))
    for source in over.sources.values():
        assert isinstance(source, FakeSource)
        assert not source.violations, source.violations
    assert errors or "errors" not in body, body["errors"]
    return body


# Ids


def identity(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


ORGANISATIONS = [identity(0x0A, number) for number in (3, 1, 2)]
PERSONS = [identity(0x0B, number) for number in (2, 4, 1, 3)]
GROUPS = [identity(0x0C, number) for number in (1, 3, 2)]
DUTIES = [identity(0x0D, number) for number in (2, 1, 3)]
PROGRAMME = identity(0x0E, 1)
NOWHERE = identity(0x0F, 1)
"""An id that no source has a record of."""

ACTIVITIES = [identity(0x1A, number) for number in (2, 1)]
EVENTS = [identity(0x1B, number) for number in (2, 3, 1)]

IDS = {
    "Organisation": ORGANISATIONS,
    "Person": PERSONS,
    "Group": GROUPS,
    "Duty": DUTIES,
    "Activity": ACTIVITIES,
    "CalendarEvent": EVENTS,
    "Attendance": [identity(0x1D, number) for number in (1, 3, 2)],
    "Absence": [identity(0x1E, number) for number in (2, 1)],
    "Grade": [identity(0x1F, number) for number in (1, 2)],
}


# Values


def _lists(*entries: object, longest: int = 2) -> list[object]:
    """Every list of some of the entries in any order, and one that holds an entry twice."""
    found = [list(some) for size in range(longest + 1) for some in permutations(entries, size)]
    return [*found, [entries[0], entries[0]]]


def _references(ids: Sequence[str]) -> list[object]:
    return [{"id": each} for each in (*ids, NOWHERE)]


_TO_PERSONS: list[dict[str, object]] = [
    *[Record(id=each, displayName="a name of the reference's own") for each in PERSONS],
    {"id": PERSONS[0], "securityMarking": "Sekretessmarkering"},
    {"id": PERSONS[1], "securityMarking": "Ingen"},
    {"id": NOWHERE},
]
_MOMENTS: list[object] = [
    "2026-03-28T23:59:59+01:00",
    "2026-03-28T23:00:00Z",
    "2026-03-29T01:30:00+01:00",
    "2026-03-29T12:00:00+02:00",
    "2026-03-29T16:59:59-05:00",
    "2026-03-30T00:00:00+02:00",
]
"""Around and within the Sunday on which the clock is put forward."""
_DAYS = ["2025-08-18", "2026-01-31", "2026-06-12"]

VALUES: dict[str, dict[str, list[object]]] = {
    "Person": {
        "meta": [
            {"created": "2026-01-01T10:00:00+01:00", "modified": "2026-02-01T00:30:00+01:00"},
            {"created": "2026-01-01T09:30:00Z", "modified": "2026-01-31T23:45:00Z"},
            {"created": "2025-12-31T23:00:00-05:00", "modified": "2026-03-29T03:00:00+02:00"},
            {"modified": "2026-01-01T09:30:00Z"},
        ],
        "givenName": ["Anna", "Åsa", ""],
        "middleName": ["Maria"],
        "familyName": ["Öst", "Berg"],
        "eduPersonPrincipalNames": _lists("a@x.se", "b@x.se", "c@x.se"),
        "externalIdentifiers": _lists(
            {"value": "1", "context": "lms", "globallyUnique": True},
            {"value": "1", "context": "lms", "globallyUnique": False},
            {"value": "1", "context": "hr", "globallyUnique": False},
        ),
        "civicNo": [{"value": "201001019999"}, {"value": "201001019999", "nationality": "SE"}],
        "birthDate": ["2010-01-01"],
        "sex": ["Man", "Kvinna", "X"],
        "securityMarking": ["Ingen", "Sekretessmarkering", "Skyddad folkbokföring", "Påhittad", "Ingen", "Ingen"],
        "personStatus": ["Aktiv", "Utvandrad"],
        "emails": _lists(
            {"value": "a@x.se", "type": "Privat"},
            {"value": "a@x.se", "type": "Skola elev"},
            {"value": "b@x.se", "type": "Arbete övrigt"},
        ),
        "phoneNumbers": _lists(
            {"value": "070", "type": "Hem", "mobile": True}, {"value": "070", "type": "Arbete", "mobile": False}
        ),
        "addresses": _lists(
            {"type": "Folkbokföring", "streetAddress": "Gatan 1", "locality": "Orten"},
            {"type": "Folkbokföring", "streetAddress": "Gatan 2", "countyCode": 0},
        ),
        "photo": ["https://photos.example/1"],
        "enrolments": _lists(
            {"enroledAt": {"id": ORGANISATIONS[0]}, "schoolType": "GR", "startDate": _DAYS[0], "schoolYear": 0},
            {"enroledAt": {"id": ORGANISATIONS[0]}, "schoolType": "GR", "startDate": _DAYS[0], "endDate": _DAYS[2]},
            {"enroledAt": {"id": NOWHERE}, "schoolType": "GY", "programme": {"id": PROGRAMME}, "cancelled": False},
            {"enroledAt": {"id": ORGANISATIONS[1]}, "schoolType": "Påhittad", "startDate": None},
        ),
        "responsibles": _lists(*({"person": to, "relationType": "Vårdnadshavare"} for to in _TO_PERSONS[1:6])),
    },
    "Group": {
        "meta": [{"created": "2026-01-01T10:00:00+01:00", "modified": "2026-02-01T00:30:00+01:00"}],
        "displayName": ["9A", "9B", "adam", "Adam", "Édith", "Zeb", "Ångström", "Ängel", "Östen", "Yngve", "Ülle"],
        "startDate": [*_DAYS],
        "endDate": [*_DAYS],
        "groupType": ["Klass", "Undervisning", "Påhittad"],
        "schoolType": ["GR", "GY"],
        "organisation": _references(ORGANISATIONS),
        "groupMemberships": _lists(
            *({"person": to, "startDate": _DAYS[0]} for to in _TO_PERSONS),
            {"person": {"id": PERSONS[0]}, "startDate": _DAYS[0], "endDate": _DAYS[1]},
            {"person": {"id": PERSONS[0]}, "startDate": _DAYS[1]},
            {"person": {"id": PERSONS[2]}},
        ),
    },
    "Organisation": {
        "meta": [
            {"created": "2026-01-01T10:00:00+01:00", "modified": "2026-02-01T00:30:00+01:00"},
            {"created": "2025-12-31T23:00:00-05:00", "modified": "2026-03-29T03:00:00+02:00"},
        ],
        "displayName": ["Norra", "Södra"],
        "organisationCode": ["N1", ""],
        "organisationType": ["Skola", "Skolenhet", "Rektorsområde", "Stadsdel"],
        "parentOrganisation": _references(ORGANISATIONS),
        "schoolUnitCode": ["11111111", "22222222"],
        "schoolTypes": _lists("GR", "FTH", "Påhittad"),
        "address": [{"streetAddress": "Gatan 1"}, {"type": "Postadress", "countyCode": 1}],
        "municipalityCode": ["0180"],
        "contactInfo": _lists({"infoType": "Support", "info": "a"}, {"infoType": "Publik", "info": "a"}),
        "startDate": [*_DAYS],
        "endDate": [*_DAYS],
    },
    "Duty": {
        "meta": [{"created": "2026-01-01T10:00:00+01:00", "modified": "2026-02-01T00:30:00+01:00"}],
        "person": [*_TO_PERSONS],
        "assignmentRole": _lists(
            {"group": {"id": GROUPS[0]}, "assignmentRoleType": "Mentor", "startDate": _DAYS[0]},
            {"group": {"id": GROUPS[0]}, "assignmentRoleType": "Mentor", "startDate": _DAYS[0], "endDate": _DAYS[2]},
            {"group": {"id": GROUPS[1]}, "assignmentRoleType": "Mentor"},
            {"group": {"id": NOWHERE}, "assignmentRoleType": "Schemaläggare"},
        ),
        "dutyAt": _references(ORGANISATIONS),
        "dutyRole": ["Rektor", "Lärare", "Studie- och yrkesvägledare", "Påhittad"],
        "description": ["text"],
        "signature": ["ABC", "DEF"],
        "dutyPercent": [0, 100],
        "hoursPerYear": [1760],
        "startDate": [*_DAYS],
        "endDate": [*_DAYS],
    },
    "Activity": {"displayName": ["Matematik", "Svenska"]},
    "CalendarEvent": {
        "activity": _references(ACTIVITIES),
        "startTime": _MOMENTS,
        "studentExceptions": _lists(
            *({"student": {"id": each}, "participates": part} for each in PERSONS[:2] for part in (True, False))
        ),
    },
    "Attendance": {
        "calendarEvent": _references(EVENTS),
        "student": _references(PERSONS[:2]),
        "reportedTimestamp": _MOMENTS,
    },
    "Absence": {"student": _references(PERSONS[:2]), "startTime": _MOMENTS, "endTime": _MOMENTS},
    "Grade": {"student": _references(PERSONS[:2]), "registeredDate": ["2026-03-28", "2026-03-29", "2026-03-30"]},
}
"""Per resource and property, the values that sources may give."""

SELECTABLE = {resource: tuple(values) for resource, values in VALUES.items()}


# Strategies


def _records(resource: str, columns: Sequence[str], ids: Sequence[str] | None) -> st.SearchStrategy[list[Record]]:
    """Some of the resource's records in any order, each with some of the columns, absent and null ones among them."""
    if ids is None:
        few = [some for size in range(len(IDS[resource]) + 1) for some in permutations(IDS[resource], size)]
        orders = st.sampled_from(few)
    else:
        orders = st.lists(st.sampled_from(ids), unique=True).map(tuple)
    full = [[ABSENT, None, *VALUES[resource][column] * 2] for column in columns]
    sparse = [[ABSENT, ABSENT, ABSENT, None, *VALUES[resource][column]] for column in columns]
    row = st.one_of(_row(full), _row(sparse))

    def record(which: str, values: tuple[object, ...]) -> Record:
        return {"id": which, **{c: v for c, v in zip(columns, values, strict=True) if v is not ABSENT}}

    def listed(order: tuple[str, ...]) -> st.SearchStrategy[list[Record]]:
        return st.tuples(*(row for _ in order)).map(
            lambda rows: [record(which, values) for which, values in zip(order, rows, strict=True)]
        )

    return orders.flatmap(listed)


_FEW_BITS = 2**24
"""Hypothesis draws integers below this evenly, larger ones mostly small."""


def _row(options: Sequence[Sequence[object]]) -> st.SearchStrategy[tuple[object, ...]]:
    """One of each of the options; drawn as few integers, which costs a tenth of a draw per option."""
    groups: list[list[Sequence[object]]] = [[]]
    for each in options:
        if math.prod(map(len, groups[-1])) * len(each) > _FEW_BITS:
            groups.append([])
        groups[-1].append(each)

    def decoded(numbers: tuple[int, ...]) -> tuple[object, ...]:
        values = []
        for number, group in zip(numbers, groups, strict=True):
            for each in group:
                number, place = divmod(number, len(each))
                values.append(each[place])
        return tuple(values)

    return st.tuples(*(st.integers(0, math.prod(map(len, group)) - 1) for group in groups)).map(decoded)


DECIDED_OTHERWISE = ("id", "meta", "securityMarking")
"""Properties for which no single source can be named: they are merged over all."""


BELONGING = frozenset({"Person", "Organisation", "Group", "Duty"})
"""Resources whose records here may show where they belong."""

_TYPES = st.frozensets(st.sampled_from(["GR", "GY", "FTH"]), max_size=2)
_ROOTS = st.frozensets(st.sampled_from([*ORGANISATIONS, NOWHERE]), max_size=2)
PARTS = st.builds(Part, _TYPES, _ROOTS).filter(lambda part: bool(part.school_types or part.organisations))


@st.composite
def _decisions(
    draw: st.DrawFn, resource: str, serving: Sequence[str], holds: Mapping[str, Mapping[str, frozenset[str]]]
) -> Decisions:
    names = st.sampled_from([some for size in range(1, len(serving) + 1) for some in permutations(serving, size)])
    exists = draw(st.none() | names)
    order = draw(st.just(()) | names)
    columns = [column for column in VALUES[resource] if column not in DECIDED_OTHERWISE]

    def some_fields() -> dict[str, tuple[str, ...]]:
        fields: dict[str, tuple[str, ...]] = {}
        for column in draw(st.lists(st.sampled_from(columns), max_size=3, unique=True)):
            heard = draw(names)
            knowing = tuple(name for name in heard if column in holds[name].get(resource, columns))
            if knowing:
                fields[column] = knowing
        return fields

    fields = some_fields()
    when = [
        (part, draw(st.just(()) | names), some_fields())
        for part in draw(st.lists(PARTS, max_size=2))
        if resource in BELONGING
    ]
    many = [column for column in columns if RESOURCES[resource].columns[column].many]
    modes = st.sampled_from([None, None, "union", "first"])
    lists = {column: mode for column in many if (mode := draw(modes)) is not None}
    return Decisions(exists, order, fields, lists, when)


@st.composite
def worlds(
    draw: st.DrawFn,
    *resources: str,
    columns: Mapping[str, Sequence[str]] | None = None,
    ids: Mapping[str, Sequence[str]] | None = None,
    scopes: bool = False,
) -> World:
    """2 to 4 sources; every resource is served by at least one of them. ``ids`` to use instead of the few of a pool.

    Some worlds have sources for a part only; with ``scopes``, all have.
    """
    names = ["sis", "hr", "lms", "schema"][: draw(st.integers(2, 4))]
    taken = {resource: (columns or {}).get(resource, SELECTABLE[resource]) for resource in resources}
    sources: dict[str, dict[str, list[Record]]] = {name: {} for name in names}
    for resource in resources:
        serving = draw(st.integers(1, 2 ** len(names) - 1)) if len(resources) > 1 else 2 ** len(names) - 1
        for place, name in enumerate(names):
            if serving >> place & 1:
                sources[name][resource] = draw(_records(resource, taken[resource], (ids or {}).get(resource)))
    holds: dict[str, dict[str, frozenset[str]]] = {name: {} for name in names}
    for name in names:
        for resource in sources[name]:
            if draw(st.integers(0, 2)) == 2:
                every = SELECTABLE[resource]
                known = draw(st.integers(0, 2 ** len(every) - 1))
                holds[name][resource] = frozenset(each for place, each in enumerate(every) if known >> place & 1)
    decisions = {
        resource: draw(_decisions(resource, [name for name in names if resource in sources[name]], holds))
        for resource in resources
    }
    every = 2 ** len(names) - 1
    bounded = draw(st.integers(1, every) if scopes else st.one_of(st.just(0), st.integers(0, every)))
    parts = {name: draw(PARTS) for place, name in enumerate(names) if bounded >> place & 1}
    return World(
        sources,
        decisions,
        holds,
        draw(st.integers(0, 3)) > 0,
        draw(st.sampled_from([1, 2, 7])),
        draw(st.booleans()),
        parts,
    )
