"""What a profile says of a source's views, filters and expands never changes an answer, only the way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from resolvers.choose import Path, choose
from resolvers.contracts import Limits
from resolvers.relations import RELATIONS
from sources.capabilities import Capabilities, Filter
from sources.records import Slab, View
from sources.standard import RESOURCES
from tests.fakes import FakeSource

from .worlds import DUTIES, GROUPS, ORGANISATIONS, PERSONS, Record, World, answer, federation

TOP, MIDDLE, UNIT = ORGANISATIONS
LACKS = {
    "Organisation": frozenset({"parentOrganisation"}),
    "Person": frozenset({"enrolments", "familyName"}),
    "Group": frozenset({"groupMemberships"}),
    "Duty": frozenset({"person"}),
}
SIS: dict[str, list[Record]] = {
    "Organisation": [
        {"id": TOP, "displayName": "Top"},
        {"id": MIDDLE, "displayName": "Middle", "parentOrganisation": {"id": TOP}},
        {"id": UNIT, "displayName": "Unit", "parentOrganisation": {"id": MIDDLE}},
    ],
    "Person": [
        {
            "id": each,
            "givenName": f"Given {number}",
            "familyName": f"Family {9 - number}",
            "enrolments": [{"enroledAt": {"id": UNIT if number % 2 else MIDDLE}, "schoolYear": number}],
        }
        for number, each in enumerate(PERSONS)
    ],
    "Group": [
        {"id": each, "displayName": f"Group {number}", "organisation": {"id": UNIT},
         "groupMemberships": [{"person": {"id": person}} for person in PERSONS[number:]]}
        for number, each in enumerate(GROUPS)
    ],
    "Duty": [
        {"id": each, "person": {"id": person}, "dutyAt": {"id": UNIT}, "dutyRole": "Lärare"}
        for each, person in zip(DUTIES, PERSONS, strict=False)
    ],
}  # fmt: skip

QUERIES = [
    "{ persons { nodes { id familyName enrolments { schoolYear } } } }",
    "{ persons(first: 2) { nodes { familyName } pageInfo { hasNextPage } } }",
    "{ persons(orderBy: [FAMILY_NAME_ASC]) { nodes { familyName } } }",
    '{ persons(filter: {nameContains: ["family 8"]}) { nodes { familyName } } }',
    f'{{ person(id: "{PERSONS[0]}") {{ familyName groupMemberships {{ group {{ displayName }} }} }} }}',
    f'{{ organisation(id: "{UNIT}") {{ parentOrganisation {{ displayName }} enrolments {{ person {{ id }} }} }} }}',
    f'{{ duties(filter: {{organisation: "{TOP}"}}) {{ nodes {{ id person {{ familyName }} }} }} }}',
    "{ groups { nodes { displayName groupMemberships { person { familyName duties { id } } } } } }",
]


class Partial(FakeSource):
    """Its lists lack what its capabilities say."""

    def _slab(self, resource: str, view: View, records: Sequence[Record]) -> Slab:
        lacks = self.capabilities.list_lacks.get(resource, frozenset()) if view is View.LIST else frozenset()
        return super()._slab(resource, view, [{k: v for k, v in r.items() if k not in lacks} for r in records])


def data(source: FakeSource, query: str) -> Any:
    return answer(federation(World({"sis": SIS}), {"sis": source}), query)["data"]


@pytest.mark.parametrize("query", QUERIES)
def test_lists_that_lack_properties_change_no_answer(query: str) -> None:
    whole = data(FakeSource("sis", SIS, page_size=2), query)
    assert data(Partial("sis", SIS, page_size=2, list_lacks=LACKS), query) == whole
    alone = Partial("sis", SIS, page_size=2, list_lacks=LACKS, no_lookup=frozenset(SIS))
    assert data(alone, query) == whole


def test_a_list_that_is_whole_is_not_completed_one_by_one() -> None:
    query = "{ persons { nodes { familyName } } }"
    whole, partial = FakeSource("sis", SIS), Partial("sis", SIS, list_lacks=LACKS)
    data(whole, query), data(partial, query)
    assert [call.op for call in whole.calls] == ["page"]
    assert [call.op for call in partial.calls] == ["page", "lookup"]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({}, None),
        ({"null_is_absent": True}, "from hr"),
        ({"null_is_absent": True, "holds": {"Person": frozenset({"givenName"})}}, None),
    ],
)
def test_a_null_says_none_unless_the_profile_says_that_it_says_nothing(profile: Any, expected: str | None) -> None:
    """What the profile holds is known: there, absent means none."""
    sources = {
        "sis": FakeSource("sis", {"Person": [{"id": PERSONS[0], "givenName": None}]}, **profile),
        "hr": FakeSource("hr", {"Person": [{"id": PERSONS[0], "givenName": "from hr"}]}),
    }
    world = World({name: source.records for name, source in sources.items()})
    found = answer(federation(world, sources), "{ persons { nodes { givenName } } }")["data"]["persons"]["nodes"]
    assert found == [{"givenName": expected}]


RELATION = {relation.name: relation for relation in RELATIONS}
NEEDS_TYPE = {"relationship.organisation": "relationship.entity.type"}
NEEDS_NAME = {"relationship.organisation": "nameContains"}
WHOLE = Capabilities(frozenset(RESOURCES))


@pytest.mark.parametrize(
    ("relation", "parents", "changes", "expected"),
    [
        ("Duty.person", 1, {}, Path.FILTER),
        ("Duty.person", 1, {"filters": {"Duty": {"person": Filter.SUPERSET}}}, Path.FILTER),
        ("Duty.person", 1, {"filters": {"Duty": {"person": Filter.UNKNOWN}}}, Path.EXPAND),
        ("Duty.person", 1, {"filters": {"Duty": {"*": Filter.IGNORED, "person": Filter.EXACT}}}, Path.FILTER),
        ("Duty.person", 9, {}, Path.EXPAND),
        ("Person.enrolments.enroledAt", 1, {"filters_with": {"Person": NEEDS_TYPE}}, Path.FILTER),
        ("Person.enrolments.enroledAt", 1, {"filters_with": {"Person": NEEDS_NAME}}, Path.SCAN),
        ("Duty.person", 9, {"expand": {"Person": frozenset({"duties"})}}, Path.EXPAND),
        ("Duty.person", 9, {"expand": {"Person": frozenset({"placements"})}}, Path.SCAN),
        ("Duty.person", 9, {"lookup": {"Person": frozenset({"civicNos"})}}, Path.SCAN),
        ("Attendance.calendarEvent", 9, {}, Path.LOOKUP),
        ("Attendance.calendarEvent", 9, {"lookup": {"Attendance": frozenset({"ids"})}}, Path.SCAN),
    ],
)
def test_only_a_way_that_the_source_knows_is_taken(relation: str, parents: int, changes: Any, expected: Path) -> None:
    assert choose(RELATION[relation], parents, replace(WHOLE, **changes), None, Limits()).path is expected
