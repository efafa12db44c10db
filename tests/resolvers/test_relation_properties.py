"""Relations backwards over random sources: the merged owning property decides who stands in a relation.

What each source says of it are candidates only, and a record that no population source has stands in none.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from .oracle import Oracle
from .worlds import IDS, World, answer, fakes, federation, worlds

COLUMNS = {
    "Person": ("securityMarking", "enrolments", "responsibles"),
    "Group": ("organisation", "groupMemberships"),
    "Organisation": ("parentOrganisation",),
    "Duty": ("person", "dutyAt", "assignmentRole"),
}

QUERY = """query($persons: [ID!]!, $groups: [ID!]!, $organisations: [ID!]!) {
    personsByIds(ids: $persons) {
        id
        duties { id }
        groupMemberships { group { id } startDate endDate }
        responsibleFor { person { id } relationTypeText }
    }
    groupsByIds(ids: $groups) { id assignmentRoles { duty { id } startDate endDate } }
    organisationsByIds(ids: $organisations) {
        id
        children { id }
        duties { id }
        groups { id }
        enrolments { person { id } schoolTypeText startDate endDate }
    }
}"""


def owners(oracle: Oracle, resource: str) -> list[str]:
    """The visible records of a resource, in the order of their ids."""
    return [each for each in sorted(IDS[resource]) if oracle.visible(resource, each)]


def referring(oracle: Oracle, resource: str, column: str, to: str) -> list[dict[str, Any]]:
    """The records whose merged reference leads to ``to``."""
    found = [(each, oracle.value(resource, each, column)) for each in owners(oracle, resource)]
    return [{"id": each} for each, reference in found if reference is not None and reference["id"] == to]


def holding(oracle: Oracle, resource: str, column: str, inner: str, to: str) -> list[tuple[str, dict[str, Any]]]:
    """The entries of merged lists that refer to ``to``, each with the id of its record."""
    return [
        (each, entry)
        for each in owners(oracle, resource)
        for entry in oracle.value(resource, each, column) or ()
        if entry[inner]["id"] == to
    ]


def days(entry: dict[str, Any]) -> dict[str, Any]:
    return {"startDate": entry.get("startDate"), "endDate": entry.get("endDate")}


def expected(oracle: Oracle) -> dict[str, Any]:
    persons = {
        id: {
            "id": id,
            "duties": referring(oracle, "Duty", "person", id),
            "groupMemberships": [
                {"group": {"id": group}, **days(entry)}
                for group, entry in holding(oracle, "Group", "groupMemberships", "person", id)
            ],
            "responsibleFor": [
                {"person": {"id": child}, "relationTypeText": entry["relationType"]}
                for child, entry in holding(oracle, "Person", "responsibles", "person", id)
            ],
        }
        for id in owners(oracle, "Person")
    }
    groups = {
        id: {
            "id": id,
            "assignmentRoles": [
                {"duty": {"id": duty}, **days(entry)}
                for duty, entry in holding(oracle, "Duty", "assignmentRole", "group", id)
            ],
        }
        for id in owners(oracle, "Group")
    }
    organisations = {
        id: {
            "id": id,
            "children": referring(oracle, "Organisation", "parentOrganisation", id),
            "duties": referring(oracle, "Duty", "dutyAt", id),
            "groups": referring(oracle, "Group", "organisation", id),
            "enrolments": [
                {"person": {"id": person}, "schoolTypeText": entry["schoolType"], **days(entry)}
                for person, entry in holding(oracle, "Person", "enrolments", "enroledAt", id)
            ],
        }
        for id in owners(oracle, "Organisation")
    }
    return {
        "personsByIds": [persons.get(id) for id in IDS["Person"]],
        "groupsByIds": [groups.get(id) for id in IDS["Group"]],
        "organisationsByIds": [organisations.get(id) for id in IDS["Organisation"]],
    }


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(worlds("Person", "Group", "Organisation", "Duty", columns=COLUMNS))
def test_inverses_follow_the_merged_owning_property(world: World) -> None:
    over = federation(world, fakes(world))
    ids = {"persons": IDS["Person"], "groups": IDS["Group"], "organisations": IDS["Organisation"]}
    assert answer(over, QUERY, ids)["data"] == expected(Oracle(world))
