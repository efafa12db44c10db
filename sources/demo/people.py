"""Who lives, learns and works in the municipality: children and pupils, their guardians, staff and their duties."""

from __future__ import annotations

from datetime import date, timedelta

from .civicno import CivicNumbers
from .names import FAMILY, MEN, STREETS, WOMEN
from .world import Human, Post, Unit, World

AGES = (1, 2, 3, 4, 5)
"""Preschool, by age on the last day of the year in which the school year begins."""


def add_people(world: World) -> None:
    numbers = CivicNumbers()
    _children(world, numbers)
    _families(world, numbers)
    _staff(world, numbers)
    _protect(world)


def _children(world: World, numbers: CivicNumbers) -> None:
    born = world.year_start.year
    preschools = [u for u in world.units if u.form == "FS"]
    uppers = [u for u in world.units if u.form == "GY"]
    for i in range(round(world.pupils * 0.18)):
        age = AGES[i % len(AGES)]
        child = _human(world, numbers, f"child/{i}", born - age)
        _place(child, preschools[i // len(AGES) % len(preschools)], None, None)
        world.children.append(child)
    for year in range(10):
        units = [u for u in world.units if u.form == "GR" and year in u.years]
        for i in range(round(world.pupils * 0.062)):
            pupil = _human(world, numbers, f"pupil/{year}/{i}", born - 6 - year)
            _place(pupil, units[i % len(units)], year, None)
            world.children.append(pupil)
    choices = [(u, p) for u in uppers for p in u.programmes]
    left = world.pupils - len(world.children)
    for i in range(left):
        year = i % 3 + 1
        unit, programme = choices[i // 3 % len(choices)]
        pupil = _human(world, numbers, f"upper/{i}", born - 15 - year)
        _place(pupil, unit, year, programme)
        world.children.append(pupil)
    for i, child in enumerate(world.children):
        child.sign_in = f"elev{i:05d}"


def _families(world: World, numbers: CivicNumbers) -> None:
    """Siblings share name, street and guardians, in families of one to three children, mostly with two guardians."""
    order = sorted(world.children, key=lambda c: world.number("family", c.id))
    at = family = 0
    while at < len(order):
        size = (1, 2, 2, 3)[world.number("size", family) % 4]
        siblings = order[at : at + size]
        at += size
        eldest = min(c.birth.year for c in siblings)
        guardians = []
        for which in range(1 if world.number("single", family) % 5 == 0 else 2):
            key = f"guardian/{family}/{which}"
            adult = _human(world, numbers, key, eldest - 24 - world.number("age", key) % 14)
            if which == 0 or world.number("same name", key) % 3:
                adult.family = siblings[0].family
            adult.street = siblings[0].street
            guardians.append(adult)
        for sibling in siblings:
            sibling.family, sibling.street = siblings[0].family, siblings[0].street
            sibling.guardians = guardians
        world.guardians += guardians
        family += 1


def _staff(world: World, numbers: CivicNumbers) -> None:
    schools = [u for u in world.units if u.years]
    for unit in world.units:
        if unit.form == "FS":
            for i in range(max(2, len(unit.pupils) // 6)):
                _employ(world, numbers, unit, ("Förskollärare", "Barnskötare")[i % 2])
        elif unit.form == "FTH":
            _employ(world, numbers, unit, "Fritidspedagog")
        else:
            for i in range(max(4, len(unit.pupils) // 14)):
                _employ(world, numbers, unit, "Förstelärare" if i % 12 == 11 else "Lärare")
            _employ(world, numbers, unit, "Skoladministratör")
    for i, unit in enumerate(schools):
        head = _employ(world, numbers, unit, "Rektor")
        if unit.leisure is not None:
            _post(world, head.human, unit.leisure, "Rektor", 20)
        for role in ("Kurator", "Skolsköterska", "Speciallärare/specialpedagog", "Studie- och yrkesvägledare"):
            shared = _employ(world, numbers, unit, role)
            _post(world, shared.human, schools[(i + 1) % len(schools)], role, 40)
    for i, post in enumerate([p for p in world.posts if p.role == "Lärare"]):
        other = schools[(schools.index(post.unit) + 1) % len(schools)]
        if i % 7 == 3:
            _post(world, post.human, other, "Lärare", 25)
        elif i % 11 == 5:
            post.end = world.today - timedelta(days=40 + i % 60)
            post.start = min(post.start, post.end - timedelta(days=365))
        elif i % 13 == 6:
            coming = _post(world, post.human, other, "Förstelärare", 50)
            coming.start = world.today + timedelta(days=30)
    vacant = _post(world, None, schools[0], "Lärare", 100)
    vacant.start = world.today + timedelta(days=14)
    world.examples["vacant_duty"] = vacant.id


def _protect(world: World) -> None:
    """A few protected persons. Which source knows of them is decided where the sources are split."""
    pupils = [c for c in world.children if c.year is not None]
    children = [c for c in world.children if c.year is None]
    hidden, other = pupils[len(pupils) // 3], pupils[len(pupils) // 2]
    hidden.marking = "Skyddad folkbokföring"
    other.marking = "Sekretessmarkering"
    guardian = hidden.guardians[0]
    guardian.marking = "Skyddad folkbokföring"
    child = children[len(children) // 2]
    child.marking = "Sekretessmarkering"
    teacher = next(p.human for p in world.posts if p.teaches and p.human and p.human not in world.guardians)
    teacher.marking = "Sekretessmarkering"
    world.examples |= {
        "protected_pupil": hidden.id,
        "marked_pupil": other.id,
        "protected_guardian": guardian.id,
        "child_marked_only_in_forskola": child.id,
        "staff_marked_only_in_hr": teacher.id,
    }


def _human(world: World, numbers: CivicNumbers, key: str, born: int) -> Human:
    woman = world.number("woman", key) % 2 == 0
    given = WOMEN if woman else MEN
    day = date(born, 1, 1) + timedelta(days=world.number("birthday", key) % 360)
    birth, civic = numbers.next(day, woman)
    human = Human(
        id=world.id("person", key),
        given=given[world.number("given", key) % len(given)],
        family=FAMILY[world.number("family name", key) % len(FAMILY)],
        middle=given[world.number("middle", key) % len(given)] if world.number("has middle", key) % 4 == 0 else None,
        birth=birth,
        woman=woman,
        civic=civic,
        street=f"{STREETS[world.number('street', key) % len(STREETS)]} {world.number('house', key) % 60 + 1}",
    )
    world.people[human.id] = human
    return human


def _place(child: Human, unit: Unit, year: int | None, programme: str | None) -> None:
    child.unit, child.year, child.programme = unit, year, programme
    unit.pupils.append(child)


def _employ(world: World, numbers: CivicNumbers, unit: Unit, role: str) -> Post:
    """A new member of staff with a first duty; every twentieth is also a guardian of somebody."""
    i = len(world.staff)
    if i % 20 == 7:
        human = world.guardians[world.number("guardian on the staff", i) % len(world.guardians)]
        if human.sign_in:
            human = _human(world, numbers, f"staff/{i}", world.year_start.year - 25 - i % 38)
        else:
            world.examples.setdefault("guardian_on_the_staff", human.id)
    else:
        human = _human(world, numbers, f"staff/{i}", world.year_start.year - 25 - i % 38)
    human.sign_in = f"anst{i:04d}"
    world.staff.append(human)
    return _post(world, human, unit, role, 100 if i % 4 else 80)


def _post(world: World, human: Human | None, unit: Unit, role: str, percent: int) -> Post:
    n = len(world.posts)
    initials = (human.given[:2] + human.family.removeprefix("af ").removeprefix("von ")[:2]).upper() if human else "VAK"
    post = Post(
        id=world.id("duty", n),
        human=human,
        unit=unit,
        role=role,
        start=world.year_start - timedelta(days=30 * (n % 60)),
        end=None,
        percent=percent,
        signature=f"{initials}{n:03d}",
    )
    world.posts.append(post)
    unit.staff.append(post)
    return post
