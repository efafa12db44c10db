"""Every query parameter of every resource, over the six sources, against the oracle.

What a parameter means is written here once more, from the standard's text: by its name where that says it, and by a
function of its own where the record alone does not.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Parameter, Scalar

from .harness import ask, over
from .official_relations import OFFICIAL, OfficialRelation
from .oracle import STOCKHOLM, Oracle, Raw, Record, ids_at, instant, values_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

Given = Mapping[str, Sequence[str]]
"""Parameters and the values asked for; all of them must hold, each by any of its values."""

WINDOWS: Mapping[str, Given] = {
    "CalendarEvent": {
        "startTime.onOrAfter": ["2000-01-01T00:00:00Z"],
        "startTime.onOrBefore": ["2100-01-01T00:00:00Z"],
    },
    "AggregatedAttendance": {"startDate": ["2000-01-01"], "endDate": ["2100-01-01"]},
}
"""What a list must be asked for, wide enough to hold everything."""
DURING = (date(2026, 3, 18), date(2026, 3, 24))
NOBODY = "00000000-0000-4000-8000-00000000dead"
BOUNDS = ("onOrBefore", "onOrAfter", "before", "after")

COLUMNS = {
    ("Organisation", "parent"): "parentOrganisation", ("Organisation", "type"): "organisationType",
    ("Placement", "organisation"): "placedAt", ("Placement", "owner"): "owners", ("Group", "schoolTypes"): "schoolType",
    ("SchoolUnitOffering", "organisation"): "offeredAt", ("Activity", "teacher"): "teachers.duty",
    ("Activity", "group"): "groups", ("Resource", "organisation"): "owner", ("Room", "organisation"): "owner",
    ("Person", "civicNo"): "civicNo.value", ("Person", "eduPersonPrincipalName"): "eduPersonPrincipalNames",
    ("Person", "identifier.value"): "externalIdentifiers.value",
    ("Person", "identifier.context"): "externalIdentifiers.context",
}  # fmt: skip
"""The property that a parameter is about, where it does not have the property's name."""


@dataclass(eq=False)
class Facts:
    """Merged records, and what each source knows: its own records, and behind them those that it does not publish."""

    oracle: Oracle
    town: Municipality
    _known: dict[tuple[str, str], dict[str, Raw]] = field(default_factory=dict)

    def known(self, source: str, resource: str) -> dict[str, Raw]:
        if (source, resource) not in self._known:
            own = self.town.sources[source].get(resource, ())
            self._known[source, resource] = {raw["id"]: raw for raw in (*self.town.background[resource], *own)}
        return self._known[source, resource]

    def above(self, organisation: str) -> set[str]:
        """The organisation and all above it: those in whose subtree it lies."""
        found: set[str] = set()
        waiting = [organisation]
        while waiting:
            found.add(each := waiting.pop())
            waiting += set(ids_at(self.oracle.record("Organisation", each)["parentOrganisation"], ())) - found
        return found

    def activity(self, source: str, record: Record) -> Raw:
        """The activity of an event or a sum, as the source knows it."""
        return self.known(source, "Activity")[record["activity"]["id"]]

    def groups(self, source: str, record: Record) -> list[Raw]:
        known = self.known(source, "Group")
        return [known[id] for id in ids_at(self.activity(source, record).get("groups"), ()) if id in known]


JOINED: Mapping[tuple[str, str], Callable[[Facts, Record], set[str]]] = {
    ("Duty", "organisation"): lambda f, r: f.above(r["dutyAt"]["id"]),
    ("Activity", "organisation"): lambda f, r: f.above(r["organisation"]["id"]),
    ("CalendarEvent", "organisation"): lambda f, r: f.above(f.activity("schema", r)["organisation"]["id"]),
    ("CalendarEvent", "group"): lambda f, r: set(ids_at(f.activity("schema", r)["groups"], ())),
    ("CalendarEvent", "teacher"): lambda f, r: {
        *ids_at(f.activity("schema", r).get("teachers"), ("duty",)),
        *ids_at(r["teacherExceptions"], ("duty",)),
    },
    ("CalendarEvent", "student"): lambda f, r: {
        *ids_at(f.groups("schema", r), ("groupMemberships", "person")),
        *ids_at(r["studentExceptions"], ("student",)),
    },
    ("AttendanceSchedule", "group"): lambda f, r: {
        *ids_at(f.known("forskola", "Placement")[r["placement"]["id"]].get("group"), ())
    },
    ("AggregatedAttendance", "organisation"): lambda f, r: {f.activity("narvaro", r)["organisation"]["id"]},
    ("AggregatedAttendance", "schoolType"): lambda f, r: {
        str(group["schoolType"]) for group in f.groups("narvaro", r) if group.get("schoolType")
    },
}
"""What only other records show: the values by which a record is selected, whatever the dates of what is between."""
UNSHOWN = [each for each in JOINED if each not in {("Duty", "organisation"), ("Activity", "organisation")}]
"""Those that the record does not show at all: answered by the one source that serves the resource."""
REFUSED = {("Activity", "member"), ("Attendance", "organisation")}
"""Not shown by the record either, and served by several sources."""

PARAMETERS = [
    (resource.name, parameter.name)
    for resource in RESOURCES.values()
    for parameter in resource.parameters
    if not parameter.required and not parameter.name.startswith("relationship.")
]
ANSWERED = [each for each in PARAMETERS if each not in REFUSED]


# What the standard says


def shown(facts: Facts, record: Record, parameter: str) -> set[str]:
    """The values that a record has for a parameter; a reference's value is its id."""
    name = record.resource.name
    if (name, parameter) in JOINED:
        return JOINED[name, parameter](facts, record)
    column, _, bound = parameter.rpartition(".")
    path = (column if bound in BOUNDS else COLUMNS.get((name, parameter), parameter)).split(".")
    return {str(each["id"] if isinstance(each, dict) else each) for each in values_at(record.values, path)}


def holds(facts: Facts, record: Record, parameter: str, values: Sequence[str]) -> bool:
    """Whether a record is selected by one parameter. The id of somebody who is not shown selects nothing."""
    name = record.resource.name
    if parameter == "nameContains":
        names = [str(record[each]).lower() for each in ("givenName", "middleName", "familyName") if record[each]]
        return bool(values) and all(any(term.lower() in each for each in names) for term in values)
    if name == "AggregatedAttendance" and parameter == "startDate":  # a row that shares a day with the window
        return bool(record["endDate"] >= values[0])
    if name == "AggregatedAttendance" and parameter == "endDate":
        return bool(record["startDate"] <= values[0])
    column, _, bound = parameter.rpartition(".")
    found = shown(facts, record, parameter)
    if bound not in BOUNDS:
        return any(not facts.oracle.hidden(facts.oracle.record("Person", value)) for value in found & {*values})
    if not found:
        return column == "endDate" or (column == "startDate" and name in ("Organisation", "StudyPlan"))
    is_time = "T" in values[0]
    here, limit = (instant(each) if is_time else each for each in (*found, values[0]))
    if bound == "after" or (name == "Absence" and bound == "onOrAfter"):
        return bool(here > limit)
    return bool(here <= limit if bound in ("onOrBefore", "before") else here >= limit)


def selected(facts: Facts, record: Record, given: Given) -> bool:
    """Whether all parameters hold; those of an identifier for one and the same identifier, of a relation likewise."""
    for group, column, fits in (
        ("identifier.", "externalIdentifiers", identified),
        ("relationship.", "enrolments", related),
    ):
        part = {name.removeprefix(group): values[0] for name, values in given.items() if name.startswith(group)}
        if part and not any(fits(entry, part) for entry in record[column] or ()):
            return False
    alone = {n: values for n, values in given.items() if not n.startswith(("identifier.", "relationship."))}
    return all(holds(facts, record, name, values) for name, values in alone.items())


def identified(entry: Raw, part: Mapping[str, str]) -> bool:
    return all(entry[name] == value for name, value in part.items())


def related(entry: Raw, part: Mapping[str, str]) -> bool:
    """Whether an enrolment is with the organisation and within the dates; a date that it lacks fits."""
    for name, value in part.items():
        column, _, bound = name.partition(".")
        if name == "organisation" and entry["enroledAt"]["id"] != value:
            return False
        if column in ("startDate", "endDate") and entry.get(column) is not None:
            fits = entry[column] <= value if bound == "onOrBefore" else entry[column] >= value
            if not fits:
                return False
    return True


# What to ask for


def shift(value: str, days: int) -> str:
    """A date or date-time some days later."""
    if "T" in value:
        return (datetime.fromisoformat(value) + timedelta(days)).isoformat()
    return (date.fromisoformat(value) + timedelta(days)).isoformat()


def in_zone(value: str, of_utc: bool) -> str:
    """The same instant, written in UTC or in Swedish time."""
    return datetime.fromisoformat(value).astimezone(UTC if of_utc else STOCKHOLM).isoformat()


def examples(facts: Facts, records: Sequence[Record], parameter: Parameter, rng: random.Random) -> list[list[str]]:
    """Values to ask for: some from the data, at and around them; several at once; none; one that nothing has."""
    name = parameter.name
    if name == "nameContains":
        one = rng.choice(records)
        return [[one["givenName"][:3].upper(), one["familyName"][-3:]], ["e", "a", "n"], ["Å", "Ö"], ["zzzz"], []]
    pool = sorted({value for record in records for value in shown(facts, record, name)})
    if name.rpartition(".")[2] in BOUNDS:
        if not pool:
            return [["2026-01-01T00:00:00Z" if parameter.type is Scalar.DATE_TIME else "2026-01-01"]]
        some = [pool[0], rng.choice(pool)]
        around = [[value] for each in some for value in (each, shift(each, -1), shift(each, 1))]
        return around + [[in_zone(some[1], zone)] for zone in (True, False) if "T" in some[1]]
    some = rng.sample(pool, min(2, len(pool)))
    found = [[value] for value in some] + ([some, []] if parameter.many else [])
    if isinstance(parameter.type, Enumeration):
        return found + [[value] for value in parameter.type.values if value not in pool][:1]
    return [*found, [NOBODY if parameter.type is Scalar.ID else "nothing has this"]]


def arguments(resource: str, given: Given) -> str:
    """The arguments of a list: the filter, and the window if there is one."""
    root: dict[str, Any] = {}
    for name, values in given.items():
        parameter = RESOURCES[resource].parameter[name]
        here = root if parameter.required else root.setdefault("filter", {})
        *way, last = name.replace("entity.type", "entityType").split(".")
        for step in way:
            here = here.setdefault(step, {})
        here[last] = literal(parameter, values)
    return ", ".join(f"{name}: {written(value)}" for name, value in root.items())


def literal(parameter: Parameter, given: Sequence[str]) -> str:
    values = [enum(each) if isinstance(parameter.type, Enumeration) else json.dumps(each) for each in given]
    return f"[{', '.join(values)}]" if parameter.many else values[0]


def enum(text: str) -> str:
    plain = text.upper().translate(str.maketrans("ÅÄÖ", "AAO"))
    return re.sub(r"[^A-Z0-9]+", "_", plain).strip("_")


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {written(each)}" for name, each in value.items()) + "}"
    return str(value)


# Asking


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(demo: DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(demo, cache={"ttl": {"default": "1h"}})
    yield assembled
    await assembled.aclose()


@pytest.fixture(scope="module")
def facts(oracle: Oracle, town: Municipality) -> Facts:
    return Facts(oracle, town)


async def listed(gateway: Assembled, resource: str, given: Given) -> set[str]:
    """The ids of a list, all its pages; no id comes twice."""
    plural = RESOURCES[resource].plural
    found: list[str] = []
    after = ""
    while True:
        all_of_them = ", ".join(part for part in (arguments(resource, given), "first: 200", after) if part)
        query = f"{{ {plural}({all_of_them}) {{ nodes {{ id }} complete pageInfo {{ hasNextPage endCursor }} }} }}"
        answer = await ask(gateway.federation, query)
        assert "errors" not in answer, answer["errors"]
        page = answer["data"][plural]
        assert page["complete"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            assert len(found) == len(set(found))
            return set(found)
        after = f"after: {json.dumps(page['pageInfo']['endCursor'])}"


async def refused(gateway: Assembled, query: str) -> str:
    (error,) = (await ask(gateway.federation, query))["errors"]
    assert error["extensions"]["code"] == "FILTER_NOT_ANSWERABLE"
    return str(error["message"])


# At the root


@pytest.mark.parametrize(("resource", "name"), ANSWERED)
async def test_a_parameter_selects_what_the_standard_says(
    gateway: Assembled, facts: Facts, resource: str, name: str
) -> None:
    records = facts.oracle.all(resource)
    parameter = RESOURCES[resource].parameter[name]
    answers = set()
    for values in examples(facts, records, parameter, random.Random(f"{resource}.{name}")):
        given = {**WINDOWS.get(resource, {}), name: values}
        expected = {record.id for record in records if selected(facts, record, {name: values})}
        assert await listed(gateway, resource, given) == expected, values
        answers.add(frozenset(expected))
    assert answers
    varies = any(shown(facts, record, name) for record in records) if name != "nameContains" else True
    assert len(answers) > 1 or not varies, "the examples do not tell anything apart"


async def test_a_window_of_events_begins_and_ends_with_its_instants(gateway: Assembled, facts: Facts) -> None:
    events = facts.oracle.all("CalendarEvent")
    times = sorted({instant(event["startTime"]) for event in events})
    second = timedelta(seconds=1)
    for first, last in ((times[20], times[30]), (times[20] + second, times[30] - second), (times[5], times[5])):
        given = {"startTime.onOrAfter": [first.isoformat()], "startTime.onOrBefore": [last.isoformat()]}
        expected = {event.id for event in events if first <= instant(event["startTime"]) <= last}
        assert expected
        assert await listed(gateway, "CalendarEvent", given) == expected


async def test_a_window_of_sums_gives_the_rows_that_share_a_day_with_it(gateway: Assembled, facts: Facts) -> None:
    rows = facts.oracle.all("AggregatedAttendance")
    periods = sorted({(row["startDate"], row["endDate"]) for row in rows})
    answers = set()
    for start, end in (periods[0], periods[-1]):
        for first, last in ((start, start), (end, end), (shift(end, 1), shift(end, 2)), (shift(start, -2), start)):
            expected = {row.id for row in rows if row["startDate"] <= last and row["endDate"] >= first}
            given = {"startDate": [first], "endDate": [last]}
            assert await listed(gateway, "AggregatedAttendance", given) == expected, given
            answers.add(frozenset(expected))
    assert len(answers) > 1


def several() -> Iterator[tuple[str, int]]:
    for resource in RESOURCES:
        if len([each for each in ANSWERED if each[0] == resource]) > 1:
            yield from ((resource, seed) for seed in range(6))


@pytest.mark.parametrize(("resource", "seed"), list(several()))
async def test_several_parameters_all_hold(gateway: Assembled, facts: Facts, resource: str, seed: int) -> None:
    """Two or three of them; every other time with values of one and the same record, so that something is left."""
    rng = random.Random(f"{resource}{seed}")
    records = facts.oracle.all(resource)
    names = [name for owner, name in ANSWERED if owner == resource]
    given: dict[str, Sequence[str]] = {}
    for name in rng.sample(names, min(3 if seed % 3 == 0 else 2, len(names))):
        about = records if seed % 2 else [rng.choice(records)]
        values = [each for each in examples(facts, about, RESOURCES[resource].parameter[name], rng) if each]
        given[name] = values[0] if seed % 2 == 0 else rng.choice(values)
    expected = {record.id for record in records if selected(facts, record, given)}
    assert await listed(gateway, resource, {**WINDOWS.get(resource, {}), **given}) == expected, given


async def test_value_and_context_are_of_one_identifier(gateway: Assembled, facts: Facts) -> None:
    people = facts.oracle.all("Person")
    entries = [entry for person in people for entry in person["externalIdentifiers"] or ()]
    contexts = sorted({entry["context"] for entry in entries})
    value = entries[0]["value"]
    sizes = set()
    for context in contexts:
        given = {"identifier.value": [value], "identifier.context": [context]}
        expected = {person.id for person in people if selected(facts, person, given)}
        assert await listed(gateway, "Person", given) == expected
        sizes.add(len(expected))
    assert sizes >= {0, 1}


# Relations of persons

DATES = [f"relationship.{column}.{bound}" for column in ("startDate", "endDate") for bound in BOUNDS[:2]]


@pytest.mark.parametrize("dates", [[], *([each] for each in DATES), [DATES[0], DATES[3]]], ids=" ".join)
async def test_one_enrolment_fits_all_relationship_parameters(
    gateway: Assembled, facts: Facts, dates: list[str]
) -> None:
    people = facts.oracle.all("Person")
    enrolments = [entry for person in people for entry in person["enrolments"] or ()]
    pools = {
        name: sorted({entry[column] for entry in enrolments if entry.get(column)})
        for name in dates
        for column in [name.split(".")[1]]
    }
    unit = enrolments[0]["enroledAt"]["id"]
    answers = set()
    for days in (-1, 0, 1):
        for place in (0, -1):
            for at in ([], [unit], [NOBODY]):
                given: dict[str, list[str]] = {"relationship.entity.type": ["enrolment"]}
                given |= {"relationship.organisation": at} if at else {}
                given |= {name: [shift(pool[place], days)] for name, pool in pools.items()}
                if json.dumps(given) in answers:
                    continue
                expected = {person.id for person in people if selected(facts, person, given)}
                assert await listed(gateway, "Person", given) == expected, given
                assert bool(expected) is (at != [NOBODY]) or dates
                answers.add(json.dumps(given))


# What is not answered


@pytest.mark.parametrize(("resource", "name"), sorted(REFUSED))
async def test_what_no_record_shows_and_several_sources_serve_is_refused(
    gateway: Assembled, resource: str, name: str
) -> None:
    query = f"{{ {RESOURCES[resource].plural}({arguments(resource, {name: [NOBODY]})}) {{ nodes {{ id }} }} }}"
    assert name in await refused(gateway, query)


async def test_relations_that_no_person_shows_are_refused(gateway: Assembled) -> None:
    kinds = RESOURCES["Person"].parameter["relationship.entity.type"].type
    assert isinstance(kinds, Enumeration)
    others = [kind for kind in kinds.values if kind != "enrolment"]
    assert len(others) == 6
    for kind in [None, *others]:
        for more in ({}, {"relationship.organisation": [NOBODY]}, {DATES[0]: ["2026-01-01"]}):
            given: dict[str, Sequence[str]] = {"relationship.entity.type": [kind]} if kind else {}
            given |= more
            if given:
                assert "relationship" in await refused(
                    gateway, f"{{ persons({arguments('Person', given)}) {{ nodes {{ id }} }} }}"
                )


async def test_a_nested_list_passes_nothing_on(gateway: Assembled, facts: Facts) -> None:
    """A lookup or an embedded list takes no filter, so what a record does not show cannot be tested there."""
    group = facts.oracle.all("Activity")[0]["groups"][0]["id"]
    field_ = f'activities(filter: {{member: "{NOBODY}"}}) {{ id }}'
    assert "member" in await refused(gateway, f'{{ group(id: "{group}") {{ {field_} }} }}')


@pytest.mark.parametrize(("resource", "name"), [each for each in UNSHOWN if each[1] == "student"])
async def test_nobody_learns_of_a_protected_pupils_lessons(
    gateway: Assembled, facts: Facts, resource: str, name: str
) -> None:
    """Although the source would give them."""
    pupil = facts.town.examples["protected_pupil"]
    assert any(pupil in shown(facts, record, name) for record in facts.oracle.all(resource))
    assert await listed(gateway, resource, {**WINDOWS[resource], name: [pupil]}) == set()


# In nested lists


def answerable(resource: str) -> list[str]:
    return [name for owner, name in ANSWERED if owner == resource and (owner, name) not in UNSHOWN]


@pytest.mark.parametrize(
    "relation", [each for each in OFFICIAL if each.back is None and answerable(each.owner)], ids=str
)
async def test_a_nested_list_is_filtered_alike(gateway: Assembled, facts: Facts, relation: OfficialRelation) -> None:
    """By one, two or three parameters: the records that refer to the parent, in the order of their ids."""
    rng = random.Random(str(relation))
    oracle, owner = facts.oracle, relation.owner
    parents = [each for each in oracle.all(relation.target) if oracle.owners(relation, each.id)]
    parents = rng.sample(parents, min(6, len(parents)))
    below = {each.id: oracle.owners(relation, each.id) for each in parents}
    records = [record for each in below.values() for record in each]
    assert records
    during = {"during": '{{from: "{}", to: "{}"}}'.format(*DURING)} if relation.window else {}
    asked: list[dict[str, Sequence[str]]] = []
    for names in [rng.sample(answerable(owner), min(size, len(answerable(owner)))) for size in (1, 1, 1, 2, 2, 3)]:
        about = [rng.choice(records)] if len(names) > 1 else records
        asked.append({n: examples(facts, about, RESOURCES[owner].parameter[n], rng)[0] for n in names})
    fields = [f"list{place}: {relation.inverse}({written_all(owner, given, during)}) {{ id }}"
              for place, given in enumerate(asked)]  # fmt: skip
    plural = RESOURCES[relation.target].plural
    query = f"query ($ids: [ID!]!) {{ parents: {plural}ByIds(ids: $ids) {{ id {' '.join(fields)} }} }}"
    answer = await ask(gateway.federation, query, {"ids": [*below]})
    assert "errors" not in answer, answer["errors"]
    for node in answer["data"]["parents"]:
        for place, given in enumerate(asked):
            expected = [
                record.id
                for record in below[node["id"]]
                if selected(facts, record, given) and (not relation.window or oracle.in_period(record, DURING))
            ]
            assert [each["id"] for each in node[f"list{place}"]] == expected, given


def written_all(resource: str, given: Given, more: Mapping[str, str]) -> str:
    return ", ".join([arguments(resource, given), *(f"{name}: {value}" for name, value in more.items())])
