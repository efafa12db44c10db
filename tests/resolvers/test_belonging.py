"""Who decides depends on where a record belongs; a source for a part only is neither asked nor missed outside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.contracts import EntityId, Fetch, List
from resolvers.entity import Entity
from resolvers.federation import Federation
from resolvers.operation import Operation
from resolvers.places import PLACES
from sources.requests import Query
from sources.standard import RESOURCES
from sources.standard.common import SCHOOL_TYPE
from sources.standard.model import Enumeration, Reference, Structure

from .oracle import Oracle
from .worlds import (
    DUTIES,
    GROUPS,
    IDS,
    NOWHERE,
    ORGANISATIONS,
    PERSONS,
    Decisions,
    Part,
    Record,
    World,
    answer,
    fakes,
    federation,
    worlds,
)

SCHOOL, PRESCHOOLS, PRESCHOOL = ORGANISATIONS
PUPIL, CHILD, BOTH, SOMEBODY = PERSONS
FS = Part(frozenset({"FS", "FTH"}))
BELOW = Part(organisations=frozenset({PRESCHOOLS}))


def at(unit: str, school_type: str, **more: object) -> Record:
    return {"enroledAt": {"id": unit}, "schoolType": school_type, "startDate": "2025-08-18", **more}


TREE = [
    Record(id=SCHOOL, displayName="Skolan", schoolTypes=["GR"]),
    Record(id=PRESCHOOLS, displayName="Förskolorna"),
    Record(id=PRESCHOOL, displayName="Förskolan", schoolTypes=["FS"], parentOrganisation={"id": PRESCHOOLS}),
]
SIS = {
    "Organisation": TREE,
    "Person": [
        Record(id=PUPIL, givenName="Anna", enrolments=[at(SCHOOL, "GR")]),
        Record(id=CHILD, givenName="Bo", enrolments=[at(PRESCHOOL, "FS")]),
        Record(id=BOTH, givenName="Cia", enrolments=[at(SCHOOL, "GR"), at(PRESCHOOL, "FTH")]),
        Record(id=SOMEBODY, givenName="Dan"),
    ],
    "Group": [Record(id=GROUPS[0], displayName="9A", schoolType="GR", organisation={"id": SCHOOL})],
    "Duty": [Record(id=DUTIES[0], dutyRole="Lärare", dutyAt={"id": SCHOOL})],
}
PRE = {
    "Person": [
        Record(id=PUPIL, givenName="Anna!", emails=[{"value": "a@x.se", "type": "Privat"}]),
        Record(id=CHILD, givenName="Bo!"),
        Record(id=BOTH, givenName="Cia!", enrolments=[at(PRESCHOOL, "FTH"), at(SCHOOL, "GY")]),
        Record(id=SOMEBODY, givenName="Dan!"),
    ],
    "Group": [Record(id=GROUPS[1], displayName="Blåsippan", schoolType="FS", organisation={"id": PRESCHOOL})],
    "Duty": [Record(id=DUTIES[1], dutyRole="Rektor", dutyAt={"id": PRESCHOOL})],
}
WORLD = World({"sis": SIS, "pre": PRE})


def names(world: World) -> dict[str, str | None]:
    data = answer(federation(world, fakes(world)), "{ persons { nodes { id givenName } } }")["data"]
    return {node["id"]: node["givenName"] for node in data["persons"]["nodes"]}


def when(*entries: Any) -> World:
    return replace(WORLD, decisions={"Person": Decisions(when=entries)})


def scoped(part: Part, **changes: Any) -> World:
    return replace(WORLD, scopes={"pre": part}, **changes)


@pytest.mark.parametrize("part", [FS, BELOW])
def test_another_order_for_some_of_the_records(part: Part) -> None:
    """By the form of schooling, and by the organisation or one above it."""
    assert names(when((part, ("pre",), {}))) == {PUPIL: "Anna", CHILD: "Bo!", BOTH: "Cia!", SOMEBODY: "Dan"}


def test_other_sources_for_one_property_of_some_of_the_records() -> None:
    world = when((FS, (), {"givenName": ("pre",)}))
    assert names(world) == {PUPIL: "Anna", CHILD: "Bo!", BOTH: "Cia!", SOMEBODY: "Dan"}


def test_the_first_that_fits_holds() -> None:
    world = when((Part(frozenset({"GR"})), ("sis",), {}), (FS, ("pre",), {}))
    assert names(world) == {PUPIL: "Anna", CHILD: "Bo!", BOTH: "Cia", SOMEBODY: "Dan"}


def test_form_of_schooling_and_organisation_must_fit_in_one_enrolment() -> None:
    assert names(when((Part(frozenset({"GR"}), frozenset({PRESCHOOLS})), ("pre",), {})))[BOTH] == "Cia"
    assert names(when((Part(frozenset({"FTH"}), frozenset({PRESCHOOLS})), ("pre",), {})))[BOTH] == "Cia!"


def test_where_a_record_belongs_does_not_depend_on_what_is_decided_by_it() -> None:
    """The entry makes another source say the enrolments, by which the entry would not hold."""
    decisions = Decisions(lists={"enrolments": "first"}, when=[(FS, ("pre",), {})])
    pre = {"Person": [Record(id=CHILD, givenName="Bo!", enrolments=[at(SCHOOL, "GR")])]}
    world = World({"sis": SIS, "pre": pre}, {"Person": decisions})
    over = federation(world, fakes(world))
    data = answer(over, f'{{ person(id: "{CHILD}") {{ givenName enrolments {{ schoolTypeText }} }} }}')["data"]
    assert data["person"] == {"givenName": "Bo!", "enrolments": [{"schoolTypeText": "GR"}]}


def test_a_source_that_only_says_where_a_record_belongs_is_asked_for_it() -> None:
    decisions = Decisions(exists=("hr",), fields={"givenName": ("hr",)}, when=[(FS, (), {"givenName": ("pre",)})])
    world = World(
        {"sis": SIS, "pre": PRE, "hr": {"Person": [Record(id=CHILD, givenName="Bosse")]}},
        {"Person": decisions},
        holds={"sis": {"Person": frozenset({"enrolments"})}},
        hide_protected=False,
    )
    assert names(world) == {CHILD: "Bo!"}


async def test_what_arrives_later_settles_anew_where_a_record_belongs() -> None:
    over = federation(when((FS, ("pre",), {})), fakes(WORLD))
    operation = Operation(over)
    child = Entity(operation, over.rules["Person"], EntityId(CHILD))
    for source, name in (("pre", "Bo!"), ("sis", "Bo!")):
        fetch = Fetch(source, "Person", List(Query()))
        operation.absorb(fetch, await operation.send(fetch))
        assert child.value("givenName") == name
    assert child.applied.servers == ("pre", "sis")


def asked(over: Federation, resource: str = "Person") -> set[str]:
    """The ids for which the preschools' source was asked; ``*`` for a list."""
    calls = [call for call in over.sources["pre"].calls if call.resource == resource]  # type: ignore[attr-defined]
    return {value for call in calls for value in (call.values if call.op == "lookup" else ("*",))}


def stopped(world: World) -> Federation:
    over = federation(world, fakes(world))
    over.sources["pre"].fail()  # type: ignore[attr-defined]
    return over


@pytest.mark.parametrize("part", [FS, BELOW])
def test_outside_its_scope_a_source_is_neither_asked_nor_missed(part: Part) -> None:
    over = stopped(scoped(part))
    query = f'{{ person(id: "{PUPIL}") {{ givenName emails {{ value }} provenance {{ sources {{ name }} }} }} }}'
    assert answer(over, query)["data"]["person"] == {
        "givenName": "Anna", "emails": None, "provenance": {"sources": [{"name": "sis"}]}
    }  # fmt: skip
    assert asked(over) == set()


@pytest.mark.parametrize("part", [FS, BELOW])
@pytest.mark.parametrize("person", [CHILD, BOTH, SOMEBODY, NOWHERE])
def test_inside_its_scope_or_perhaps_inside_it_a_source_is_missed(part: Part, person: str) -> None:
    over = stopped(scoped(part))
    body = answer(over, f'{{ person(id: "{person}") {{ givenName }} }}', errors=True)
    assert body["extensions"]["completeness"]["complete"] is False
    assert asked(over) == {person}


def test_of_several_records_it_is_asked_for_those_inside() -> None:
    world = scoped(FS)
    over = federation(world, fakes(world))
    answer(over, "query($ids: [ID!]!) { personsByIds(ids: $ids) { emails { value } } }", {"ids": PERSONS})
    assert asked(over) == {CHILD, BOTH, SOMEBODY}


@pytest.mark.parametrize(
    ("resource", "query"),
    [
        ("Group", "{ groups(filter: {schoolTypes: [GR]}) { nodes { id } complete } }"),
        ("Group", f'{{ groups(filter: {{organisation: ["{SCHOOL}"], groupType: [KLASS]}}) {{ complete }} }}'),
        ("Duty", f'{{ duties(filter: {{organisation: "{SCHOOL}"}}) {{ nodes {{ dutyRole }} complete }} }}'),
        ("Duty", f'{{ organisation(id: "{SCHOOL}") {{ duties {{ dutyRole }} groups {{ displayName }} }} }}'),
        ("Person", f'{{ organisation(id: "{SCHOOL}") {{ enrolments {{ startDate }} }} }}'),
        ("Person", "{ persons(filter: {relationship: {entityType: ENROLMENT, "
                   f'organisation: "{SCHOOL}"}}, nameContains: ["Anna"]}}) {{ nodes {{ id }} complete }} }}'),
    ],
)  # fmt: skip
def test_a_list_of_what_is_outside_does_not_ask_it(resource: str, query: str) -> None:
    sis = {**SIS, "Person": SIS["Person"][:2]}
    over = stopped(scoped(Part(FS.school_types, BELOW.organisations), sources={"sis": sis, "pre": PRE}))
    assert answer(over, query)["extensions"]["completeness"]["complete"]
    assert "*" not in asked(over, resource)


def test_a_filter_that_other_records_decide_heeds_their_sources_scopes() -> None:
    """Who is on duty at the school is decided by duties, of which one source has only those of the preschools."""
    duty = Record(id=DUTIES[0], dutyRole="Lärare", dutyAt={"id": SCHOOL}, person={"id": PUPIL})
    world = scoped(BELOW, sources={"sis": {**SIS, "Duty": [duty]}, "pre": {"Duty": PRE["Duty"]}})
    query = (
        f'{{ persons(filter: {{relationship: {{entityType: DUTY, organisation: "{SCHOOL}"}}}}) {{ nodes {{ id }} }} }}'
    )
    assert answer(federation(world, fakes(world)), query)["data"]["persons"]["nodes"] == [{"id": PUPIL}]


@pytest.mark.parametrize(
    "query",
    [
        "{ groups { complete } }",
        "{ groups(filter: {schoolTypes: [GR, FS]}) { complete } }",
        f'{{ groups(filter: {{organisation: ["{PRESCHOOL}"]}}) {{ complete }} }}',
        f'{{ organisation(id: "{PRESCHOOL}") {{ duties {{ dutyRole }} }} }}',
    ],
)
def test_a_list_that_may_hold_what_is_inside_misses_it(query: str) -> None:
    over = stopped(scoped(Part(FS.school_types, BELOW.organisations)))
    assert not answer(over, query, errors=True)["extensions"]["completeness"]["complete"]


def test_a_unit_with_several_forms_of_schooling_is_found_by_each() -> None:
    unit = Record(id=NOWHERE, schoolTypes=["FS", "GR"])
    world = World({"sis": {"Organisation": TREE}, "pre": {"Organisation": [unit]}}, scopes={"pre": FS})
    data = answer(federation(world, fakes(world)), "{ organisations(filter: {schoolTypes: [GR]}) { nodes { id } } }")
    assert data["data"]["organisations"]["nodes"] == [{"id": SCHOOL}, {"id": NOWHERE}]


def test_a_source_cannot_bring_into_being_what_is_outside_its_scope() -> None:
    pre = {"Group": [*PRE["Group"], Record(id=GROUPS[2], displayName="9B", schoolType="GR")]}
    world = World({"sis": SIS, "pre": pre}, scopes={"pre": FS})
    over = federation(world, fakes(world))
    query = f'{{ groups {{ nodes {{ displayName }} }} group(id: "{GROUPS[2]}") {{ displayName }} }}'
    data = answer(over, query)["data"]
    assert data == {"groups": {"nodes": [{"displayName": "9A"}, {"displayName": "Blåsippan"}]}, "group": None}


def test_an_enrolment_outside_the_scope_is_not_heard() -> None:
    world = scoped(FS)
    over = federation(world, fakes(world))
    data = answer(over, f'{{ person(id: "{BOTH}") {{ givenName enrolments {{ schoolTypeText }} }} }}')["data"]
    assert data["person"] == {"givenName": "Cia", "enrolments": [{"schoolTypeText": "GR"}, {"schoolTypeText": "FTH"}]}


def test_without_a_source_for_all_each_speaks_for_its_own_and_none_is_missed_elsewhere() -> None:
    scopes = {"sis": Part(organisations=frozenset({SCHOOL})), "pre": BELOW}
    sis = {"Person": SIS["Person"][:1]}
    pre = {"Person": [Record(id=CHILD, givenName="Bo", enrolments=[at(PRESCHOOL, "FS")])]}
    world = World({"tree": {"Organisation": TREE}, "sis": sis, "pre": pre}, scopes=scopes)
    over = federation(world, fakes(world))
    answer(over, "query($ids: [ID!]!) { personsByIds(ids: $ids) { givenName } }", {"ids": [PUPIL, CHILD]})
    assert asked(over) == {CHILD}  # the first has said where the other belongs
    for name, there, gone in (("sis", CHILD, PUPIL), ("pre", PUPIL, CHILD)):
        for person, complete in ((there, True), (gone, False)):
            over = federation(world, fakes(world))
            over.sources[name].fail()  # type: ignore[attr-defined]
            body = answer(over, f'{{ person(id: "{person}") {{ givenName }} }}', errors=True)
            assert body["extensions"]["completeness"]["complete"] is complete
            assert (body["data"]["person"] is not None) is complete


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)  # fmt: skip
@given(st.sampled_from(["Person", "Group"]).flatmap(lambda name: st.tuples(st.just(name), worlds(name, scopes=True))))
def test_with_a_source_stopped_an_answer_is_complete_if_and_only_if_that_is_out_of_its_scope(
    given_: tuple[str, World],
) -> None:
    resource, world = given_
    name = next(iter(world.scopes))
    without = replace(world, sources={**world.sources, name: {resource: []}})
    plural = RESOURCES[resource].plural
    query = f"query($id: ID!) {{ {plural}ByIds(ids: [$id]) {{ id meta {{ modified }} provenance {{ issues }} }} }}"
    for each in [*IDS[resource], NOWHERE]:
        over = federation(world, fakes(world))
        over.sources[name].fail()  # type: ignore[attr-defined]
        body = answer(over, query, {"id": each}, errors=True)
        assert body["data"] == answer(federation(without, fakes(without)), query, {"id": each})["data"]
        heard, _ = Oracle(without).heard(resource, each)
        assert body["extensions"]["completeness"]["complete"] is (name not in heard)


def below(oracle: Oracle, root: str) -> set[str]:
    """An organisation and all that is shown below it, though some may be heard for other records by another tree."""
    parents = {id: oracle.value("Organisation", id, "parentOrganisation") for id in oracle.listed("Organisation")}
    found, waiting = {root}, {root}
    while waiting:
        waiting = {id for id, parent in parents.items() if parent and parent["id"] in waiting} - found
        found |= waiting
    return found


LISTS: dict[str, tuple[str, Callable[[Oracle, str], bool]]] = {
    "groups(filter: {schoolTypes: [GY]})": ("Group", lambda o, i: o.value("Group", i, "schoolType") == "GY"),
    f'groups(filter: {{organisation: ["{SCHOOL}"]}})': (
        "Group",
        lambda o, i: (o.value("Group", i, "organisation") or {}).get("id") in below(o, SCHOOL),
    ),
    f'duties(filter: {{organisation: "{PRESCHOOLS}"}})': (
        "Duty",
        lambda o, i: (o.value("Duty", i, "dutyAt") or {}).get("id") in below(o, PRESCHOOLS),
    ),
    "organisations(filter: {schoolTypes: [GR]})": (
        "Organisation",
        lambda o, i: "GR" in (o.value("Organisation", i, "schoolTypes") or ()),
    ),
    f'persons(filter: {{relationship: {{entityType: ENROLMENT, organisation: "{SCHOOL}"}}, nameContains: ["a"]}})': (
        "Person",
        lambda o, i: (
            any(each["enroledAt"]["id"] in below(o, SCHOOL) for each in o.value("Person", i, "enrolments") or ())
            and any("a" in (o.value("Person", i, part) or "").lower() for part in ("givenName", "familyName"))
        ),
    ),
}


@settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    worlds(
        "Group",
        "Duty",
        "Organisation",
        "Person",
        columns={
            "Group": ("groupType", "schoolType", "organisation"),
            "Duty": ("dutyAt", "dutyRole"),
            "Organisation": ("parentOrganisation", "schoolTypes"),
            "Person": ("givenName", "familyName", "enrolments"),
        },
        scopes=True,
    )
)
def test_a_list_that_asks_fewer_sources_gives_the_same_records(world: World) -> None:
    oracle, over = Oracle(world), federation(world, fakes(world))
    for field, (resource, selects) in LISTS.items():
        data = answer(over, f"{{ found: {field} {{ nodes {{ id }} }} }}")["data"]
        expected = sorted(each for each in oracle.listed(resource) if selects(oracle, each))
        assert sorted(node["id"] for node in data["found"]["nodes"]) == expected, field


# Conflicts


def conflicts(*records: Mapping[str, object], **decisions: Any) -> list[dict[str, str]]:
    sources = {
        name: {"Person": [dict(record, id=PUPIL)]} for name, record in zip(("a", "b", "c"), records, strict=False)
    }
    world = World(sources, {"Person": Decisions(**decisions)})
    query = f'{{ person(id: "{PUPIL}") {{ provenance {{ conflicts {{ field source }} }} }} }}'
    found: list[dict[str, str]] = answer(federation(world, fakes(world)), query)["data"]["person"]["provenance"][
        "conflicts"
    ]
    return found


def test_what_a_later_source_says_otherwise_is_a_conflict_without_the_value() -> None:
    records = ({"givenName": "Anna"}, {"givenName": "Ann"}, {"givenName": "Anna"})
    assert conflicts(*records) == [{"field": "givenName", "source": "b"}]
    assert conflicts(*records, fields={"givenName": ("b", "c")}) == [{"field": "givenName", "source": "c"}]


def test_none_against_something_is_a_conflict_and_something_against_none_is_not() -> None:
    assert conflicts({"givenName": None}, {"givenName": "Ann"}) == [{"field": "givenName", "source": "b"}]
    assert conflicts({"givenName": "Anna"}, {"givenName": None}, {}) == []


def test_in_a_united_list_the_same_entry_with_another_content_is_a_conflict() -> None:
    one, other = at(SCHOOL, "GR", schoolYear=7), at(SCHOOL, "GR", schoolYear=8)
    assert conflicts({"enrolments": [one]}, {"enrolments": [at(SCHOOL, "GY"), other]}) == [
        {"field": "enrolments", "source": "b"}
    ]
    assert conflicts({"enrolments": [one]}, {"enrolments": [at(SCHOOL, "GY")]}, {"enrolments": [one]}) == []


def test_the_names_in_references_the_order_of_lists_and_the_times_of_change_are_no_conflict() -> None:
    def named(name: str) -> Record:
        return at(SCHOOL, "GR") | {"enroledAt": {"id": SCHOOL, "displayName": name}}

    meta = {"created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"}
    first = {"enrolments": [named("Norra")], "addresses": [{"type": "A"}, {"type": "B"}], "meta": meta}
    second = {"enrolments": [named("Södra")], "addresses": [{"type": "B"}, {"type": "A"}], "meta": None}
    assert conflicts(first, second) == []


def test_the_milder_marking_is_a_conflict() -> None:
    world = World(
        {name: {"Person": [Record(id=PUPIL, securityMarking=marking)]}
         for name, marking in (("a", "Ingen"), ("b", "Sekretessmarkering"))},
        hide_protected=False,
    )  # fmt: skip
    query = f'{{ person(id: "{PUPIL}") {{ provenance {{ conflicts {{ field source }} }} }} }}'
    data = answer(federation(world, fakes(world)), query)["data"]
    assert data["person"]["provenance"]["conflicts"] == [{"field": "securityMarking", "source": "a"}]


# The declaration


def test_every_property_that_says_where_a_record_belongs_is_declared() -> None:
    """All forms of schooling and organisations on the records themselves, and in a person's enrolments."""
    for name, resource in RESOURCES.items():
        places = PLACES.get(name)
        if name in ("Organisation", "Person"):
            continue
        types = [p.name for p in resource.properties if isinstance(p.type, Enumeration) and "SchoolType" in p.type.name]
        units = [p.name for p in resource.properties if p.type == Reference("Organisation")]
        assert (types, units) == (
            [places.school_type] if places and places.school_type else [],
            [places.organisation] if places and places.organisation else [],
        ), name
    enrolments = RESOURCES["Person"].columns["enrolments"].type
    assert isinstance(enrolments, Structure)
    kinds = {prop.name: prop.type for prop in enrolments.properties}
    assert (kinds["schoolType"], kinds["enroledAt"]) == (SCHOOL_TYPE, Reference("Organisation"))
