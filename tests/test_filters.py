"""Every query parameter of every resource, over the six sources, against the oracle.

What a parameter means is written in ``oracle_filters`` once more, from the standard's text.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Parameter, Scalar

from . import oracle_query
from .harness import ask, over
from .official_relations import OFFICIAL, OfficialRelation
from .oracle import STOCKHOLM, Oracle, Record, instant, local_day
from .oracle_filters import BOUNDS, KINDS, Filters, Given

pytestmark = pytest.mark.asyncio(loop_scope="module")

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

UNSHOWN = [
    ("Activity", "member"), ("CalendarEvent", "organisation"), ("CalendarEvent", "group"), ("CalendarEvent", "teacher"),
    ("CalendarEvent", "student"), ("Attendance", "organisation"), ("AttendanceSchedule", "group"),
    ("AggregatedAttendance", "organisation"), ("AggregatedAttendance", "schoolType"),
]  # fmt: skip
"""What the record does not show: other records do."""
PARAMETERS = [
    (resource.name, parameter.name)
    for resource in RESOURCES.values()
    for parameter in resource.parameters
    if not parameter.required and not parameter.name.startswith("relationship.")
]


# What to ask for


def shift(value: str, days: int) -> str:
    """A date or date-time some days later."""
    if "T" in value:
        return (datetime.fromisoformat(value) + timedelta(days)).isoformat()
    return (date.fromisoformat(value) + timedelta(days)).isoformat()


def in_zone(value: str, of_utc: bool) -> str:
    """The same instant, written in UTC or in Swedish time."""
    return datetime.fromisoformat(value).astimezone(UTC if of_utc else STOCKHOLM).isoformat()


def examples(filters: Filters, records: Sequence[Record], parameter: Parameter, rng: random.Random) -> list[list[str]]:
    """Values to ask for: some from the data, at and around them; several at once; none; one that nothing has."""
    name = parameter.name
    if name == "nameContains":
        one = rng.choice(records)
        return [[one["givenName"][:3].upper(), one["familyName"][-3:]], ["e", "a", "n"], ["Å", "Ö"], ["zzzz"], []]
    pool = sorted({value for record in records for value in filters.values(record, name)})
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


def arguments(resource: str, given: Given, more: str = "") -> str:
    """The arguments of a list: the filter, and the window if there is one."""
    root: dict[str, Any] = {}
    for name, values in given.items():
        parameter = RESOURCES[resource].parameter[name]
        here = root if parameter.required else root.setdefault("filter", {})
        *way, last = name.replace("entity.type", "entityType").split(".")
        for step in way:
            here = here.setdefault(step, {})
        here[last] = literal(parameter, values)
    texts = {name: written(value) for name, value in root.items()}
    if more:
        texts["filter"] = f"{{{', '.join(part for part in (texts.get('filter', '')[1:-1], more) if part)}}}"
    return ", ".join(f"{name}: {text}" for name, text in texts.items())


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
def filters(oracle: Oracle) -> Filters:
    return Filters(oracle)


async def listed(gateway: Assembled, resource: str, given: Given, more: str = "") -> set[str]:
    """The ids of a list, all its pages; no id comes twice. ``more``: further fields of the filter, written out."""
    plural = RESOURCES[resource].plural
    found: list[str] = []
    after = ""
    while True:
        all_of_them = ", ".join(part for part in (arguments(resource, given, more), "first: 200", after) if part)
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


# At the root


@pytest.mark.parametrize(("resource", "name"), PARAMETERS)
async def test_a_parameter_selects_what_the_standard_says(
    gateway: Assembled, filters: Filters, resource: str, name: str
) -> None:
    records = filters.oracle.all(resource)
    parameter = RESOURCES[resource].parameter[name]
    answers = set()
    for values in examples(filters, records, parameter, random.Random(f"{resource}.{name}")):
        given = {**WINDOWS.get(resource, {}), name: values}
        expected = {record.id for record in records if filters.selects(record, {name: values})}
        assert await listed(gateway, resource, given) == expected, values
        answers.add(frozenset(expected))
    assert answers
    varies = any(filters.values(record, name) for record in records) if name != "nameContains" else True
    assert len(answers) > 1 or not varies, "the examples do not tell anything apart"


async def test_a_window_of_events_begins_and_ends_with_its_instants(gateway: Assembled, filters: Filters) -> None:
    events = filters.oracle.all("CalendarEvent")
    times = sorted({instant(event["startTime"]) for event in events})
    second = timedelta(seconds=1)
    for first, last in ((times[20], times[30]), (times[20] + second, times[30] - second), (times[5], times[5])):
        given = {"startTime.onOrAfter": [first.isoformat()], "startTime.onOrBefore": [last.isoformat()]}
        expected = {event.id for event in events if first <= instant(event["startTime"]) <= last}
        assert expected
        assert await listed(gateway, "CalendarEvent", given) == expected


async def test_a_window_of_sums_gives_the_rows_that_share_a_day_with_it(gateway: Assembled, filters: Filters) -> None:
    rows = filters.oracle.all("AggregatedAttendance")
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
        if len([each for each in PARAMETERS if each[0] == resource]) > 1:
            yield from ((resource, seed) for seed in range(6))


@pytest.mark.parametrize(("resource", "seed"), list(several()))
async def test_several_parameters_all_hold(gateway: Assembled, filters: Filters, resource: str, seed: int) -> None:
    """Two or three of them; every other time with values of one and the same record, so that something is left."""
    rng = random.Random(f"{resource}{seed}")
    records = filters.oracle.all(resource)
    names = [name for owner, name in PARAMETERS if owner == resource]
    given: dict[str, Sequence[str]] = {}
    for name in rng.sample(names, min(3 if seed % 3 == 0 else 2, len(names))):
        about = records if seed % 2 else [rng.choice(records)]
        values = [each for each in examples(filters, about, RESOURCES[resource].parameter[name], rng) if each]
        given[name] = values[0] if seed % 2 == 0 else rng.choice(values)
    expected = {record.id for record in records if filters.selects(record, given)}
    assert await listed(gateway, resource, {**WINDOWS.get(resource, {}), **given}) == expected, given


async def test_value_and_context_are_of_one_identifier(gateway: Assembled, filters: Filters) -> None:
    people = filters.oracle.all("Person")
    entries = [entry for person in people for entry in person["externalIdentifiers"] or ()]
    contexts = sorted({entry["context"] for entry in entries})
    value = entries[0]["value"]
    sizes = set()
    for context in contexts:
        given = {"identifier.value": [value], "identifier.context": [context]}
        expected = {person.id for person in people if filters.selects(person, given)}
        assert await listed(gateway, "Person", given) == expected
        sizes.add(len(expected))
    assert sizes >= {0, 1}


# Relations of persons

DATES = [f"relationship.{column}.{bound}" for column in ("startDate", "endDate") for bound in BOUNDS[:2]]


@pytest.mark.parametrize("kind", [*KINDS, None])
async def test_one_relation_fits_all_relationship_parameters(
    gateway: Assembled, filters: Filters, kind: str | None
) -> None:
    """At a school unit and at the top of the tree, on the very days on which relations begin and end, and around."""
    people = filters.oracle.all("Person")
    relations = [r for each in ([kind] if kind else KINDS) for found in filters.relations(each).values() for r in found]
    rng = random.Random(f"{kind}")
    one = rng.choice([each for each in relations if each.organisation and each.startDate])
    ended = sorted(each.endDate for each in relations if each.endDate)
    end = rng.choice(ended) if ended else "2026-06-12"
    top = max(filters.above(str(one.organisation)), key=lambda each: -len(filters.above(each)))
    start = str(one.startDate)
    asked: list[dict[str, list[str]]] = [{DATES[0]: [shift(start, days)]} for days in (-1, 0)]
    asked += [{DATES[1]: [shift(start, days)]} for days in (0, 1)]
    asked += [{DATES[2]: [shift(end, days)]} for days in (-1, 0)] + [{DATES[3]: [shift(end, 1)]}]
    asked += [{"relationship.organisation": [str(one.organisation)], DATES[1]: [start], DATES[3]: [start]}]
    asked += [{"relationship.organisation": [each]} for each in (str(one.organisation), top, NOBODY)]
    sizes = set()
    for given in asked:
        given |= {"relationship.entity.type": [kind]} if kind else {}
        expected = {person.id for person in people if filters.selects(person, given)}
        assert await listed(gateway, "Person", given) == expected, given
        sizes.add(len(expected))
    assert len(sizes) > 2, "the examples do not tell anything apart"


@pytest.mark.parametrize("resource", [owner for owner, name in PARAMETERS if name == "organisation"])
async def test_an_organisation_is_what_lies_below_it_unless_it_is_told_otherwise(
    gateway: Assembled, filters: Filters, resource: str
) -> None:
    """The same for every resource, whatever the standard says of its own parameter."""
    records = filters.oracle.all(resource)
    alone = Filters(filters.oracle, subtree=False)
    units = sorted({value for record in records for value in alone.values(record, "organisation")})
    above = sorted({each for unit in units for each in filters.above(unit)})
    differ = 0
    for organisation in {units[0], min(above, key=lambda each: len(filters.above(each)))}:
        given = {**WINDOWS.get(resource, {}), "organisation": [organisation]}
        answers = []
        for meaning, more in ((filters, ""), (alone, "subtree: false")):
            expected = {r.id for r in records if meaning.selects(r, {"organisation": [organisation]})}
            assert await listed(gateway, resource, given, more) == expected, (organisation, more)
            answers.append(expected)
        differ += answers[0] != answers[1]
    assert differ


# The gateway's own filters


async def own(gateway: Assembled, resource: str, written: str) -> set[str]:
    """The ids that a filter of the gateway's own selects."""
    window = WINDOWS.get(resource, {})
    return await listed(gateway, resource, window, written)


async def test_one_enrolment_is_all_that_is_asked(gateway: Assembled, filters: Filters) -> None:
    people = filters.oracle.all("Person")
    entries = [entry for person in people for entry in person["enrolments"] or ()]
    one = next(entry for entry in entries if entry.get("schoolYear") and entry.get("programme"))
    other = next(entry for entry in entries if entry.get("endDate"))
    unit, top = one["enroledAt"]["id"], min(filters.above(one["enroledAt"]["id"]), key=lambda e: len(filters.above(e)))
    asked: list[dict[str, Any]] = [
        {"schoolYear": [one["schoolYear"]]},
        {"schoolType": [one["schoolType"], other["schoolType"]], "enroledAt": [unit]},
        {"schoolYear": [one["schoolYear"]], "enroledAt": [top]},
        {"programme": [one["programme"]["id"]], "on": one["startDate"]},
        {"programme": [one["programme"]["id"]], "on": shift(one["startDate"], -1)},
        {"enroledAt": [other["enroledAt"]["id"]], "on": other["endDate"]},
        {"enroledAt": [other["enroledAt"]["id"]], "on": shift(other["endDate"], 1)},
        {"schoolYear": []},
    ]
    sizes = set()
    for wanted in asked:
        texts = {n: json.dumps(v) if n != "schoolType" else f"[{', '.join(map(enum, v))}]" for n, v in wanted.items()}
        expected = {person.id for person in people if filters.enrolled(person, wanted)}
        assert await own(gateway, "Person", f"enrolment: {written(texts)}") == expected, wanted
        sizes.add(len(expected))
    assert len(sizes) > 3
    texts = {"schoolTypeText": json.dumps([one["schoolType"]]), "subtree": "false", "enroledAt": json.dumps([top])}
    assert await own(gateway, "Person", f"enrolment: {written(texts)}") == set()


async def test_members_of_groups_now_and_ever(gateway: Assembled, filters: Filters) -> None:
    people, groups = filters.oracle.all("Person"), filters.oracle.all("Group")
    one = next(group for group in groups for entry in group["groupMemberships"] or () if entry.get("startDate"))
    start = max(entry["startDate"] for entry in one["groupMemberships"] if entry.get("startDate"))
    last = groups[-1].id
    for asked, on in (([one.id], None), ([one.id], start), ([one.id, last], start), ([one.id, last], shift(start, -1))):
        more = f', on: "{on}"' if on else ""
        expected = {person.id for person in people if filters.member(person, asked, on)}
        assert await own(gateway, "Person", f"memberOf: {{group: {json.dumps(asked)}{more}}}") == expected
    person = next(person for person in people if filters.member(person, [one.id], None))
    in_groups = {group.id for group in groups if filters.member(person, [group.id], None)}
    assert await own(gateway, "Group", f'member: "{person.id}"') == in_groups


async def test_groups_by_name_and_grades_by_what_they_are_for(gateway: Assembled, filters: Filters) -> None:
    groups, grades = filters.oracle.all("Group"), filters.oracle.all("Grade")
    name = groups[0]["displayName"]
    assert await own(gateway, "Group", f"displayName: {json.dumps([name, 'nobody'])}") == {
        group.id for group in groups if group["displayName"] == name
    }
    one = next(grade for grade in grades if grade["semester"] and grade["year"])
    for text, holds in (
        (f'syllabus: ["{one["syllabus"]["id"]}"]', lambda g: g["syllabus"]["id"] == one["syllabus"]["id"]),
        (f"semester: [{one['semester']}]", lambda g: g["semester"] == one["semester"]),
        (f"year: [{one['year']}, 1900]", lambda g: g["year"] == one["year"]),
        ("finalGrade: false", lambda g: g["finalGrade"] is False),
    ):
        expected = {grade.id for grade in grades if holds(grade)}
        assert await own(gateway, "Grade", text) == expected, text


@pytest.mark.parametrize("resource", ["Group", "Duty", "Placement", "Activity", "StudyPlan", "CalendarEvent"])
async def test_what_is_active_on_a_day(gateway: Assembled, filters: Filters, resource: str) -> None:
    records = filters.oracle.all(resource)
    column = "startTime" if resource == "CalendarEvent" else "startDate"
    first = sorted({local_day(r[column]) if "T" in r[column] else r[column] for r in records if r[column]})[0]
    ended = sorted({r["endDate"] for r in records if r["endDate"]}) if resource != "CalendarEvent" else []
    for day in [shift(first, -1), first, *([ended[0], shift(ended[0], 1)] if ended else [])]:
        expected = {record.id for record in records if filters.active(record, day)}
        assert await own(gateway, resource, f'activeOn: "{day}"') == expected


async def test_what_sources_have_and_have_not(gateway: Assembled, filters: Filters) -> None:
    people = filters.oracle.all("Person")
    for text, holds in (
        ('presentIn: ["hr", "sis"]', lambda p: filters.present(p, "hr") and filters.present(p, "sis")),
        ('presentIn: ["sis"], absentFrom: ["hr", "lms"]',
         lambda p: filters.present(p, "sis") and not filters.present(p, "hr") and not filters.present(p, "lms")),
        ('absentFrom: ["sis"]', lambda p: not filters.present(p, "sis")),
        ("presentIn: []", lambda p: False),
    ):  # fmt: skip
        expected = {person.id for person in people if holds(person)}
        assert await own(gateway, "Person", text) == expected, text


# Who is not shown


@pytest.mark.parametrize(("resource", "name"), [each for each in UNSHOWN if each[1] in ("student", "member")])
async def test_nobody_learns_of_a_protected_pupils_lessons(
    gateway: Assembled, filters: Filters, town: Municipality, resource: str, name: str
) -> None:
    """Although the sources would give them."""
    pupil = town.examples["protected_pupil"]
    assert any(pupil in filters.values(record, name) for record in filters.oracle.all(resource))
    assert await listed(gateway, resource, {**WINDOWS.get(resource, {}), name: [pupil]}) == set()


# In nested lists


def answerable(resource: str) -> list[str]:
    return [name for owner, name in PARAMETERS if owner == resource]


@pytest.mark.parametrize(
    "relation", [each for each in OFFICIAL if each.back is None and answerable(each.owner)], ids=str
)
async def test_a_nested_list_is_filtered_alike(
    gateway: Assembled, filters: Filters, relation: OfficialRelation
) -> None:
    """By one, two or three parameters: the records that refer to the parent, in the order of their ids."""
    rng = random.Random(str(relation))
    oracle, owner = filters.oracle, relation.owner
    parents = [each for each in oracle.all(relation.target) if oracle.owners(relation, each.id)]
    parents = rng.sample(parents, min(6, len(parents)))
    below = {each.id: oracle.owners(relation, each.id) for each in parents}
    records = [record for each in below.values() for record in each]
    assert records
    during = {"during": '{{from: "{}", to: "{}"}}'.format(*DURING)} if relation.window else {}
    asked: list[dict[str, Sequence[str]]] = []
    for names in [rng.sample(answerable(owner), min(size, len(answerable(owner)))) for size in (1, 1, 1, 2, 2, 3)]:
        about = [rng.choice(records)] if len(names) > 1 else records
        asked.append({n: examples(filters, about, RESOURCES[owner].parameter[n], rng)[0] for n in names})
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
                if filters.selects(record, given) and (not relation.window or oracle.in_period(record, DURING))
            ]
            assert [each["id"] for each in node[f"list{place}"]] == expected, given


def written_all(resource: str, given: Given, more: Mapping[str, str]) -> str:
    return ", ".join([arguments(resource, given), *(f"{name}: {value}" for name, value in more.items())])


async def test_a_query_with_filters_everywhere(gateway: Assembled, filters: Filters) -> None:
    """At the root, nested, along relations of others, in order."""
    unit = next(group for group in filters.oracle.all("Group") if group["groupMemberships"])["organisation"]["id"]
    top = min(filters.above(unit), key=lambda each: len(filters.above(each)))
    query = f"""{{
        organisations(
            filter: {{parent: ["{top}"], endDate: {{onOrAfter: "2020-01-01"}}}}, orderBy: [DISPLAY_NAME_ASC]
        ) {{
            nodes {{ id duties(filter: {{dutyRole: REKTOR}}) {{ id }} }}
        }}
        persons(
            filter: {{relationship: {{entityType: DUTY, organisation: "{top}"}}, nameContains: ["a"]}}
            orderBy: [FAMILY_NAME_ASC, GIVEN_NAME_ASC]
            first: 7
        ) {{ nodes {{ id duties(filter: {{organisation: "{unit}"}}) {{ id }} }} pageInfo {{ hasNextPage }} }}
        groups(filter: {{organisation: ["{top}"], groupType: [KLASS]}}, orderBy: [DISPLAY_NAME_ASC], first: 3) {{
            nodes {{ id activities(filter: {{organisation: "{unit}", subtree: false}}) {{ id }} }}
        }}
    }}"""
    assert (await ask(gateway.federation, query))["data"] == oracle_query.answer(filters.oracle, query)
