"""Filters that other records decide, over random huvudmän: sources disagree, leave out, mark, filter as they like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.capabilities import Filter
from sources.standard import RESOURCES
from tests.fakes import FakeSource

from .oracle import Oracle
from .worlds import GROUPS, NOWHERE, ORGANISATIONS, PERSONS, World, answer, fakes, federation, worlds

DAY = "2026-01-31"
COLUMNS = {
    "Organisation": ("parentOrganisation", "organisationType"),
    "Person": ("givenName", "securityMarking", "enrolments", "responsibles"),
    "Group": ("displayName", "organisation", "groupMemberships"),
    "Duty": ("person", "dutyAt", "assignmentRole", "startDate", "endDate"),
}
Read = Callable[[str], Any]


class Meaning:
    """What the filters select, from the merged values alone."""

    def __init__(self, world: World) -> None:
        self.oracle = Oracle(world)

    def read(self, resource: str, id: str) -> Read:
        return lambda column: self.oracle.value(resource, id, column)

    def listed(self, resource: str) -> list[str]:
        return self.oracle.listed(resource)

    def below(self, id: str | None, top: str) -> bool:
        seen: set[str] = set()
        while id is not None and id not in seen:
            if id == top:
                return True
            seen.add(id)
            id = to(self.oracle.value("Organisation", id, "parentOrganisation"))
        return False

    def relations(self, kind: str) -> Iterator[tuple[str | None, str | None, Any]]:
        """The person of each relation of a kind, the organisation, and what holds its dates."""
        if kind == "ENROLMENT":
            for person in self.listed("Person"):
                for entry in self.read("Person", person)("enrolments") or ():
                    yield person, to(entry.get("enroledAt")), entry
        if kind == "RESPONSIBLEFOR_ENROLMENT":
            for child in self.listed("Person"):
                for responsible in self.read("Person", child)("responsibles") or ():
                    for entry in self.read("Person", child)("enrolments") or ():
                        yield to(responsible.get("person")), to(entry.get("enroledAt")), entry
        if kind == "DUTY":
            for duty in self.listed("Duty"):
                read = self.read("Duty", duty)
                yield to(read("person")), to(read("dutyAt")), {c: read(c) for c in ("startDate", "endDate")}
        if kind == "GROUPMEMBERSHIP":
            at = {group: to(self.read("Group", group)("organisation")) for group in self.listed("Group")}
            for group, organisation in at.items():
                for entry in self.read("Group", group)("groupMemberships") or ():
                    yield to(entry.get("person")), organisation, entry
            for duty in self.listed("Duty"):
                for role in self.read("Duty", duty)("assignmentRole") or ():
                    if to(role["group"]) in at:
                        yield to(self.read("Duty", duty)("person")), at[role["group"]["id"]], role

    def related(self, kind: str, organisation: str | None, on: str | None) -> set[str]:
        return {
            person
            for person, at, dates in self.relations(kind)
            if person is not None
            and (organisation is None or self.below(at, organisation))
            and (on is None or holds(dates, on))
        } & {*self.listed("Person")}


def to(reference: Any) -> str | None:
    return None if reference is None else str(reference["id"])


def holds(dates: Any, on: str) -> bool:
    return (dates.get("startDate") or on) <= on <= (dates.get("endDate") or on)


def ids(page: Any) -> set[str]:
    found = [node["id"] for node in page["nodes"]]
    assert len(found) == len(set(found))
    return set(found)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    worlds(*COLUMNS, columns=COLUMNS),
    st.sampled_from(["ENROLMENT", "RESPONSIBLEFOR_ENROLMENT", "DUTY", "GROUPMEMBERSHIP"]),
    st.sampled_from([*ORGANISATIONS, NOWHERE, None]),
    st.sampled_from([DAY, None]),
    st.lists(st.sampled_from(list(Filter)), min_size=8, max_size=8),
)
def test_filters_by_what_other_records_say(
    world: World, kind: str, organisation: str | None, on: str | None, known: list[Filter]
) -> None:
    meaning = Meaning(world)
    sources: dict[str, FakeSource] = fakes(world)
    profiles = cycle(known)
    for source in sources.values():
        names = ("Person", "Group", "Duty")
        every = {name: {p.name: next(profiles) for p in RESOURCES[name].parameters[:2]} for name in names}
        object.__setattr__(source.capabilities, "filters", {n: {"*": next(profiles), **every[n]} for n in names})
    at = organisation or ORGANISATIONS[0]
    when = f', startDate: {{onOrBefore: "{on}"}}, endDate: {{onOrAfter: "{on}"}}' if on else ""
    where = f', organisation: "{organisation}"' if organisation else ""
    data = answer(
        federation(world, sources),
        f"""{{
        persons(filter: {{relationship: {{entityType: {kind}{where}{when}}}}}) {{ nodes {{ id }} }}
        groups(filter: {{organisation: ["{at}"]}}) {{ nodes {{ id }} }}
        alone: groups(filter: {{organisation: ["{at}"], subtree: false}}) {{ nodes {{ id }} }}
        member: groups(filter: {{member: "{PERSONS[0]}"}}) {{ nodes {{ id }} }}
        memberOf: persons(filter: {{memberOf: {{group: ["{GROUPS[0]}"], on: "{DAY}"}}}}) {{ nodes {{ id }} }}
        duties(filter: {{organisation: "{at}"}}) {{ nodes {{ id }} }}
        }}""",
    )["data"]
    assert ids(data["persons"]) == meaning.related(kind, organisation, on)
    groups = {group: meaning.read("Group", group) for group in meaning.listed("Group")}
    assert ids(data["groups"]) == {g for g, read in groups.items() if meaning.below(to(read("organisation")), at)}
    assert ids(data["alone"]) == {g for g, read in groups.items() if to(read("organisation")) == at}
    shown = PERSONS[0] if not meaning.oracle.hidden("Person", PERSONS[0]) else None
    members = {g: [(to(e.get("person")), e) for e in read("groupMemberships") or ()] for g, read in groups.items()}
    assert ids(data["member"]) == {g for g, found in members.items() if shown in [who for who, _ in found] and shown}
    active = {who for who, entry in members.get(GROUPS[0], ()) if holds(entry, DAY)}
    assert ids(data["memberOf"]) == active & {*meaning.listed("Person")}
    duties = {duty: meaning.read("Duty", duty) for duty in meaning.listed("Duty")}
    assert ids(data["duties"]) == {d for d, read in duties.items() if meaning.below(to(read("dutyAt")), at)}
