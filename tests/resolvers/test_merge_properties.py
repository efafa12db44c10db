"""The laws of one answer over random sources that overlap, and random decisions over them, against an oracle.

One query per example asks for the whole list and for every record by id, with a random part of the properties: what is
not asked for must not be needed, and what is asked for must not depend on what else is.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.standard import RESOURCES

from .oracle import Oracle, selection
from .worlds import (
    DUTIES,
    IDS,
    NOWHERE,
    PERSONS,
    SELECTABLE,
    Decisions,
    Record,
    World,
    answer,
    fakes,
    federation,
    worlds,
)

EXAMPLES = 550
thorough = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def selections(draw: st.DrawFn, resource: str) -> tuple[tuple[str, ...], bool]:
    """Some properties, and whether to ask for provenance."""
    every = (*SELECTABLE[resource], "displayName") if resource in ("Person", "Duty") else SELECTABLE[resource]
    some = st.integers(0, 2 ** len(every) - 1)
    # Now and then a single property: then nothing else leads to the sources that speak for it.
    chosen = draw(st.one_of(some, some, st.sampled_from([1 << place for place in range(len(every))])))
    return tuple(name for place, name in enumerate(every) if chosen >> place & 1), draw(st.booleans())


def check(world: World, resource: str, columns: Sequence[str], provenance: bool) -> None:
    """The list and every record by id are what the oracle says."""
    oracle = Oracle(world)
    plural = RESOURCES[resource].plural
    fields = selection(resource, columns, provenance=provenance)
    asked = [*IDS[resource], NOWHERE]
    over = federation(world, fakes(world))
    query = f"""query($ids: [ID!]!) {{
        {plural} {{ nodes {{ {fields} }} complete gaps {{ source }} pageInfo {{ hasNextPage }} }}
        {plural}ByIds(ids: $ids) {{ {fields} }}
    }}"""
    data = answer(over, query, {"ids": asked})["data"]
    listed = [oracle.record(resource, id, columns, provenance=provenance) for id in oracle.listed(resource)]
    by_id = [
        oracle.record(resource, id, columns, provenance=provenance) if oracle.visible(resource, id) else None
        for id in asked
    ]
    assert data[plural] == {"nodes": listed, "complete": True, "gaps": [], "pageInfo": {"hasNextPage": False}}
    assert data[f"{plural}ByIds"] == by_id


@thorough
@given(worlds("Person"), selections("Person"))
def test_persons(world: World, selected: tuple[tuple[str, ...], bool]) -> None:
    check(world, "Person", *selected)


@thorough
@given(worlds("Organisation"), selections("Organisation"))
def test_organisations(world: World, selected: tuple[tuple[str, ...], bool]) -> None:
    check(world, "Organisation", *selected)


PEOPLE = {"Person": ("securityMarking", "givenName")}


@thorough
@given(worlds("Group", "Person", columns=PEOPLE), selections("Group"))
def test_groups(world: World, selected: tuple[tuple[str, ...], bool]) -> None:
    check(world, "Group", *selected)


@thorough
@given(worlds("Duty", "Person", columns=PEOPLE), selections("Duty"))
def test_duties(world: World, selected: tuple[tuple[str, ...], bool]) -> None:
    check(world, "Duty", *selected)


def test_a_name_is_asked_of_those_that_speak_for_its_parts() -> None:
    """Also where nothing else is selected, and where they may not bring a record into being."""
    person, duty = Record(id=PERSONS[0], familyName="Berg"), Record(id=DUTIES[0])
    more = {"Person": [Record(id=PERSONS[0], givenName="Anna")], "Duty": [Record(id=DUTIES[0], signature="ABC")]}
    world = World(
        {"sis": {"Person": [person], "Duty": [duty]}, "hr": more},
        {"Person": Decisions(exists=("sis",)), "Duty": Decisions(exists=("sis",))},
        {"hr": {"Person": frozenset({"givenName"})}},
    )
    query = "{ persons { nodes { displayName } } duties { nodes { displayName } } }"
    data = answer(federation(world, fakes(world)), query)["data"]
    assert data["persons"]["nodes"] == [{"displayName": "Anna Berg"}]
    assert data["duties"]["nodes"] == [{"displayName": "ABC"}]
