"""Every query parameter and every sort key of every resource, over the six sources, against the oracle.

What a parameter means is written here once more, from the standard's text: by its name where that says it, and by a
function of its own where the record alone does not.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Parameter, Scalar

from .harness import ask, over
from .oracle import Oracle, Record, ids_at, instant, values_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAR = {"startTime.onOrAfter": "2000-01-01T00:00:00Z", "startTime.onOrBefore": "2100-01-01T00:00:00Z"}
LONG = {"startDate": "2000-01-01", "endDate": "2100-01-01"}
WINDOWS = {"CalendarEvent": FAR, "AggregatedAttendance": LONG}
"""What a list must be asked for, wide enough to hold everything."""

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


def subtree(oracle: Oracle, organisation: str) -> set[str]:
    found = {organisation}
    while True:
        below = {each.id for each in oracle.all("Organisation") if set(ids_at(each["parentOrganisation"], ())) & found}
        if below <= found:
            return found
        found |= below


def of(oracle: Oracle, record: Record, reference: str, resource: str) -> Record:
    return oracle.record(resource, record[reference]["id"])


def members(oracle: Oracle, activity: Record) -> set[str]:
    groups = (oracle.record("Group", id) for id in ids_at(activity["groups"], ()))
    return {id for group in groups for id in ids_at(group["groupMemberships"], ("person",))}


Joined = Callable[[Oracle, Record, str], bool]

JOINED: dict[tuple[str, str], Joined] = {
    ("Duty", "organisation"): lambda o, r, v: r["dutyAt"]["id"] in subtree(o, v),
    ("Activity", "organisation"): lambda o, r, v: r["organisation"]["id"] in subtree(o, v),
    ("CalendarEvent", "group"): lambda o, r, v: v in ids_at(of(o, r, "activity", "Activity")["groups"], ()),
    ("CalendarEvent", "organisation"): lambda o, r, v: (
        of(o, r, "activity", "Activity")["organisation"]["id"] in subtree(o, v)
    ),
    ("CalendarEvent", "teacher"): lambda o, r, v: (
        v in ids_at(of(o, r, "activity", "Activity")["teachers"], ("duty",))
        or v in ids_at(r["teacherExceptions"], ("duty",))
    ),
    ("CalendarEvent", "student"): lambda o, r, v: (
        v in members(o, of(o, r, "activity", "Activity")) or v in ids_at(r["studentExceptions"], ("student",))
    ),
    ("AttendanceSchedule", "group"): lambda o, r, v: v in ids_at(of(o, r, "placement", "Placement")["group"], ()),
}
"""What only other records show."""

TRUSTED = {("CalendarEvent", name) for name in ("group", "organisation", "teacher", "student")} | {
    ("AttendanceSchedule", "group"),
    ("AggregatedAttendance", "organisation"),
    ("AggregatedAttendance", "schoolType"),
}
"""Not shown by the record, and passed on to the one source that serves the resource."""
REFUSED = {("Activity", "member"), ("Attendance", "organisation")}
"""Not shown by the record, and served by several sources."""
BY_ITS_OWN_DATA = {("AggregatedAttendance", "organisation"), ("AggregatedAttendance", "schoolType")}
"""Answered from what the source knows of activities, which it does not serve."""


def holds(oracle: Oracle, record: Record, parameter: str, values: list[str]) -> bool:
    """Whether a record is selected by one parameter, by the words of the standard."""
    name = record.resource.name
    if (name, parameter) in JOINED:
        return any(JOINED[name, parameter](oracle, record, value) for value in values)
    if parameter == "nameContains":
        names = [str(record[each]).lower() for each in ("givenName", "middleName", "familyName") if record[each]]
        return all(any(term.lower() in each for each in names) for term in values)
    column, _, bound = parameter.rpartition(".")
    if name == "AggregatedAttendance" and parameter in LONG:  # a row that shares a day with the window
        other = {"startDate": "endDate", "endDate": "startDate"}[parameter]
        return record[other] >= values[0] if parameter == "startDate" else record[other] <= values[0]
    if bound in ("onOrBefore", "onOrAfter", "before", "after"):
        found = next(iter(values_at(record.values, column.split("."))), None)
        if found is None:
            open_start = column == "startDate" and name in ("Organisation", "StudyPlan")
            return column == "endDate" or open_start
        is_time = "T" in values[0]
        here, limit = (instant(found), instant(values[0])) if is_time else (found, values[0])
        if bound == "after" or (name == "Absence" and bound == "onOrAfter"):
            return bool(here > limit)
        return bool(here <= limit if bound in ("onOrBefore", "before") else here >= limit)
    path = COLUMNS.get((name, parameter), parameter).split(".")
    found = ids_at(record.values, path) if is_reference(record, path) else list(values_at(record.values, path))
    return any(str(each) in values for each in found)


def is_reference(record: Record, path: list[str]) -> bool:
    return any(isinstance(each, dict) for each in values_at(record.values, path))


def graphql(parameters: dict[str, Any], resource: str) -> str:
    """The arguments of a root field: filter, and the window if there is one."""
    root: dict[str, Any] = {}
    for name, value in parameters.items():
        parameter = RESOURCES[resource].parameter[name]
        here = root if parameter.required else root.setdefault("filter", {})
        *way, last = name.replace("entity.type", "entityType").split(".")
        for step in way:
            here = here.setdefault(step, {})
        here[last] = literal(parameter, value)
    return ", ".join(f"{name}: {written(value)}" for name, value in root.items())


def literal(parameter: Parameter, value: Any) -> str:
    values = [enum(each) if isinstance(parameter.type, Enumeration) else json.dumps(each) for each in value]
    return f"[{', '.join(values)}]" if parameter.many else values[0]


def enum(text: str) -> str:
    plain = text.upper().translate(str.maketrans("ÅÄÖ", "AAO"))
    return re.sub(r"[^A-Z0-9]+", "_", plain).strip("_")


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {written(each)}" for name, each in value.items()) + "}"
    return str(value)


async def listed(gateway: Assembled, resource: str, arguments: str, first: int = 1000) -> list[str]:
    """The ids of a list, all its pages."""
    plural = RESOURCES[resource].plural
    found: list[str] = []
    after = ""
    while True:
        given = ", ".join(part for part in (arguments, f"first: {first}", after) if part)
        answer = await ask(
            gateway.federation,
            f"{{ {plural}({given}) {{ nodes {{ id }} complete pageInfo {{ hasNextPage endCursor }} }} }}",
        )
        assert "errors" not in answer, answer["errors"]
        page = answer["data"][plural]
        assert page["complete"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = f"after: {json.dumps(page['pageInfo']['endCursor'])}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(demo: DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(demo, cache={"ttl": {"default": "1h"}})
    yield assembled
    await assembled.aclose()


def shift(value: str, days: int) -> str:
    """A date or date-time some days later."""
    if "T" in value:
        return (datetime.fromisoformat(value) + timedelta(days)).isoformat()
    return (date.fromisoformat(value) + timedelta(days)).isoformat()


NOBODY = "00000000-0000-4000-8000-00000000dead"


def examples(oracle: Oracle, parameter: Parameter, resource: str, rng: random.Random) -> list[list[str]]:
    """Values to ask for: some from the data, at and around them; several at once; one that nothing has."""
    records = oracle.all(resource)
    name = parameter.name
    if (resource, name) in JOINED:
        target = {"organisation": "Organisation", "group": "Group", "teacher": "Duty", "student": "Person"}[name]
        pool = [each.id for each in oracle.all(target)]
        likely = [
            value for value in rng.sample(pool, len(pool)) if any(holds(oracle, r, name, [value]) for r in records[:60])
        ]
        return [[value] for value in likely[:2]] + [[NOBODY]]
    if name == "nameContains":
        one = rng.choice(records)
        return [[one["givenName"][:3].upper(), one["familyName"][-3:]], ["e", "a", "n"], ["zzzz"], []]
    column = name.rpartition(".")[0] if name.rpartition(".")[2] in BOUNDS else COLUMNS.get((resource, name), name)
    path = column.split(".")
    reference = any(is_reference(record, path) for record in records)
    read = ids_at if reference else values_at
    pool = sorted({str(value) for record in records for value in read(record.values, path)})
    if not pool:
        return [[NOBODY]] if parameter.type is Scalar.ID else []
    some = rng.sample(pool, min(2, len(pool)))
    if name.rpartition(".")[2] in BOUNDS:
        return [[value] for each in some for value in (each, shift(each, -1), shift(each, 1))]
    found = [[value] for value in some]
    if parameter.many:
        found += [some, []]
    if parameter.type is Scalar.ID:
        found.append([NOBODY])
    return found


BOUNDS = ("onOrBefore", "onOrAfter", "before", "after")

PARAMETERS = [
    (resource.name, parameter.name)
    for resource in RESOURCES.values()
    for parameter in resource.parameters
    if not parameter.required and not parameter.name.startswith("relationship.")
]


@pytest.mark.parametrize(("resource", "name"), [each for each in PARAMETERS if each not in REFUSED | BY_ITS_OWN_DATA])
async def test_a_parameter_selects_what_the_standard_says(
    gateway: Assembled, oracle: Oracle, resource: str, name: str
) -> None:
    parameter = RESOURCES[resource].parameter[name]
    window = {each: [value] for each, value in WINDOWS.get(resource, {}).items()}
    selected = 0
    for values in examples(oracle, parameter, resource, random.Random(f"{resource}.{name}")):
        given = {**window, name: values}
        found = await listed(gateway, resource, graphql(given, resource))
        expected = {record.id for record in oracle.all(resource) if values and holds(oracle, record, name, values)}
        assert len(found) == len(set(found))
        assert set(found) == expected, values
        selected += len(expected)
    assert selected or not any(
        record[name.partition(".")[0]] for record in oracle.all(resource)[:1] if name in record.resource.columns
    )


@pytest.mark.parametrize(("resource", "name"), sorted(REFUSED))
async def test_what_no_record_shows_and_several_sources_serve_is_refused(
    gateway: Assembled, resource: str, name: str
) -> None:
    arguments = graphql({name: [NOBODY]}, resource)
    answer = await ask(gateway.federation, f"{{ {RESOURCES[resource].plural}({arguments}) {{ nodes {{ id }} }} }}")
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "FILTER_NOT_ANSWERABLE"
    assert name in error["message"]


@pytest.mark.parametrize(("resource", "name"), sorted(BY_ITS_OWN_DATA))
async def test_what_only_its_source_knows_is_passed_on(
    gateway: Assembled, oracle: Oracle, town: Municipality, demo: DemoServers, resource: str, name: str
) -> None:
    """The one source's answer, without what the policy hides: it divides the rows as the schedule's activities do."""
    activities = {each["id"]: each for each in town.sources["schema"]["Activity"]}
    groups = {each["id"]: each for records in town.sources.values() for each in records.get("Group", ())}
    window = {each: [value] for each, value in LONG.items()}

    def value_of(row: Record) -> set[str]:
        activity = activities[row["activity"]["id"]]
        if name == "organisation":
            return {activity["organisation"]["id"]}
        return {groups[each["id"]].get("schoolType") for each in activity["groups"]}

    rows = oracle.all(resource)
    value = next(iter(value_of(rows[0])))
    found = await listed(gateway, resource, graphql({**window, name: [value]}, resource))
    assert found
    assert set(found) <= {row.id for row in rows}
    assert rows[0].id in found


RELATIONSHIPS: list[dict[str, Any]] = [
    {"relationship.entity.type": ["enrolment"]},
    {"relationship.entity.type": ["enrolment"], "relationship.endDate.onOrBefore": ["2026-01-01"]},
    {"relationship.entity.type": ["enrolment"], "relationship.startDate.onOrAfter": ["2026-01-01"]},
    {
        "relationship.entity.type": ["enrolment"],
        "relationship.startDate.onOrBefore": ["2026-03-25"],
        "relationship.endDate.onOrAfter": ["2026-03-25"],
    },
]


def related(entry: dict[str, Any], given: dict[str, Any]) -> bool:
    for name, (value,) in given.items():
        if name == "relationship.organisation" and entry["enroledAt"]["id"] != value:
            return False
        _, column, *bound = name.split(".")
        if column in ("startDate", "endDate") and entry.get(column) is not None:
            fits = entry[column] <= value if bound == ["onOrBefore"] else entry[column] >= value
            if not fits:
                return False
    return True


@pytest.mark.parametrize("given", RELATIONSHIPS, ids=lambda given: " ".join(given))
@pytest.mark.parametrize("at_unit", [False, True])
async def test_one_enrolment_fits_all_relationship_parameters(
    gateway: Assembled, oracle: Oracle, given: dict[str, Any], at_unit: bool
) -> None:
    people = oracle.all("Person")
    if at_unit:
        unit = next(entry["enroledAt"]["id"] for person in people for entry in person["enrolments"] or ())
        given = {**given, "relationship.organisation": [unit]}
    expected = {person.id for person in people if any(related(entry, given) for entry in person["enrolments"] or ())}
    assert set(await listed(gateway, "Person", graphql(given, "Person"))) == expected
    assert expected or at_unit


def several() -> Iterator[tuple[str, int]]:
    for resource in RESOURCES.values():
        if len([each for each in PARAMETERS if each[0] == resource.name and each not in REFUSED | BY_ITS_OWN_DATA]) > 4:
            for seed in range(6):
                yield resource.name, seed


@pytest.mark.parametrize(("resource", "seed"), list(several()))
async def test_several_parameters_all_hold(gateway: Assembled, oracle: Oracle, resource: str, seed: int) -> None:
    rng = random.Random(f"{resource}{seed}")
    names = [name for of_, name in PARAMETERS if of_ == resource and (of_, name) not in REFUSED | BY_ITS_OWN_DATA]
    given: dict[str, Any] = {each: [value] for each, value in WINDOWS.get(resource, {}).items()}
    for name in rng.sample(names, 3 if seed % 2 else 2):
        values = [each for each in examples(oracle, RESOURCES[resource].parameter[name], resource, rng) if each]
        if values:
            given[name] = rng.choice(values)
    expected = {
        record.id
        for record in oracle.all(resource)
        if all(holds(oracle, record, name, values) for name, values in given.items())
    }
    assert set(await listed(gateway, resource, graphql(given, resource))) == expected, given


SORT_KEYS = [(resource.name, key.name) for resource in RESOURCES.values() for key in resource.sort_keys]


def constant(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


@pytest.mark.parametrize(("resource", "key"), SORT_KEYS)
async def test_a_sort_key_orders_the_whole_list(gateway: Assembled, oracle: Oracle, resource: str, key: str) -> None:
    of_ = RESOURCES[resource]
    window = {each: [value] for each, value in WINDOWS.get(resource, {}).items()}
    second = of_.sort_keys[0] if of_.sort_keys[0].name != key else of_.sort_keys[-1]
    for keys, first in (([of_.sort_key[key]], 1000), ([of_.sort_key[key], second], 90)):
        order = f"orderBy: [{', '.join(constant(each.name) for each in keys)}]"
        arguments = ", ".join(part for part in (graphql(window, resource), order) if part)
        records = oracle.all(resource)
        if len(records) > 3000:
            first = 1000
        found = await listed(gateway, resource, arguments, first)
        assert found == [record.id for record in oracle.ordered(records, keys)]


async def test_filters_of_nested_lists(gateway: Assembled, oracle: Oracle) -> None:
    query = """{ organisations(first: 100) { nodes {
        id
        groups(filter: {groupType: [KLASS]}, orderBy: [DISPLAY_NAME_ASC]) { id }
        duties(filter: {startDate: {onOrBefore: "2024-01-01"}}) { id }
        grades(filter: {registeredDate: {onOrAfter: "2026-01-01"}}, orderBy: [REGISTERED_DATE_DESC], first: 5) { id }
    } } }"""
    answer = await ask(gateway.federation, query)
    assert "errors" not in answer
    shown = 0
    for node in answer["data"]["organisations"]["nodes"]:
        at = node["id"]
        groups = [g for g in oracle.all("Group") if g["organisation"]["id"] == at and g["groupType"] == "Klass"]
        keys = [RESOURCES["Group"].sort_key["DisplayNameAsc"]]
        assert [g["id"] for g in node["groups"]] == [g.id for g in oracle.ordered(groups, keys)]
        duties = [d for d in oracle.all("Duty") if d["dutyAt"]["id"] == at and (d["startDate"] or "9") <= "2024-01-01"]
        assert [d["id"] for d in node["duties"]] == sorted(d.id for d in duties)
        grades = [g for g in oracle.all("Grade") if ids_at(g["organisation"], ()) == [at]]
        late = [g for g in grades if g["registeredDate"] >= "2026-01-01"]
        keys = [RESOURCES["Grade"].sort_key["registeredDateDesc"]]
        assert [g["id"] for g in node["grades"]] == [g.id for g in oracle.ordered(late, keys)][:5]
        shown += len(groups) + len(duties) + len(late)
    assert shown
