"""Preschool and after-school care: placements, schedules of stay, and children coming and going."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta

from .world import Human, Record, Team, World, dated, zoned

DAYS = ("Måndag", "Tisdag", "Onsdag", "Torsdag", "Fredag")
REASONS = ("Omsorgsbehov", "Erbjuden tid", "Eget behov")
EVENT_DAYS = 3
"""How many of the latest weekdays have attendance events."""


def add_preschool(world: World) -> None:
    for team in world.teams:
        if team.kind != "Avdelning":
            continue
        for child in team.pupils:
            placement = _placement(world, team, child)
            if team.form == "FS":
                _schedules(world, placement, child)
                _events(world, team, child)


def _placement(world: World, team: Team, child: Human) -> Record:
    choice = world.number("placement", child.id)
    start = world.year_start - timedelta(days=choice % 400) if team.form == "FS" else world.year_start
    start = max(start, child.birth + timedelta(days=300))
    if choice % 23 == 0:
        start = world.today + timedelta(days=20)
    end = world.today - timedelta(days=10) if choice % 29 == 3 and start < world.today - timedelta(days=10) else None
    record: Record = {
        "id": world.id("placement", child.id, team.form),
        "meta": world.meta("placement", child.id),
        "placedAt": world.ref(team.unit.id),
        "group": world.ref(team.id),
        "child": world.ref(child.id),
        "owners": world.refs([g.id for g in child.guardians]),
        "schoolType": team.form,
        **dated(start, end),
        "reason": REASONS[choice % 5 % 3],
    }
    if team.form == "FS":
        record["maxWeeklyScheduleHours"] = (15, 30, 40)[choice % 3]
    if choice % 31 == 1:
        del record["group"]
    world.records["Placement"].append(record)
    return record


def _schedules(world: World, placement: Record, child: Human) -> None:
    """A schedule of one or two weeks that turns; for some a temporary one besides, asked for, granted or refused."""
    choice = world.number("schedule", child.id)
    weeks = 1 + choice % 2
    entries: list[Record] = [
        {
            "weekOffset": week, "dayOfWeek": day,
            "startTime": f"{7 + (choice + week) % 3:02d}:{(choice + i) % 2 * 30:02d}",
            "endTime": f"{15 + (choice + i) % 3:02d}:{week * 30:02d}",
        }
        for week in range(weeks)
        for i, day in enumerate(DAYS)
        if (choice + i + week) % 7
    ]  # fmt: skip
    first = date.fromisoformat(str(placement["startDate"]))
    asked, decided = first - timedelta(days=14), first - timedelta(days=10)
    states = [_state(world, "Begärt", asked, child.guardians[0]), _state(world, "Godkänt", decided, None)]
    _schedule(world, placement, "normal", weeks, first, None, states, entries)
    if choice % 6 == 0:
        answers: tuple[list[Record], ...] = (
            [],
            [_state(world, "Nekat", decided, None)],
            [_state(world, "Godkänt", decided, None)],
        )
        states = [states[0], *answers[choice // 6 % 3]]
        begin = world.monday + timedelta(days=7 * (choice // 18 % 2))
        short: Record = {"weekOffset": 0, "dayOfWeek": "Måndag", "startTime": "09:00", "endTime": "14:30"}
        _schedule(world, placement, "temporary", 1, begin, begin + timedelta(days=4), states, [short])


def _schedule(
    world: World,
    placement: Record,
    kind: str,
    weeks: int,
    start: date,
    end: date | None,
    states: Sequence[Record],
    entries: Sequence[Record],
) -> None:
    record: Record = {
        "id": world.id("schedule", placement["id"], kind),
        "meta": world.meta("schedule", placement["id"], kind),
        "placement": world.ref(str(placement["id"])),
        "numberOfWeeks": weeks,
        **dated(start, end),
        "state": list(states),
        "scheduleEntries": list(entries),
    }
    if kind == "temporary":
        record["temporary"] = True
    world.records["AttendanceSchedule"].append(record)


def _state(world: World, state: str, day: date, by: Human | None) -> Record:
    record: Record = {"state": state, "registeredAt": zoned(day, time(12, 15)).isoformat()}
    if by is not None:
        record["registeredBy"] = world.ref(by.id)
    if state == "Nekat":
        record["comment"] = "Ryms inte i bemanningen."
    return record


def _events(world: World, team: Team, child: Human) -> None:
    educators = [p.human for p in team.unit.staff if p.human is not None and p.role in ("Förskollärare", "Barnskötare")]
    for day in world.past_school_days[:EVENT_DAYS]:
        choice = world.number("stay", child.id, day)
        if choice % 8 == 0:
            continue
        for kind, hour in (("In", 7), ("Ut", 15)):
            id = world.id("stay", child.id, day, kind)
            record: Record = {
                "id": id,
                "meta": world.meta("stay", id),
                "time": zoned(day, time(hour + choice % 2, choice // 8 % 60)).isoformat(),
                "eventType": kind,
                "person": world.ref(child.id),
                "group": world.ref(team.id),
            }
            if choice % 3:
                record["registeredBy"] = world.ref(educators[choice % len(educators)].id)
            world.records["AttendanceEvent"].append(record)
