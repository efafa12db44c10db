"""The derived answers over small random worlds around both nights when the clock changes, against an oracle.

Two sources disagree about everything: who is in which group and until when, who teaches, which exceptions there are,
which schedule covers which day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.standard import RESOURCES
from tests import derived_oracle as derived
from tests.oracle import Oracle

from .worlds import NOWHERE, World, answer, fakes, federation, identity

NIGHTS = (date(2026, 3, 29), date(2026, 10, 25))
RESOURCE_IDS = {
    name: [identity(kind, number) for number in (2, 1, 3)]
    for kind, name in enumerate(
        (
            "Person",
            "Group",
            "Duty",
            "Activity",
            "CalendarEvent",
            "Attendance",
            "Absence",
            "Placement",
            "AttendanceSchedule",
        ),
        0x2A,
    )
}
PERSONS, GROUPS, DUTIES, ACTIVITIES = (RESOURCE_IDS[n] for n in ("Person", "Group", "Duty", "Activity"))
EVENTS, PLACEMENTS = RESOURCE_IDS["CalendarEvent"], RESOURCE_IDS["Placement"]

Made = dict[str, Any]


@dataclass
class Dice:
    """Draws values that are dense: a search that prefers small worlds would hardly ever have anybody take part."""

    random: Random
    night: date

    def day(self) -> str:
        return (self.night + timedelta(self.random.choice((-6, -2, -1, 0, 1, 2, 5)))).isoformat()

    def moment(self) -> str:
        clock = self.random.choice((time(0, 30), time(22, 30), time(23, 30), time(1, 0), time(12, 0)))
        return datetime.combine(
            self.night + timedelta(self.random.choice((-2, -1, -1, 0, 0, 1, 2))), clock, UTC
        ).isoformat()

    def to(self, ids: Sequence[str]) -> Made:
        return {"id": self.random.choice([*ids, *ids, *ids, NOWHERE])}

    def some(self, make: Callable[[], Made], most: int = 3) -> list[Made]:
        return [make() for _ in range(self.random.randint(0, most))]

    def of(self, required: Made, share: float = 0.6, **optional: Callable[[], Any]) -> Made:
        """An object with what is required and a share of the rest."""
        return required | {name: make() for name, make in optional.items() if self.random.random() < share}

    def dates(self) -> Made:
        return self.of({}, 0.35, startDate=self.day, endDate=self.day)

    def exception(self, name: str, ids: Sequence[str]) -> Made:
        whom = {name: self.to(ids), "participates": self.random.random() < 0.6}
        return self.of(whom, 0.3, startTime=self.moment, endTime=self.moment, teachingLength=lambda: 20)

    def assignment(self) -> Made:
        by_duty = self.random.random() < 0.7
        return ({"duty": self.to(DUTIES)} if by_duty else {"person": self.to(PERSONS)}) | self.dates()

    def state(self) -> Made:
        said = self.random.choice(("Godkänt", "Godkänt", "Begärt", "Nekat", "?"))
        return self.of({"state": said}, 0.9, registeredAt=self.moment)

    def stay(self) -> Made:
        def clock() -> str:
            return self.random.choice(("00:00", "01:00", "02:00", "02:30", "03:00", "21:00", "24:00"))

        day = self.random.choice(("Lördag", "Söndag", "Måndag"))
        return self.of(
            {"dayOfWeek": day}, 0.9, weekOffset=lambda: self.random.randint(0, 4), startTime=clock, endTime=clock
        )

    def record(self, name: str) -> Made:
        some, to, of = self.some, self.to, self.of
        match name:
            case "Person":
                return of({}, 0.5, securityMarking=lambda: self.random.choice(("Ingen", "Ingen", "Sekretessmarkering")))
            case "Group":
                return self.dates() | of(
                    {}, 0.9, groupMemberships=lambda: some(lambda: {"person": to(PERSONS)} | self.dates())
                )
            case "Duty":
                return self.dates() | of({}, 0.8, person=lambda: to(PERSONS[:2]))
            case "Activity":
                return of({}, 0.9, groups=lambda: some(lambda: to(GROUPS)), teachers=lambda: some(self.assignment))
            case "CalendarEvent":
                times = of({}, 0.9, startTime=self.moment, endTime=self.moment, activity=lambda: to(ACTIVITIES))
                lengths = of({}, teachingLengthStudent=lambda: 40, teachingLengthTeacher=lambda: 50)
                rest = of({}, cancelled=lambda: self.random.random() < 0.5, rooms=lambda: some(lambda: {"id": NOWHERE}))
                return times | lengths | rest | of(
                    {},
                    studentExceptions=lambda: some(lambda: self.exception("student", PERSONS)),
                    teacherExceptions=lambda: some(lambda: self.exception("duty", DUTIES)),
                )  # fmt: skip
            case "Attendance":
                at = {"calendarEvent": to(EVENTS), "student": to(PERSONS[:2])}
                return of(at, isReported=lambda: self.random.random() < 0.5, reportedTimestamp=self.moment)
            case "Absence":
                return of({"student": to(PERSONS[:2])}, 0.9, startTime=self.moment, endTime=self.moment)
            case "Placement":
                return self.dates()
        return self.dates() | of(
            {"placement": to(PLACEMENTS[:2]), "scheduleEntries": some(self.stay, 6)},
            numberOfWeeks=lambda: self.random.randint(0, 3),
            temporary=lambda: self.random.random() < 0.5,
            state=lambda: some(self.state),
        )

    def records(self, name: str) -> list[Made]:
        return [{"id": id, **self.record(name)} for id in RESOURCE_IDS[name] if self.random.random() < 0.85]


def town(seed: int) -> tuple[date, World]:
    """A night and a world: one source that has everything, one that has some of it too and says something else."""
    random = Random(seed)
    dice = Dice(random, random.choice(NIGHTS))
    shared = [name for name in RESOURCE_IDS if random.random() < 0.3]
    return dice.night, World(
        {
            "a": {name: dice.records(name) for name in RESOURCE_IDS},
            "b": {name: dice.records(name) for name in shared},
        }
    )


QUERY = """query($persons: [ID!]!, $events: [ID!]!, $groups: [ID!]!, $placements: [ID!]!, $from: Date!, $to: Date!) {
    personsByIds(ids: $persons) {
        schedule(from: $from, to: $to) {
            start end teachingLength cancelled via
            event { id } activity { id } rooms { id } attendance { id } absences { id }
        }
    }
    calendarEventsByIds(ids: $events) {
        participants { person { id } via start end teachingLength }
        teachersInEffect { duty { id } person { id } via start end teachingLength }
    }
    groupsByIds(ids: $groups) { members(during: {from: $from, to: $to}) { id } }
    placementsByIds(ids: $placements) {
        attendanceTimes(from: $from, to: $to) { date start end stateText schedule { id } }
    }
}"""
SEEN: Counter[str] = Counter()
"""What the random worlds had to show."""


def configuration(world: World) -> dict[str, Any]:
    sources = {
        name: {"resources": [RESOURCES[each].plural for each in served]} for name, served in world.sources.items()
    }
    return {"sources": sources, "authority": {}}


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32 - 1))
def test_derived_answers(seed: int) -> None:
    night, world = town(seed)
    first, last = night - timedelta(days=1), night + timedelta(days=1)
    oracle = Oracle(world.sources, configuration(world))
    view = derived.View(oracle)
    variables = {
        "persons": PERSONS,
        "events": EVENTS,
        "groups": GROUPS,
        "placements": PLACEMENTS,
        "from": first.isoformat(),
        "to": last.isoformat(),
    }
    data = answer(federation(world, fakes(world)), QUERY, variables)["data"]
    for id, said in zip(PERSONS, data["personsByIds"], strict=True):
        if oracle.by_id("Person", id) is None:
            assert said is None
            continue
        assert said["schedule"] == derived.schedule(view, id, first, last)
        SEEN.update(entry["via"] for entry in said["schedule"])
        SEEN["attendance"] += sum(entry["attendance"] is not None for entry in said["schedule"])
        SEEN["absences"] += sum(bool(entry["absences"]) for entry in said["schedule"])
    for id, said in zip(EVENTS, data["calendarEventsByIds"], strict=True):
        event = oracle.by_id("CalendarEvent", id)
        if event is not None:
            assert said["participants"] == derived.participants(view, event)
            assert said["teachersInEffect"] == derived.teachers(view, event)
            SEEN["participants"] += len(said["participants"])
            SEEN["teachers"] += len(said["teachersInEffect"])
    for id, said in zip(GROUPS, data["groupsByIds"], strict=True):
        group = oracle.by_id("Group", id)
        if group is not None:
            members = derived.members(view, group, first, last) if group["groupMemberships"] is not None else None
            assert said["members"] == members
            SEEN["members"] += len(members or ())
    for id, said in zip(PLACEMENTS, data["placementsByIds"], strict=True):
        placement = oracle.by_id("Placement", id)
        if placement is not None:
            assert said["attendanceTimes"] == derived.attendance_times(view, placement, first, last)
            SEEN["stays"] += len(said["attendanceTimes"])


def test_the_worlds_had_something_to_show() -> None:
    assert min(SEEN[each] for each in ("GROUP", "DUTY", "EXCEPTION", "attendance", "absences")) > 20, SEEN
    assert min(SEEN[each] for each in ("participants", "teachers", "members", "stays")) > 50, SEEN
