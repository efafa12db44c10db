"""The derived answers over the six sources, for two municipalities around both nights in which the clock changes.

Over conformant sources, and over those of which no two speak alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from sources.demo.municipality import Municipality, build
from sources.demo.server import DemoServers, start
from sources.demo.wild import CONFORMANT, WILD

from . import derived_oracle as derived
from .conftest import PUPILS, oracle_of
from .harness import ask, over
from .oracle import Oracle, Record

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEDULE = """schedule(from: $from, to: $to) {
    start end teachingLength cancelled via event { id } activity { id } rooms { id } attendance { id } absences { id }
}"""
SCHEDULES = f"query($ids: [ID!]!, $from: Date!, $to: Date!) {{ personsByIds(ids: $ids) {{ id {SCHEDULE} }} }}"


@dataclass
class Town:
    """A municipality, a gateway over it, and what it must say; in the week from ``monday`` the clock changes."""

    servers: DemoServers
    gateway: Assembled
    oracle: Oracle
    view: derived.View
    monday: date

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    async def ask(self, query: str, **variables: Any) -> Any:
        said = await ask(self.gateway.federation, query, variables)
        assert "errors" not in said, said["errors"]
        return said["data"]

    async def schedules(self, people: Sequence[str], first: date, last: date) -> None:
        """Compare the schedules of these people."""
        data = await self.ask(SCHEDULES, ids=people, **{"from": first.isoformat(), "to": last.isoformat()})
        for person in data["personsByIds"]:
            expected = derived.schedule(self.view, person["id"], first, last)
            for entry in expected:  # only schema has lessons, and no key tells its activities from anybody else's
                activity = entry["activity"]["id"]
                entry["activity"] = {"id": self.servers.dialects.of("schema").own_id("Activity", activity)}
            assert person["schedule"] == expected, person["id"]

    def events(self) -> list[Record]:
        """The events of the week before and the week after the night."""
        return [each for each in self.view.events if derived.near(each, self.monday, self.sunday + timedelta(days=7))]


def later(text: str, **by: int) -> str:
    return (datetime.fromisoformat(text) + timedelta(**by)).isoformat()


def with_edges(town: Municipality, monday: date) -> Municipality:
    """The same, with what it is too small to show: changes in the middle of the week, moved lessons, nights."""
    tuesday, wednesday, thursday, sunday = ((monday + timedelta(days=n)).isoformat() for n in (1, 2, 3, 6))
    sources = {name: dict(resources) for name, resources in town.sources.items()}

    groups = list(sources["sis"]["Group"])
    classes = [
        n for n, group in enumerate(groups) if group["groupType"] == "Klass" and "läsår" not in group["displayName"]
    ]
    for n, following in pairwise(classes):
        first, second, third, *others = groups[n]["groupMemberships"]
        left = [{**first, "endDate": wednesday}, {**second, "endDate": sunday}, {**third, "startDate": thursday}]
        joined = {**first, "startDate": thursday}
        groups[n] = {**groups[n], "groupMemberships": [*left, *others]}
        groups[following] = {
            **groups[following], "groupMemberships": [*groups[following]["groupMemberships"], joined]
        }  # fmt: skip
    groups[classes[-2]] = {**groups[classes[-2]], "endDate": tuesday}
    sources["sis"]["Group"] = groups

    members = {group["id"]: [m["person"] for m in group["groupMemberships"]] for group in groups}
    of = {activity["id"]: activity for activity in sources["schema"]["Activity"]}
    events = list(sources["schema"]["CalendarEvent"])
    for n, event in enumerate(events):
        activity = of[event["activity"]["id"]]
        pupils, start, end = members.get(activity["groups"][0]["id"]), event["startTime"], event["endTime"]
        if pupils and n % 6 == 0:
            moved = {"startTime": later(start, hours=(-14, -26, 1)[n // 6 % 3]), "endTime": later(end, hours=1)}
            said = [
                {"student": pupils[-1], "participates": True, **moved},
                {"student": pupils[0], "participates": True, "teachingLength": 20},
            ]
            event = {**event, "studentExceptions": said}
        if activity.get("teachers") and n % 7 == 0:
            away = {"duty": activity["teachers"][0]["duty"], "participates": n % 14 > 0, "endTime": later(end, hours=2)}
            event = {**event, "teacherExceptions": [away]}
        events[n] = event
    sources["schema"]["CalendarEvent"] = events

    activities = list(sources["schema"]["Activity"])
    for n, activity in enumerate(activities):
        if n % 3 == 0 and activity.get("teachers"):
            before, *others = activity["teachers"]
            other = activities[n - 1].get("teachers") or [before]
            after = {"duty": other[0]["duty"], "startDate": thursday}
            activities[n] = {**activity, "teachers": [{**before, "endDate": wednesday}, *others, after]}
    sources["schema"]["Activity"] = activities
    teaching = {each["duty"]["id"] for a in activities[1::4] for each in a.get("teachers") or ()}
    sources["hr"]["Duty"] = [
        {**duty, "endDate": tuesday} if duty["id"] in teaching and int(duty["id"][:2], 16) % 3 == 0 else duty
        for duty in sources["hr"]["Duty"]
    ]

    sources["narvaro"]["Attendance"] = [
        twin
        for n, each in enumerate(sources["narvaro"]["Attendance"])
        for twin in (
            each,
            {**each, "id": f"00000000-0000-4000-8000-{n:012x}", "reportedTimestamp": each["meta"]["created"]},
        )
    ]

    schedules = list(sources["forskola"]["AttendanceSchedule"])
    nights = [
        {"weekOffset": 0, "dayOfWeek": "Lördag", "startTime": "21:30", "endTime": "06:15"},
        {"weekOffset": 0, "dayOfWeek": "Söndag", "startTime": "02:30", "endTime": "12:00"},
        {"weekOffset": 3, "dayOfWeek": "Söndag", "startTime": "01:00", "endTime": "02:30"},
        {"weekOffset": 1, "dayOfWeek": "Lördag", "startTime": "20:00", "endTime": "20:00"},
    ]
    for n, schedule in enumerate(schedules):
        if n % 5 == 0:
            schedule = {**schedule, "scheduleEntries": [*schedule["scheduleEntries"], *nights]}
        if n % 7 == 0:
            schedule = {**schedule, "state": schedule["state"][:1]}
        schedules[n] = schedule
    for n, each in enumerate([each for each in schedules if not each.get("temporary")]):
        id = f"00000000-0000-4000-8000-{n:012x}"
        match n % 8:
            case 1 | 2:  # a new one from the middle of a week; it turns from that week on
                schedules.append({**each, "id": id, "startDate": thursday, "numberOfWeeks": 3})
            case 3:
                schedules.append(
                    {**each, "id": id, "startDate": tuesday, "endDate": sunday, "temporary": True, "numberOfWeeks": 1}
                )
            case 4:  # without an end, and from two systems' worth of states, the last one first
                states = [each["state"][-1] | {"registeredAt": later(each["state"][-1]["registeredAt"], days=9)}]
                states += [{"state": "Nekat", "registeredAt": each["state"][0]["registeredAt"]}]
                schedules.append({**each, "id": id, "startDate": wednesday, "temporary": True, "state": states})
    sources["forskola"]["AttendanceSchedule"] = schedules
    return replace(town, sources=sources)


def without_lone_duties(town: Municipality) -> Municipality:
    """The same without what hr says of vacant duties, and of those that no other source has a record of.

    Where hr has ids of its own, nothing leads from the id by which schema's activities name such a duty to hr's record:
    neither whose it is nor from when until when.
    """
    sources = {name: dict(resources) for name, resources in town.sources.items()}
    others = {duty["id"] for name in ("sis", "schema") for duty in sources[name]["Duty"]}
    sources["hr"]["Duty"] = [duty for duty in sources["hr"]["Duty"] if duty["id"] in others and duty.get("person")]
    return replace(town, sources=sources)


SPRING, AUTUMN = (1, date(2026, 3, 25)), (2, date(2026, 10, 21))


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(*SPRING, CONFORMANT), (*AUTUMN, CONFORMANT), (*SPRING, WILD), (*AUTUMN, WILD)],
    ids=["spring", "autumn", "spring-wild", "autumn-wild"],
)
async def town(request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    seed, today, dialects = request.param
    monday = today - timedelta(days=today.weekday())
    municipality = with_edges(build(PUPILS, seed, today), monday)
    async with await start(municipality, dialects=dialects) as servers:
        gateway = over(servers)
        recognised = without_lone_duties(municipality) if dialects is WILD else municipality
        expected = oracle_of(recognised, servers)
        yield Town(servers, gateway, expected, derived.View(expected), monday)
        await gateway.aclose()


def excepted(town: Town, entries: str, name: str, participates: bool) -> list[str]:
    return [e[name]["id"] for each in town.events() for e in each[entries] or () if e["participates"] is participates]


def visible(town: Town, people: Sequence[str]) -> list[str]:
    return [each for each in dict.fromkeys(people) if town.oracle.by_id("Person", each) is not None]


async def test_the_schedules_of_whole_classes(town: Town) -> None:
    """Two classes with those who join, leave, and leave on the Sunday, and one that ends itself."""
    classes = [
        group
        for group in town.oracle.all("Group")
        if group["groupType"] == "Klass" and any("endDate" in m for m in group["groupMemberships"])
    ]
    ending = [group for group in classes if group["endDate"] == (town.monday + timedelta(days=1)).isoformat()]
    assert len(ending) == 1
    for group in (*classes[:2], *ending):
        people = visible(town, [entry["person"]["id"] for entry in group["groupMemberships"]])
        await town.schedules(people, town.monday, town.sunday + timedelta(days=7))


async def test_whoever_an_exception_names(town: Town) -> None:
    guests, away = (excepted(town, "studentExceptions", "student", part) for part in (True, False))
    assert guests
    assert away
    await town.schedules(visible(town, guests + away), town.monday, town.sunday + timedelta(days=7))


async def test_the_day_of_the_change_itself(town: Town) -> None:
    """Those who change class between Wednesday and Thursday: no lesson twice, none of the wrong class."""
    wednesday, thursday = town.monday + timedelta(days=2), town.monday + timedelta(days=3)
    leaving = [
        entry["person"]["id"]
        for group in town.oracle.all("Group")
        for entry in group["groupMemberships"] or ()
        if entry.get("endDate") == wednesday.isoformat()
    ]
    assert leaving
    for first, last in ((wednesday, wednesday), (thursday, thursday), (wednesday, thursday)):
        await town.schedules(visible(town, leaving), first, last)


async def test_the_schedules_of_teachers(town: Town) -> None:
    duties = (
        excepted(town, "teacherExceptions", "duty", True)[:4] + excepted(town, "teacherExceptions", "duty", False)[:4]
    )
    assert len(duties) > 1
    duties += [e["duty"]["id"] for a in town.oracle.all("Activity")[::9] for e in a["teachers"] or ()]
    people = [each["id"] for d in duties if (each := town.oracle.record("Duty", d)["person"]) is not None]
    await town.schedules(visible(town, people)[:24], town.monday, town.sunday + timedelta(days=7))


async def test_who_takes_part_in_events(town: Town) -> None:
    events = town.events()
    asked = [each for each in events if each["studentExceptions"] or each["teacherExceptions"]] + events[::40]
    query = """query($ids: [ID!]!) { calendarEventsByIds(ids: $ids) {
        participants { person { id } via start end teachingLength }
        teachersInEffect { duty { id } person { id } via start end teachingLength }
    } }"""
    data = await town.ask(query, ids=[each.id for each in asked])
    vias: Counter[str] = Counter()
    for event, said in zip(asked, data["calendarEventsByIds"], strict=True):
        assert said["participants"] == derived.participants(town.view, event)
        assert said["teachersInEffect"] == derived.teachers(town.view, event)
        vias.update(each["via"] for each in said["participants"] + said["teachersInEffect"])
    assert set(vias) == {"GROUP", "DUTY", "EXCEPTION"}


async def test_members_on_a_day(town: Town) -> None:
    groups = town.oracle.all("Group")
    for first, last in ((town.monday, town.monday), (town.sunday, town.sunday), (date(2026, 1, 1), town.sunday)):
        query = f"""query($ids: [ID!]!) {{ groupsByIds(ids: $ids) {{
            members(during: {{from: "{first}", to: "{last}"}}) {{ id }}
        }} }}"""
        data = await town.ask(query, ids=[each.id for each in groups])
        expected = [derived.members(town.view, each, first, last) for each in groups]
        assert [each["members"] for each in data["groupsByIds"]] == expected
        assert any(expected)
    data = await town.ask(
        f'{{ groups(first: 200) {{ nodes {{ id on: members(on: "{town.monday}") {{ id }} members {{ id }} }} }} }}'
    )
    for each in data["groups"]["nodes"]:
        group = town.oracle.record("Group", each["id"])
        assert each["on"] == derived.members(town.view, group, town.monday, town.monday)
        everybody = {m["person"]["id"]: m["person"] for m in group["groupMemberships"] or ()}
        shown = [who for who in sorted(everybody) if town.oracle.follow("Person", everybody[who]) is not None]
        assert [member["id"] for member in each["members"]] == shown


async def test_when_children_come_and_go(town: Town) -> None:
    """All placements, over six weeks around the night: weeks that turn, temporary schedules and their states."""
    placements = town.oracle.all("Placement")
    first, last = town.monday - timedelta(days=14), town.monday + timedelta(days=27)
    query = f"""query($ids: [ID!]!) {{ placementsByIds(ids: $ids) {{
        attendanceTimes(from: "{first}", to: "{last}") {{ date start end stateText schedule {{ id }} }}
    }} }}"""
    data = await town.ask(query, ids=[each.id for each in placements])
    used: Counter[tuple[bool, int]] = Counter()
    offsets = set()
    for placement, said in zip(placements, data["placementsByIds"], strict=True):
        assert said["attendanceTimes"] == derived.attendance_times(town.view, placement, first, last)
        for stay in said["attendanceTimes"]:
            schedule = town.oracle.record("AttendanceSchedule", stay["schedule"]["id"])
            used[schedule["temporary"] is True, schedule["numberOfWeeks"]] += 1
            offsets.add(stay["start"][-6:])
    assert set(used) >= {(False, 1), (False, 2), (False, 3), (True, 1)}
    assert offsets == {"+01:00", "+02:00"}


async def test_calls_do_not_grow_with_the_number_of_persons(town: Town) -> None:
    """Thirty pupils' schedules, with all there is in them, take what one pupil's take; only lookups are chunked."""
    group = max(town.oracle.all("Group"), key=lambda g: len(g["groupMemberships"] or ()) * (g["groupType"] == "Schema"))
    people = visible(town, [entry["person"]["id"] for entry in group["groupMemberships"]])[:30]
    assert len(people) == 30
    days = {"from": town.monday.isoformat(), "to": town.sunday.isoformat()}
    calls = []
    for ids in (people[:1], people):
        gateway = over(town.servers)
        town.servers.reset()
        assert "errors" not in await ask(gateway.federation, SCHEDULES, {"ids": ids, **days})
        await gateway.aclose()
        calls.append({name: Counter(server.calls) for name, server in town.servers.items()})
    one, thirty = calls
    for name in one:
        for path in ("/calendarEvents", "/activities", "/attendances", "/absences", "/persons"):
            assert thirty[name]["GET", path] == one[name]["GET", path], (name, path)
        for path in ("/activities/lookup", "/attendances/lookup"):
            assert thirty[name]["POST", path] <= max(one[name]["POST", path], 2), (name, path)
    assert sum(each.total() for each in thirty.values()) <= sum(each.total() for each in one.values()) + 6


async def test_protected_persons_take_part_in_nothing_that_is_shown(town: Town) -> None:
    hidden = {
        person["id"]
        for records in town.oracle.sources.values()
        for person in records.get("Person", ())
        if person.get("securityMarking", "Ingen") != "Ingen"
    }
    groups = [g for g in town.oracle.all("Group") if {m["person"]["id"] for m in g["groupMemberships"] or ()} & hidden]
    assert groups
    ids = [
        event.id
        for event in town.events()
        if {g["id"] for g in town.oracle.record("Activity", event["activity"]["id"])["groups"]} & {g.id for g in groups}
    ]
    assert ids
    query = """query($ids: [ID!]!, $groups: [ID!]!, $people: [ID!]!, $from: Date!, $to: Date!) {
        calendarEventsByIds(ids: $ids) { participants { person { id } } teachersInEffect { person { id } } }
        groupsByIds(ids: $groups) { members { id } }
        personsByIds(ids: $people) { schedule(from: $from, to: $to) { start } }
    }"""
    days = {"from": town.monday.isoformat(), "to": town.sunday.isoformat()}
    data = await town.ask(query, ids=ids, groups=[g.id for g in groups], people=sorted(hidden), **days)
    assert not [each for each in hidden if each in str(data)]
    assert data["personsByIds"] == [None for _ in hidden]


async def test_periods_that_cannot_be_answered_are_refused(town: Town) -> None:
    person = town.oracle.all("Person")[0].id
    town.servers.reset()
    for first, last in (("2026-03-02", "2026-03-01"), ("2026-01-01", "2026-12-31"), ("9999-12-31", "9999-12-31")):
        query = f'{{ person(id: "{person}") {{ schedule(from: "{first}", to: "{last}") {{ start }} }} }}'
        said = await ask(town.gateway.federation, query)
        assert said["errors"][0]["extensions"]["code"] == "INVALID_DATE"
    assert not any(server.calls for server in town.servers.values())
