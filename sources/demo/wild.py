"""The six sources as no two speak alike: each with the habits of the kind of system that it plays.

    sis        a student register in the manner of IST: groups at the `Skola` although pupils are enrolled at a
               `Skolenhet`; once per list 410 while it is read; whatever stands beside a page token is passed over
    schema     a timetable engine in the manner of SchemaPro: whatever it does not know is a 400; tokens are bound to
               the first request; windows of at most 400 days; activities have ids of its own
    narvaro    attendance in the manner of PING PONG and Skola24: no pages, no expand, no lookup, slow; persons have ids
               of its own and are known by civicNo; activities have schema's ids, from which it has its timetable
    lms        a learning platform: small pages by offset tokens, lists under the resource's name, times in UTC that do
               not say so; persons have ids of its own and are known by eduPersonPrincipalName
    hr         a payroll: no lookup, no filter, no expand; persons and duties have ids of its own; civicNo without
               century; roles of its own for those who do not teach
    forskola   preschool in the words of 2.0.0: ids in braces, `Omsorg`, `length` instead of `endTime`, local times

What persons are known by has to be told then: sis sends civicNo of its staff as well, narvaro of everybody, lms sends
eduPersonPrincipalNames, hr and schema the globally unique number of an employment. narvaro also has the guardians who
report absences, whom it did not need to have as long as their ids were everybody's.

A gateway over them answers as over the others, except for what they do not say any more:

- the unit of a group that schema and forskola do not have (classes of other years, teaching groups without lessons,
  leisure centres): sis names the school alone;
- the standard's role of a duty whose role is hr's own (``WORDS``); nor is such a duty recognised in sis;
- whose a vacant duty is that schema refers to: hr's record of it has no person, by whom duties are recognised; nor
  whose one is that begins later, and of which schema has no record yet;
- an activity of schema is another than the course room of lms for the same course, and what narvaro sums is found in
  lms alone: the standard has no key by which activities are recognised.

Source: the field guide's table of suppliers and its sections 2.3 to 2.5 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..capabilities import ALL, Filter
from ..standard.values import references
from .habits import STANDARD, CivicNo, Habits, LastToken, ListKey, Pages, Trouble, Unknown
from .municipality import Municipality
from .split import HOLDS, STUB
from .store import values
from .world import Record

NOTHING: frozenset[str] = frozenset()

WORDS = {"Kurator": "Skolkurator", "Skoladministratör": "Administratör", "Skolsköterska": "Legitimerad sjuksköterska"}
"""What hr calls the roles of those who do not teach."""

HABITS: Mapping[str, Habits] = {
    "sis": Habits(
        paging=Pages.TOLERANT,
        last_token=LastToken.ABSENT,
        stale=1,
        organisation_level={"Group": "Skola"},
    ),
    "schema": Habits(
        paging=Pages.BOUND,
        large_limit=Unknown.REFUSED,
        window_days=400,
        own_ids=frozenset({"Activity"}),
        own="schema",
    ),
    "narvaro": Habits(
        paging=Pages.NONE,
        unknown_parameters=Unknown.IGNORED,
        expand={"Person": NOTHING, "AggregatedAttendance": NOTHING},
        unknown_expands=Unknown.IGNORED,
        no_lookup=frozenset({"Attendance", "Absence", "Person"}),
        own_ids=frozenset({"Person"}),
        own="narvaro",
        borrowed_ids={"Activity": "schema"},
        civic_no=CivicNo.DASHED,
        troubles={("*", "list"): Trouble.SLOW},
        slow=0.05,
    ),
    "lms": Habits(
        paging=Pages.OFFSET_TOKENS,
        empty_last_page=True,
        list_key=ListKey.PLURAL,
        unknown_parameters=Unknown.IGNORED,
        zone="UTC",
        deleted_as_list=True,
        own_ids=frozenset({"Person"}),
        own="lms",
    ),
    "hr": Habits(
        filters={"Person": {ALL: Filter.IGNORED}, "Duty": {ALL: Filter.IGNORED}},
        unknown_parameters=Unknown.IGNORED,
        sort_keys={"Person": NOTHING, "Duty": NOTHING},
        unknown_sort_keys=Unknown.IGNORED,
        expand={"Person": NOTHING, "Duty": NOTHING},
        unknown_expands=Unknown.IGNORED,
        no_lookup=frozenset({"Person", "Duty"}),
        no_lookup_status=405,
        own_ids=frozenset({"Person", "Duty"}),
        own="hr",
        civic_no=CivicNo.SHORT,
        words={"DutyRole": WORDS},
    ),
    "forskola": Habits(
        last_token=LastToken.EMPTY,
        lookup_in_data=True,
        extras=True,
        braces=True,
        other_spellings=True,
        length_for_end_time=True,
        zone="Europe/Stockholm",
    ),
}

KEYS: Mapping[str, tuple[str, ...]] = {
    "sis": ("civicNo",),
    "schema": ("externalIdentifiers",),
    "narvaro": ("civicNo",),
    "lms": ("eduPersonPrincipalNames",),
    "hr": ("externalIdentifiers",),
}
"""Per source, what it sends of persons besides, so that they can be recognised."""

IDENTITY: Mapping[str, object] = {
    "persons": {"keys": ["civicNo", "eduPersonPrincipalName", "externalIdentifier"]},
    "duties": {"keys": ["person"]},
}

FIELDS: Mapping[str, Mapping[str, Sequence[str]]] = {"Group": {"organisation": ["schema", "forskola", "lms", "sis"]}}
"""Who is asked first for one property, because sis says less than it did."""


@dataclass(frozen=True, slots=True)
class Dialects:
    """How the six sources speak, and what a configuration has to say about it besides their habits.

    ``holds`` as in ``split``; ``identity`` and ``fields`` (by resource and property) are parts of gateway.yaml.
    ``keys``: per source, properties of persons to be sent besides.
    """

    habits: Mapping[str, Habits] = field(default_factory=dict)
    holds: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=lambda: HOLDS)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identity: Mapping[str, object] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    def of(self, source: str) -> Habits:
        return self.habits.get(source, STANDARD)

    def told(self, municipality: Municipality) -> Municipality:
        """The municipality with the keys in its sources' records."""
        if not self.keys:
            return municipality
        known = _known(municipality)
        sources = {name: dict(records) for name, records in municipality.sources.items()}
        for name, records in sources.items():
            persons = list(records["Person"])
            if "Person" in self.of(name).own_ids:
                persons += _missing(records, known)
            records["Person"] = [_with_keys(person, known, self.keys.get(name, ())) for person in persons]
        return replace(municipality, sources=sources)


CONFORMANT = Dialects()
"""All to the letter of the standard."""


def _holds() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    held = {source: dict(resources) for source, resources in HOLDS.items()}
    for source, keys in KEYS.items():
        if "Person" in held[source]:
            held[source]["Person"] = tuple(dict.fromkeys((*held[source]["Person"], *keys)))
    return held


WILD = Dialects(HABITS, _holds(), KEYS, IDENTITY, FIELDS)
DIALECTS: Mapping[str, Dialects] = {"none": CONFORMANT, "wild": WILD}
"""By the name that the command line takes."""


def _known(municipality: Municipality) -> Mapping[str, Record]:
    """What there is to know of each person: of staff, what the payroll knows, the number being unique everywhere."""
    known = {str(p["id"]): p for p in municipality.background["Person"]}
    for person in municipality.sources["hr"]["Person"]:
        numbers = person["externalIdentifiers"]
        assert isinstance(numbers, list)
        unique = [number | {"globallyUnique": True} for number in numbers]
        known[str(person["id"])] = person | {"externalIdentifiers": unique}
    return known


def _missing(records: Mapping[str, Sequence[Record]], known: Mapping[str, Record]) -> list[Record]:
    """The persons that a source refers to and does not have, by name: its own ids would lead nowhere."""
    paths = [(r.resource, [*r.path, "id"]) for r in references() if r.target == "Person"]
    named = {id: None for of, path in paths for record in records.get(of, ()) for id in values(record, path)}
    here = {person["id"] for person in records["Person"]}
    return [{k: known[id][k] for k in ("id", "meta", *STUB)} for id in named if id not in here and id in known]


def _with_keys(person: Record, known: Mapping[str, Record], keys: Sequence[str]) -> Record:
    """The record with these properties, as far as they are known and were meant to be: pupils have no employment."""
    of = known.get(str(person["id"]), {})
    return person | {key: of[key] for key in keys if key in of and not _only_local(of[key])}


def _only_local(value: object) -> bool:
    """Identifiers that are not unique everywhere are no keys."""
    return isinstance(value, list) and any(isinstance(v, dict) and not v.get("globallyUnique") for v in value)
