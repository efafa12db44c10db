"""A probe finds out what a source does, from what it answers alone: the source here does exactly what a test says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sources.capabilities import Arrays, Filter, Paging
from sources.probing import Finding, Open, probe, section
from sources.requests import Query

from .conftest import asked, body, codes, soon, source_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
UNIT, SCHOOL = "0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000002"
HIDDEN = "0a000000-0000-4000-8000-000000000003"
"""The organisation of a group that a protected person is in."""
CIVIC_NO, SECRET_NAME = "201401011234", "Hemligsson"


def identity(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


PERSONS = [
    {
        "id": identity(0xB, number),
        "givenName": f"Given{number}",
        "familyName": SECRET_NAME if number == 1 else f"Family{number}",
        "civicNo": {"value": CIVIC_NO[:-1] + str(number)},
        "securityMarking": "Sekretessmarkering" if number == 0 else "Ingen",
        "eduPersonPrincipalNames": [f"{CIVIC_NO[:-1]}{number}@x.se" if number == 1 else f"p{number}@x.se"],
        "enrolments": [{"enroledAt": {"id": UNIT if number % 2 else SCHOOL}}] if number < 6 else [],
        "meta": {"created": f"2026-01-0{number + 1}T00:00:00+01:00", "modified": f"2026-02-0{number + 1}T00:00:00Z"},
    }
    for number in range(8)
]
GROUPS = [
    {
        "id": identity(0xC, number),
        "displayName": f"Group {number}",
        "groupType": ("Klass", "Undervisning", "Mentor")[number % 3],
        "organisation": {"id": UNIT if number % 2 else SCHOOL if number else HIDDEN},
        "startDate": f"2026-08-1{number}",
        **({"endDate": f"2027-06-1{number}"} if number % 2 else {}),
        "groupMemberships": [{"person": {"id": PERSONS[0]["id"], "securityMarking": "Sekretessmarkering"}}][number:],
    }
    for number in range(7)
]
EVENTS = [
    {"id": identity(0xE, number), "activity": {"id": UNIT},
     "startTime": (NOW + timedelta(hours=number)).isoformat(),
     "endTime": (NOW + timedelta(hours=number + 1)).isoformat()}
    for number in range(5)
]  # fmt: skip
RECORDS: dict[str, Sequence[Mapping[str, Any]]] = {"persons": PERSONS, "groups": GROUPS, "calendarEvents": EVENTS}
RESOURCES = frozenset({"Person", "Group", "CalendarEvent"})


@dataclass
class Habits:
    """A source over RECORDS. Filters it honours by the standard's text, unless ``filters`` says otherwise."""

    filters: Mapping[str, Filter] = field(default_factory=dict)
    drops: str = ""
    """A filter that gives nothing at all."""
    lookups: frozenset[str] = frozenset({"ids", "civicNos"})
    expands: frozenset[str] = frozenset({"duties", "responsibleFor", "assignmentRoles"})
    paging: Paging = Paging.TOKEN
    arrays: Arrays = Arrays.REPEATED
    days: int | None = None
    naive: bool = False
    single_lacks: frozenset[str] = frozenset()
    list_lacks: frozenset[str] = frozenset()
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/ss12000/v2.0/").split("/")
        records = RECORDS[path[0]]
        if request.method == "POST":
            return self._lookup(path[0], records, body(request))
        if len(path) == 2:
            found = next(each for each in records if each["id"] == path[1])
            return httpx.Response(200, json=self._shown(found, self.single_lacks))
        return self._list(path[0], records, asked(request))

    def _lookup(self, name: str, records: Sequence[Mapping[str, Any]], given: dict[str, list[str]]) -> httpx.Response:
        ((key, values),) = given.items()
        if not self.lookups:
            return httpx.Response(405)
        if key not in self.lookups:
            return httpx.Response(400)
        shown = {"ids": lambda each: each["id"], "civicNos": lambda each: each["civicNo"]["value"]}[key]
        return httpx.Response(200, json=[each for each in records if shown(each) in values])

    def _list(self, name: str, records: Sequence[Mapping[str, Any]], given: dict[str, list[str]]) -> httpx.Response:
        limit, token, offset = (given.pop(key, [None])[0] for key in ("limit", "pageToken", "offset"))
        expand = given.pop("expand", [])
        remembered = token is not None and self.paging in (Paging.TOKEN, Paging.TOKEN_WITH_WINDOW)
        if remembered and self.paging is Paging.TOKEN and given:
            return httpx.Response(400)
        if token is not None and not remembered and self.paging is not Paging.TOKEN_WITH_FILTERS:
            return httpx.Response(400)
        if name == "calendarEvents" and not (remembered and self.paging is Paging.TOKEN):
            try:
                start, end = (
                    datetime.fromisoformat(given[key][0]) for key in ("startTime.onOrAfter", "startTime.onOrBefore")
                )
            except KeyError:
                return httpx.Response(400)
            if self.days is not None and end - start > timedelta(days=self.days):
                return httpx.Response(400)
        if set(expand) - self.expands:
            expand = []
        if remembered:
            assert token is not None
            position, _, filters = token.partition(" ")
            given, start_at = json.loads(filters), int(position)
        else:
            start_at = int(token or offset or 0) if offset is None or self.paging is Paging.OFFSET else 0
        found = list(records)
        for parameter, values in given.items():
            what = self.filters.get(parameter, self.filters.get("*", Filter.EXACT))
            if what is Filter.REFUSED:
                return httpx.Response(422)
            if parameter == self.drops:
                found = []
            elif what is not Filter.IGNORED:
                wanted = values[0].split(",") if self.arrays is Arrays.COMMA else values
                found = [each for each in found if selected(name, parameter, wanted, each)]
        size = len(found) if self.paging is Paging.NONE or limit is None else int(limit)
        following = start_at + size
        sent = [self._shown(each, self.list_lacks, expand) for each in found[start_at:following]]
        if self.paging is Paging.OFFSET:
            return httpx.Response(200, json=sent)
        more = following < len(found)
        text = f"{following} {json.dumps(given)}" if self.paging is not Paging.TOKEN_WITH_FILTERS else str(following)
        return httpx.Response(200, json={"data": sent, "pageToken": text if more else None})

    def _shown(self, record: Mapping[str, Any], lacks: frozenset[str], expand: Sequence[str] = ()) -> dict[str, Any]:
        shown = {key: value for key, value in record.items() if key not in lacks}
        if self.naive and "meta" in shown:
            shown["meta"] = {
                key: datetime.fromisoformat(value).astimezone(UTC).isoformat()[:19]
                for key, value in shown["meta"].items()
            }
        return shown | ({"_embedded": {name: [] for name in expand}} if expand else {})


def selected(name: str, parameter: str, wanted: list[str], record: Mapping[str, Any]) -> bool:
    """By the standard's text, as far as the tests need it."""
    value = wanted[0]
    match parameter:
        case "groupType":
            return record["groupType"] in wanted
        case "organisation" if name == "groups":
            return record["organisation"]["id"] in wanted
        case "activity":
            return bool(record["activity"]["id"] == value)
        case "nameContains":
            return value.lower() in (record["givenName"] + " " + record["familyName"]).lower()
        case "eduPersonPrincipalName":
            return value in record["eduPersonPrincipalNames"]
        case "relationship.entity.type":
            return bool(record["enrolments"]) if value == "enrolment" else False
        case "relationship.organisation":
            return any(each["enroledAt"]["id"] == value for each in record["enrolments"])
    column, _, bound = parameter.rpartition(".")
    of: Any = record
    for step in column.split("."):
        of = of.get(step) if isinstance(of, Mapping) else None
    if bound in ("onOrAfter", "onOrBefore", "after", "before"):
        if of is None:
            return column == "endDate"
        here, limit = (datetime.fromisoformat(str(each)) for each in (of, value))
        if bound == "after":
            return here > limit
        return here >= limit if bound == "onOrAfter" else here <= limit
    return False  # of nothing that the records have


async def found(habits: Habits, **declared: Any) -> dict[tuple[str, str], object]:
    """What the probe found, by resource and key."""
    declared = {"resources": RESOURCES, **declared}
    source = source_of(habits, clock=lambda: NOW, **declared)
    findings = (await probe(source, soon(60))).findings
    assert len({(each.resource, each.what) for each in findings}) == len(findings)
    return {(each.resource, each.what): each.value for each in findings}


EXPANDS = {"Person": frozenset({"duties", "responsibleFor"}), "CalendarEvent": frozenset[str]()}
LOOKUP = {"Group": frozenset({"ids"}), "Person": frozenset({"ids", "civicNos"}),
          "CalendarEvent": frozenset({"ids", "student", "teacher"})}  # fmt: skip
"""What the source without habits knows."""


async def test_a_source_that_does_what_is_declared_gives_no_difference() -> None:
    assert await found(Habits(), expand=EXPANDS, lookup=LOOKUP) == {}


@pytest.mark.parametrize(
    ("what", "resource", "parameter"),
    [
        (what, resource, parameter)
        for what in (Filter.IGNORED, Filter.REFUSED)
        for resource, parameter in [
            ("Person", "nameContains"), ("Person", "eduPersonPrincipalName"), ("Person", "meta.modified.after"),
            ("Person", "relationship.entity.type"), ("Person", "relationship.organisation"),
            ("Group", "groupType"), ("Group", "endDate.onOrAfter"), ("Group", "startDate.onOrBefore"),
            ("CalendarEvent", "group"),
        ]
    ],
)  # fmt: skip
async def test_a_filter_that_has_no_effect_or_is_refused(what: Filter, resource: str, parameter: str) -> None:
    differences = await found(Habits({parameter: what}), expand=EXPANDS, lookup=LOOKUP)
    assert differences.pop((resource, f"filters.{parameter}")) == what.value
    assert {key for _, key in differences} <= {f"filters.{parameter}"}, "of other resources that have it too"


async def test_a_filter_that_leaves_out_what_it_should_give_is_not_relied_on() -> None:
    differences = await found(Habits(drops="nameContains"), expand=EXPANDS, lookup=LOOKUP)
    assert differences == {("Person", "filters.nameContains"): "unknown"}


async def test_a_filter_that_nobody_had_found_out_is_exact() -> None:
    unknown = {name: {"*": Filter.UNKNOWN} for name in RESOURCES}
    differences = await found(Habits(), expand=EXPANDS, lookup=LOOKUP, filters=unknown)
    assert differences["Person", "filters.nameContains"] == "exact"
    assert differences["Group", "filters.endDate.onOrAfter"] == "exact"
    assert ("Person", "filters.civicNo") not in differences
    assert ("Person", "filters.relationship.endDate.onOrAfter") not in differences, "records do not show it"


async def test_where_no_filter_has_an_effect_one_word_says_it() -> None:
    differences = await found(Habits({"*": Filter.IGNORED}), expand=EXPANDS, lookup=LOOKUP)
    assert differences == {(name, "filters.*"): "ignored" for name in RESOURCES}


@pytest.mark.parametrize(
    ("habits", "key", "value"),
    [
        (Habits(lookups=frozenset()), ("Person", "lookup"), []),
        (Habits(lookups=frozenset()), ("CalendarEvent", "lookup"), []),
        (Habits(lookups=frozenset({"ids"})), ("Person", "lookup"), ["ids"]),
        (Habits(expands=frozenset({"duties", "placements"})), ("Person", "expand"), ["duties", "placements"]),
        (Habits(paging=Paging.TOKEN_WITH_FILTERS), ("", "paging"), "token_with_filters"),
        (Habits(paging=Paging.TOKEN_WITH_WINDOW), ("", "paging"), "token_with_window"),
        (Habits(paging=Paging.OFFSET), ("", "paging"), "offset"),
        (Habits(paging=Paging.NONE), ("", "paging"), "none"),
        (Habits(arrays=Arrays.COMMA), ("", "arrays"), "comma"),
        (Habits(days=400), ("", "window_days"), 400),
        (Habits(days=31), ("", "window_days"), 31),
        (Habits(naive=True), ("", "timezone"), "UTC"),
        (Habits(single_lacks=frozenset({"enrolments"})), ("Person", "list_only"), ["enrolments"]),
        (Habits(list_lacks=frozenset({"familyName"})), ("Person", "list_lacks"), ["familyName"]),
    ],
    ids=lambda each: str(each)[-40:],
)
async def test_one_habit_at_a_time(habits: Habits, key: tuple[str, str], value: object) -> None:
    differences = await found(habits, expand=EXPANDS, lookup=LOOKUP)
    assert key in differences
    assert differences[key] == value


@pytest.mark.parametrize(
    ("declared", "days", "value"), [(31, 31, "same"), (400, 31, 31), (31, 400, 400), (90, 90, "same")]
)
async def test_a_cap_on_periods_beside_the_declared_one(declared: int, days: int, value: object) -> None:
    differences = await found(Habits(days=days), expand=EXPANDS, lookup=LOOKUP, window_days=declared)
    assert differences.get(("", "window_days"), "same") == value


async def test_a_cap_that_is_none_is_taken_back() -> None:
    source = source_of(Habits(), clock=lambda: NOW, resources=frozenset({"CalendarEvent"}), window_days=31)
    findings = (await probe(source, soon(60))).findings
    assert Finding("", "window_days", "31 days", "no cap") in findings
    assert section(findings)["window_days"] is None


@pytest.mark.parametrize("paging", Paging)
async def test_the_dialect_is_found_out_whatever_is_declared(paging: Paging) -> None:
    for declared in Paging:
        differences = await found(Habits(paging=paging), expand=EXPANDS, lookup=LOOKUP, paging=declared)
        assert differences.get(("", "paging"), declared.value) == paging.value


async def test_no_personal_identity_number_in_a_url_and_no_value_in_what_is_found() -> None:
    habits = Habits({"groupType": Filter.IGNORED}, lookups=frozenset(), single_lacks=frozenset({"enrolments"}))
    findings = (await probe(source_of(habits, clock=lambda: NOW, resources=RESOURCES), soon(60))).findings
    assert findings
    urls = " ".join(str(request.url) for request in habits.requests)
    assert CIVIC_NO[:-1] not in urls
    for secret in (PERSONS[0]["familyName"], PERSONS[0]["id"], GROUPS[0]["id"], HIDDEN):
        assert str(secret) not in urls, "a protected person is nobody to ask with"
    said = repr(findings)
    for record in (*PERSONS, *GROUPS, *EVENTS):
        assert record["id"] not in said
    assert CIVIC_NO[:-1] not in said
    assert not any(str(person["familyName"]) in said for person in PERSONS)
    assert {request.method for request in habits.requests} == {"GET", "POST"}
    assert all(request.url.path.endswith("/lookup") for request in habits.requests if request.method == "POST")


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
async def test_a_list_that_does_not_answer_says_why_and_nothing_else(status: int) -> None:
    source = source_of(lambda _: httpx.Response(status), resources=frozenset({"Group"}))
    findings = (await probe(source, soon())).findings
    expected = codes(await source.walk("Group", Query(), soon()))
    assert [(each.what, each.found) for each in findings] == [("list", *expected)]
    assert section(findings) == {}


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_source_that_cannot_say_now_is_not_said_to_refuse(status: int) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if "groupType" in asked(request) else habits(request)

    habits = Habits()
    probed = await probe(source_of(handle, clock=lambda: NOW, resources=frozenset({"Group"})), soon())
    assert [each for each in probed.findings if each.what.startswith("filters")] == []
    assert Open("Group", "filters", "no answer to them now: groupType") in probed.open


def test_what_was_found_as_keys_of_the_configuration() -> None:
    findings = [
        Finding("Person", "filters.nameContains", "exact", "ignored", "ignored"),
        Finding("Person", "filters.*", "exact", "unknown", "unknown"),
        Finding("StudyPlan", "expand", "a", "none", []),
        Finding("", "paging", "token", "none", "none"),
        Finding("", "organisation_level", "Skola", "see", by_hand=True),
    ]
    assert section(findings) == {
        "filters": {"persons": {"nameContains": "ignored", "*": "unknown"}},
        "expand": {"studyPlans": []},
        "paging": "none",
    }
