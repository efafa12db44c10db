"""Every reference of the standard, forwards and backwards, over the six sources: what the raw records say.

The list of references is the one written out by hand in ``tests.official_relations``, never the gateway's own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLNonNull, GraphQLObjectType

from gateway.app import schema
from gateway.assemble import Assembled
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers, start
from sources.standard import RESOURCES
from sources.standard.model import Property, Reference, Resource, Structure
from sources.standard.values import references

from .conftest import oracle_of
from .harness import ask, over
from .official_relations import OFFICIAL, OfficialRelation
from .oracle import Oracle, Record, ids_at, kind_at
from .oracle_query import answer

over_the_gateway = pytest.mark.asyncio(loop_scope="module")

FIRST, LAST = date(2026, 3, 23), date(2026, 3, 24)
DURING = f'during: {{from: "{FIRST}", to: "{LAST}"}}'
"""Two days with something of everything that happens, while all of it reaches beyond them."""
HANDFUL = 4
DERIVED = {
    "CalendarEvent": {"participants", "teachersInEffect"},
    "Duty": {"calendarEvents"},
    "Group": {"calendarEvents", "members"},
    "Person": {"schedule"},
    "Placement": {"attendanceTimes"},
}
"""Fields of our own that look like relations; they have tests of their own."""


def told_apart(town: Municipality) -> Municipality:
    """The same, but every third grade is registered by somebody else than the grading teacher."""
    sources = {name: dict(resources) for name, resources in town.sources.items()}
    clerk = sources["hr"]["Person"][0]["id"]
    sources["lms"]["Grade"] = [
        grade if place % 3 else {**grade, "registeredBy": {"id": clerk}}
        for place, grade in enumerate(sources["lms"]["Grade"])
    ]
    return replace(town, sources=sources)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(town: Municipality) -> AsyncIterator[DemoServers]:
    async with await start(told_apart(town)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(servers: DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(servers)
    yield assembled
    await assembled.aclose()


@pytest.fixture(scope="module")
def expected(town: Municipality, servers: DemoServers) -> Oracle:
    return oracle_of(told_apart(town), servers)


# Queries


def leaves(kind: Resource | Structure) -> list[str]:
    """The fields of a type that need no selection of their own."""
    return ["id"] * isinstance(kind, Resource) + [
        prop.name for prop in kind.properties if prop.name != "id" and not isinstance(prop.type, Reference | Structure)
    ]


def selection(kind: object, path: Sequence[str], at_end: str) -> str:
    """Nested fields along a path, with all leaves of whatever it passes, and ``at_end`` innermost."""
    assert isinstance(kind, Resource | Structure)
    inner = selection(kind_at(kind, path[:1]), path[1:], at_end) if len(path) > 1 else at_end
    return " ".join([*leaves(kind), path[0], "{", inner, "}"])


def forwards(relation: OfficialRelation) -> str:
    owner, target = RESOURCES[relation.owner], RESOURCES[relation.target]
    return selection(owner, relation.path, " ".join(leaves(target)))


def backwards(relation: OfficialRelation) -> str:
    owner = RESOURCES[relation.owner]
    arguments = f"({DURING})" if relation.window else ""
    if relation.back is None:
        return f"{relation.inverse}{arguments} {{ {' '.join(leaves(owner))} }}"
    structure = kind_at(owner, relation.path[:-1])
    assert isinstance(structure, Structure)
    return f"{relation.inverse}{arguments} {{ {' '.join(leaves(structure))} {relation.back} {{ id }} }}"


def some(found: Sequence[str]) -> list[str]:
    """A handful, from everywhere in the list."""
    return sorted(found)[:: max(1, len(found) // HANDFUL)][:HANDFUL]


async def compare(gateway: Assembled, expected: Oracle, query: str, **variables: Any) -> dict[str, Any]:
    said = await ask(gateway.federation, query, variables)
    assert "errors" not in said, said["errors"]
    assert said["data"] == answer(expected, query, variables)
    data: dict[str, Any] = said["data"]
    return data


# The relations


def test_the_list_is_the_standards() -> None:
    """As the declarations have it, which are themselves held against the official file."""
    assert len(OFFICIAL) == 51
    assert {(each.owner, each.path, each.target) for each in OFFICIAL} == {each[:3] for each in references()}


def test_the_data_tell_relations_apart(expected: Oracle) -> None:
    """Where two references lead from one resource to another, their inverses differ; else a mix-up would not show."""
    facts = {each: indexed(expected, each) for each in OFFICIAL}
    alike = [
        (str(one), str(other))
        for one in OFFICIAL
        for other in OFFICIAL
        if str(one) < str(other)
        and (one.owner, one.target) == (other.owner, other.target)
        and facts[one] == facts[other]
    ]
    assert alike == []


def indexed(expected: Oracle, relation: OfficialRelation) -> dict[str, list[str]]:
    """Per id that the relation leads to, the ids of the owners."""
    named = {id for record in expected.all(relation.owner) for id in ids_at(record.values, relation.path)}
    return {id: [owner.id for owner in expected.owners(relation, id)] for id in named}


@over_the_gateway
@pytest.mark.parametrize("relation", OFFICIAL, ids=str)
async def test_backwards(gateway: Assembled, expected: Oracle, relation: OfficialRelation) -> None:
    def given(id: str) -> bool:
        found: Sequence[Any] = (
            expected.owners(relation, id) if relation.back is None else expected.entries_to(relation, id)
        )
        return any(not relation.window or expected.in_period(each, (FIRST, LAST)) for each in found)

    targets = [record.id for record in expected.all(relation.target)]
    having = [id for id in targets if given(id)]
    assert having, "the demonstration does not show this relation"
    asked = [*some(having), *some([id for id in targets if not given(id)])[:1]]
    plural = RESOURCES[relation.target].plural
    query = f"query($ids: [ID!]!) {{ {plural}ByIds(ids: $ids) {{ id {backwards(relation)} }} }}"
    data = await compare(gateway, expected, query, ids=asked)
    assert any(each[relation.inverse] for each in data[f"{plural}ByIds"])


@over_the_gateway
@pytest.mark.parametrize("relation", OFFICIAL, ids=str)
async def test_forwards(gateway: Assembled, expected: Oracle, relation: OfficialRelation) -> None:
    def leads_on(record: Record) -> bool:
        return any(True for _ in ids_at(record.values, relation.path))

    owner = RESOURCES[relation.owner]
    having = [record for record in expected.all(relation.owner) if leads_on(record)]
    if owner.get:
        query = f"query($ids: [ID!]!) {{ {owner.plural}ByIds(ids: $ids) {{ {forwards(relation)} }} }}"
        asked = some([record.id for record in having])
    else:  # without ids of its own it is found through those it is about
        inverse = f"{owner.plural}({DURING}) {{ {forwards(relation)} }}"
        query = f"query($ids: [ID!]!) {{ personsByIds(ids: $ids) {{ {inverse} }} }}"
        asked = some([record["student"]["id"] for record in having])
    assert asked, "the demonstration does not show this relation"
    await compare(gateway, expected, query, ids=asked)


# The schema


def inverses(type_name: str) -> set[str]:
    """The fields of a type that are no properties of the standard's resource, and not our own either."""
    type_ = schema()._schema.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    own = {"id", "meta", "displayName", "provenance", "raw"} | DERIVED.get(type_name, set())
    return set(type_.fields) - own - set(_names(RESOURCES[type_name].properties))


def _names(properties: Sequence[Property]) -> Iterator[str]:
    for prop in properties:
        yield prop.name
        yield f"{prop.name}Text"


@pytest.mark.parametrize("name", RESOURCES)
def test_a_type_has_these_inverse_fields_and_no_other(name: str) -> None:
    official = {each.inverse for each in OFFICIAL if each.target == name}
    own_properties = {prop.name for prop in RESOURCES[name].properties}
    assert inverses(name) == official - own_properties
    assert not official & own_properties, "an inverse would stand over a property"


@pytest.mark.parametrize("relation", OFFICIAL, ids=str)
def test_an_inverse_demands_a_period_where_it_would_be_boundless(relation: OfficialRelation) -> None:
    type_ = schema()._schema.type_map[relation.target]
    assert isinstance(type_, GraphQLObjectType)
    during = type_.fields[relation.inverse].args.get("during")
    assert (during is not None and isinstance(during.type, GraphQLNonNull)) == relation.window
