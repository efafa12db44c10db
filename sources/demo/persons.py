"""Persons and duties as full records: what the municipality's systems together know of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from .organisation import DOMAIN
from .world import Human, Post, Record, World, dated


def enrolments(world: World, child: Human) -> list[Record]:
    """Current, ended, broken-off and coming enrolments."""
    if child.unit is None:
        return []
    choice = world.number("enrolment", child.id)
    start = world.year_start
    if child.year is None:
        start = max(world.year_start - timedelta(days=choice % 400), child.birth + timedelta(days=300))
        found = [_enrolment(world, child.unit.id, "FS", None, start)]
        return [*found, *_starting_school(world, child)]
    kind = "GY" if child.programme else "GR" if child.year else "FKLASS"
    now = _enrolment(world, child.unit.id, kind, child.year, start)
    if child.programme is not None:
        now |= {"educationCode": child.programme, "programme": world.ref(world.programmes[child.programme])}
    found = [now]
    peers = [u for u in world.units if u.form == child.unit.form and child.year in u.years and u is not child.unit]
    if choice % 19 == 0 and peers:
        ended = _enrolment(world, peers[choice % len(peers)].id, kind, max(child.year - 1, 0), start)
        ended |= dated(start.replace(year=start.year - 1), start - timedelta(days=1))
        found.insert(0, ended)
    if choice % 67 == 3:
        broken = _enrolment(world, child.unit.id, kind, child.year, start - timedelta(days=60))
        found.append(broken | {"endDate": (start - timedelta(days=30)).isoformat(), "cancelled": True})
    if child.year in (6, 9):
        # the school after this one: the enrolment is there, but has not begun
        form = "GR" if child.year == 6 else "GY"
        after = [u for u in world.units if u.form == form and (child.year + 1) % 9 in u.years]
        found.append(
            _enrolment(
                world, after[choice % len(after)].id, form, (child.year + 1) % 9, world.year_end + timedelta(days=1)
            )
        )
    if child.unit.leisure is not None and child.year <= 3 and child.birth.day % 2:
        found.append(_enrolment(world, child.unit.leisure.id, "FTH", child.year, start))
    return found


def _starting_school(world: World, child: Human) -> list[Record]:
    if world.year_start.year - child.birth.year < 5:
        return []
    units = [u for u in world.units if 0 in u.years]
    unit = units[world.number("first school", child.id) % len(units)]
    return [_enrolment(world, unit.id, "FKLASS", 0, world.year_end + timedelta(days=1))]


def _enrolment(world: World, unit: str, kind: str, year: int | None, start: object) -> Record:
    record: Record = {"enroledAt": world.ref(unit), "schoolType": kind, "startDate": str(start)}
    if year is not None:
        record["schoolYear"] = year
    return record


def names(world: World, human: Human) -> Record:
    """What every system must send of a person: id, meta and name."""
    return {
        "id": human.id,
        "meta": world.meta("person", human.id),
        "givenName": human.given,
        "familyName": human.family,
    }


def identity(human: Human) -> Record:
    """Names apart, who somebody is."""
    record: Record = {"civicNo": {"value": human.civic, "nationality": "SE"}, "birthDate": human.birth.isoformat()}
    record |= {"sex": "Kvinna" if human.woman else "Man", "personStatus": "Aktiv"}
    if human.middle is not None:
        record["middleName"] = human.middle
    return record


def address(human: Human) -> list[Record]:
    return [
        {
            "type": "Folkbokföring", "streetAddress": human.street, "locality": "Björkåsa", "postalCode": "999 01",
            "countyCode": 99, "municipalityCode": 99, "country": "Sverige",
        }
    ]  # fmt: skip


def child_person(world: World, human: Human) -> Record:
    """A pupil or child, in full."""
    record = names(world, human) | identity(human)
    record["securityMarking"] = human.marking
    if human.year is not None:
        record["eduPersonPrincipalNames"] = [f"{human.sign_in}@edu.{DOMAIN}"]
        record["emails"] = [email(f"{human.sign_in}@edu.{DOMAIN}", "Skola elev")]
        record["externalIdentifiers"] = [
            {"value": human.sign_in, "context": f"https://ad.{DOMAIN}", "globallyUnique": False}
        ]
    if human.marking == "Ingen":
        record["addresses"] = address(human)
    record["enrolments"] = enrolments(world, human)
    record["responsibles"] = [
        {
            "person": world.ref(guardian.id),
            "relationType": "Annan ansvarig" if i == 1 and human.birth.day == 13 else "Vårdnadshavare",
        }
        for i, guardian in enumerate(human.guardians)
    ]
    return record


def guardian_person(world: World, human: Human) -> Record:
    record = names(world, human) | identity(human)
    choice = world.number("guardian", human.id)
    record["securityMarking"] = human.marking
    record["emails"] = [email(f"foralder{choice}@post.example", "Privat")]
    record["phoneNumbers"] = [phone(choice, "Hem", mobile=True)]
    if choice % 5 == 0:
        record["phoneNumbers"] = [phone(choice, "Hem", mobile=True), phone(choice // 3, "Arbete", mobile=False)]
    if human.marking == "Ingen":
        record["addresses"] = address(human)
    return record


def staff_person(world: World, human: Human) -> Record:
    """A member of staff, as the payroll knows her."""
    record = names(world, human) | identity(human)
    record["securityMarking"] = human.marking
    record["eduPersonPrincipalNames"] = [f"{human.sign_in}@{DOMAIN}"]
    record["externalIdentifiers"] = [
        {"value": human.sign_in[4:], "context": f"https://lon.{DOMAIN}", "globallyUnique": False}
    ]
    record["emails"] = [email(f"{human.sign_in}@{DOMAIN}", "Skola personal")]
    record["phoneNumbers"] = [phone(world.number("work phone", human.id), "Arbete", mobile=human.birth.day % 2 == 0)]
    return record


def email(value: str, kind: str) -> Record:
    return {"value": value, "type": kind}


def phone(choice: int, kind: str, *, mobile: bool) -> Record:
    """A made-up number, from two short series only, so that it is recognised as such."""
    value = f"070-17406{5 + choice % 95:02d}" if mobile else f"08-465004{choice % 100:02d}"
    return {"value": value, "type": kind, "mobile": mobile}


def duty(world: World, post: Post) -> Record:
    record: Record = {
        "id": post.id,
        "meta": world.meta("duty", post.id),
        "dutyAt": world.ref(post.unit.id),
        "dutyRole": post.role,
        **dated(post.start, post.end),
        "signature": post.signature,
        "dutyPercent": post.percent,
        "hoursPerYear": 1767 * post.percent // 100,
    }
    if post.human is not None:
        record["person"] = world.ref(post.human.id)
    else:
        record["description"] = "Vakant tjänst"
    if post.mentors:
        record["assignmentRole"] = [
            {"group": world.ref(team.id), "assignmentRoleType": "Mentor", **dated(world.year_start, None)}
            for team in post.mentors
        ]
    elif post.role == "Fritidspedagog" and post.unit.form == "FTH":
        record["assignmentRole"] = _leader_of(world, post, "Fritidspedagog")
    elif post.role in ("Förskollärare", "Barnskötare"):
        record["assignmentRole"] = _leader_of(world, post, post.role)
    return record


def _leader_of(world: World, post: Post, role: str) -> Sequence[Record]:
    teams = world.departments.get(post.unit.id, [])
    if not teams:
        return []
    team = teams[world.number("department", post.id) % len(teams)]
    return [{"group": world.ref(team), "assignmentRoleType": role}]
