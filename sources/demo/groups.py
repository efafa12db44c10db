"""Groups: classes, teaching groups, mentor and test groups, preschool departments, groups of timetable and staff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from math import ceil

from .syllabus import GY_COURSES, courses_of
from .world import Human, Record, Team, Unit, World, dated

LANGUAGES = ("Franska", "Spanska", "Tyska")
DEPARTMENTS = ("Solen", "Månen", "Stjärnan", "Ängen", "Björken", "Älgen", "Örnen", "Åskan")
CLASS_SIZE = 26


def add_groups(world: World) -> None:
    for unit in world.units:
        if unit.form == "FS":
            _departments(world, unit)
        elif unit.years:
            classes = _classes(world, unit)
            _teaching_groups(world, unit, classes)
            _whole_unit(world, unit)
            _mentors(world, unit, classes)
    _moves(world)
    world.records["Group"] = [record(world, team) for team in world.teams]


def _departments(world: World, unit: Unit) -> None:
    parts = _split(sorted(unit.pupils, key=lambda c: c.birth), 16)
    for i, children in enumerate(parts):
        name = DEPARTMENTS[i % len(DEPARTMENTS)]
        team = _team(world, f"department/{unit.id}/{i}", name, "Avdelning", "FS", unit, children)
        team.start, team.end = world.year_start.replace(year=world.year_start.year - 6), None


def _classes(world: World, unit: Unit) -> list[Team]:
    by_class: defaultdict[tuple[int, str | None], list[Human]] = defaultdict(list)
    for pupil in unit.pupils:
        by_class[pupil.year or 0, pupil.programme].append(pupil)
    classes = []
    for (year, programme), pupils in sorted(by_class.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        for i, part in enumerate(_split(pupils, CLASS_SIZE)):
            letter = chr(65 + i)
            if programme is not None:
                name = f"{programme}{(world.year_start.year + 1 - year) % 100:02d}{letter}"
            else:
                name = f"{year or 'F'}{letter}"
            form = "GY" if programme else "GR" if year else "FKLASS"
            team = _team(world, f"class/{unit.id}/{year}/{programme}/{i}", name, "Klass", form, unit, part)
            team.year, team.programme = year, programme
            classes.append(team)
    old = _team(world, f"old class/{unit.id}", f"{classes[-1].name} (förra läsåret)", "Klass", unit.form, unit, ())
    old.start, old.end = old.start.replace(year=old.start.year - 1), world.year_start - timedelta(days=1)
    old.members = [(pupil, old.start, old.end) for pupil in classes[-1].pupils]
    coming = _team(world, f"coming class/{unit.id}", f"{classes[0].name} (nästa läsår)", "Klass", unit.form, unit, ())
    coming.start, coming.end = world.year_end + timedelta(days=1), None
    coming.members = [(pupil, coming.start, None) for pupil in classes[0].pupils]
    return classes


def _teaching_groups(world: World, unit: Unit, classes: Sequence[Team]) -> None:
    for team in classes:
        if team.programme is not None:
            for course in courses_of(team.programme):
                name = f"{team.name} {GY_COURSES[course][2]}"
                _team(world, f"course/{team.id}/{course}", name, "Undervisning", "GY", unit, team.pupils)
        elif team.year:
            for i, part in enumerate(_split(team.pupils, ceil(len(team.members) / 2))):
                _team(world, f"craft/{team.id}/{i}", f"{team.name} Slöjd {i + 1}", "Undervisning", "GR", unit, part)
    for year in unit.years:
        if unit.form == "GR" and year >= 7:
            pupils = [p for p in unit.pupils if p.year == year]
            for i, language in enumerate(LANGUAGES):
                key = f"language/{unit.id}/{year}/{i}"
                _team(world, key, f"{year} {language}", "Undervisning", "GR", unit, pupils[i :: len(LANGUAGES)])


def _whole_unit(world: World, unit: Unit) -> None:
    _team(world, f"day/{unit.id}", f"Friluftsdag {unit.name}", "Schema", unit.form, unit, unit.pupils)
    staff = list({p.human.id: p.human for p in unit.staff if p.human}.values())
    _team(world, f"staff/{unit.id}", f"Personal {unit.name}", "Personalgrupp", None, unit, staff)
    tested = [p for p in unit.pupils if p.year == max(unit.years)]
    form = "GY" if unit.form == "GY" else "GR"
    _team(world, f"test/{unit.id}", f"Nationellt prov {unit.name}", "Provgrupp", form, unit, tested)
    if unit.leisure is not None:
        youngest = [p for p in unit.pupils if p.year is not None and p.year <= 3 and p.birth.day % 2]
        _team(world, f"leisure/{unit.id}", "Fritids Blå", "Avdelning", "FTH", unit.leisure, youngest)


def _mentors(world: World, unit: Unit, classes: Sequence[Team]) -> None:
    """Every class has a mentor; classes from year 7 also have mentor groups of half their size."""
    teachers = [p for p in unit.staff if p.teaches]
    for i, team in enumerate(classes):
        teachers[i % len(teachers)].mentors.append(team)
        if team.programme is not None or team.year >= 7:
            for half, part in enumerate(_split(team.pupils, ceil(len(team.members) / 2))):
                name = f"Mentorsgrupp {team.name}:{half + 1}"
                group = _team(world, f"mentor/{team.id}/{half}", name, "Mentor", team.form, unit, part)
                teachers[(i + half) % len(teachers)].mentors.append(group)


def _moves(world: World) -> None:
    """Some pupils changed class a month ago, some will join another teaching group in three weeks."""
    since = max(world.year_start + timedelta(days=1), world.today - timedelta(days=30))
    soon = world.today + timedelta(days=21)
    classes = [t for t in world.teams if t.kind == "Klass" and t.start == world.year_start]
    for old, new in pairwise(classes):
        if old.unit is not new.unit or old.year != new.year or old.programme != new.programme:
            continue
        pupil, start, _ = old.members[0]
        old.members[0] = (pupil, start, since - timedelta(days=1))
        new.members.append((pupil, since, None))
        world.examples.setdefault("pupil_who_changed_class", pupil.id)
    teaching = [t for t in world.teams if t.kind == "Undervisning"]
    for one, other in zip(teaching[::5], teaching[1::5], strict=False):
        if one.unit is other.unit:
            known = {p.id for p in other.pupils}
            other.members += [(p, soon, None) for p in one.pupils[:1] if p.id not in known]


def record(world: World, team: Team) -> Record:
    """The group with all its memberships. Memberships of equal dates are one shared object per person."""
    form: Record = {"schoolType": team.form} if team.form else {}
    return {
        "id": team.id,
        "meta": world.meta("group", team.id),
        "displayName": team.name,
        **dated(team.start, team.end),
        "groupType": team.kind,
        **form,
        "organisation": world.ref(team.unit.id),
        "groupMemberships": [{"person": world.ref(h.id), **dated(start, end)} for h, start, end in team.members],
    }


def _team(world: World, key: str, name: str, kind: str, form: str | None, unit: Unit, members: Sequence[Human]) -> Team:
    start, end = world.year_start, world.year_end
    team = Team(
        world.id("group", key), name, kind, form, unit, [(m, start, None) for m in members], start=start, end=end
    )
    world.teams.append(team)
    return team


def _split(members: Sequence[Human], size: int) -> list[Sequence[Human]]:
    """The members in as few nearly equal parts as fit ``size``."""
    if not members:
        return []
    parts = ceil(len(members) / max(size, 1))
    return [members[i::parts] for i in range(parts)]
