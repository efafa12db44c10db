"""Which of the six systems knows what, and where they disagree.

The disagreements are the point of the demonstration: e-mail addresses differ between hr and sis, names between hr and
sis, a group's displayName between sis and schema, an end date is known to one system only, one marking is known to
forskola alone and one to hr alone, a child's enrolments lie in two systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import persons
from .organisation import DOMAIN
from .presence import add_own_attendances
from .world import Human, Record, Team, World

SOURCES: Mapping[str, tuple[str, ...]] = {
    "sis": (
        "Organisation", "Person", "Group", "Programme", "Syllabus", "SchoolUnitOffering", "StudyPlan", "Placement",
        "Duty",
    ),
    "schema": ("Activity", "CalendarEvent", "Room", "Resource", "Group", "Person", "Duty"),
    "narvaro": ("Attendance", "Absence", "AggregatedAttendance", "Person"),
    "lms": ("Grade", "Group", "Activity", "Person", "Attendance"),
    "hr": ("Duty", "Person"),
    "forskola": ("AttendanceSchedule", "AttendanceEvent", "Placement", "Person", "Group"),
}  # fmt: skip
"""The resources that each source serves."""

STUB = ("givenName", "familyName")

HOLDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sis": {"Duty": ("person", "dutyAt", "dutyRole", "startDate")},
    "schema": {"Person": STUB, "Duty": ("person", "dutyAt", "dutyRole", "signature", "startDate")},
    "narvaro": {"Person": STUB},
    "lms": {
        "Person": (*STUB, "emails"),
        "Activity": (
            "displayName", "calendarEventsRequired", "startDate", "activityType", "groups", "organisation", "syllabus",
            "parentActivity",
        ),
    },
    "hr": {
        "Person": (
            "givenName", "middleName", "familyName", "eduPersonPrincipalNames", "externalIdentifiers", "civicNo",
            "birthDate", "sex", "securityMarking", "personStatus", "emails", "phoneNumbers",
        ),
    },
    "forskola": {
        "Person": (
            *STUB, "civicNo", "birthDate", "securityMarking", "phoneNumbers", "enrolments", "responsibles",
        ),
    },
}  # fmt: skip
"""Per source and resource, the properties that the source has any knowledge of, besides id and meta. A resource that is
left out is held with all its properties, for some records more and for some less."""

MARKS_REFERENCES = ("sis", "hr", "forskola")
"""The sources that send securityMarking in their references to persons they know to be marked."""

PLAIN = str.maketrans("åäöÅÄÖéı", "aaoAAOei")


def split(world: World) -> dict[str, dict[str, list[Record]]]:
    """The records of each source: source → resource name → records as that source sends them."""
    world.records["Duty"] = [persons.duty(world, post) for post in world.posts]
    world.records["Person"] = [*_everybody(world)]
    makers = {
        "sis": _sis(world),
        "schema": _schema(world),
        "narvaro": _narvaro(world),
        "lms": _lms(world),
        "hr": _hr(world),
        "forskola": _forskola(world),
    }
    return {source: _prepared(source, records) for source, records in makers.items()}


def _prepared(source: str, records: Mapping[str, Sequence[Record]]) -> dict[str, list[Record]]:
    marked: dict[str, str] = {}
    if source in MARKS_REFERENCES:
        marked = {
            str(p["id"]): str(p["securityMarking"])
            for p in records["Person"]
            if p.get("securityMarking", "Ingen") != "Ingen"
        }
    prepared = {}
    for resource in SOURCES[source]:
        held = HOLDS[source].get(resource)
        found: Iterable[Record] = records[resource]
        if held is not None:
            keep = {"id", "meta", *held}
            found = ({k: v for k, v in record.items() if k in keep} for record in found)
        prepared[resource] = [_with_markings(r, marked) if marked else r for r in found]
    return prepared


def _with_markings(record: Record, marked: Mapping[str, str]) -> Record:
    """The record with securityMarking in references to marked persons; the same object where there is none."""
    changed = {}
    for name, value in record.items():
        if isinstance(value, dict | list):
            new = _marked(value, marked)
            if new is not value:
                changed[name] = new
    return record | changed if changed else record


def _marked(value: object, marked: Mapping[str, str]) -> object:
    if isinstance(value, list):
        items = [_marked(item, marked) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        if len(value) == 1:
            id = str(value.get("id"))
            return {"id": id, "securityMarking": marked[id]} if id in marked else value
        return _with_markings(value, marked)
    return value


def _everybody(world: World) -> Iterator[Record]:
    """Every person once, in full: children, guardians, and staff who are not guardians too."""
    seen: set[str] = set()
    for human in world.children:
        yield persons.child_person(world, human)
    for human in world.guardians:
        seen.add(human.id)
        yield persons.guardian_person(world, human)
    for human in world.staff:
        if human.id not in seen:
            seen.add(human.id)
            yield persons.staff_person(world, human)


def _sis(world: World) -> dict[str, list[Record]]:
    children = {c.id: c for c in world.children}
    guardians = {g.id for g in world.guardians}
    staff = {s.id: s for s in world.staff if s.id not in guardians}
    found: list[Record] = []
    for record in world.records["Person"]:
        id = str(record["id"])
        child = children.get(id)
        if child is not None and child.year is None:
            known = _child_in_sis(world, child, record)
            if known is not None:
                found.append(known)
        elif id not in staff:
            found.append(record)
        elif world.number("staff in sis", id) % 10 or id == world.examples["staff_marked_only_in_hr"]:
            found.append(_staff_in_sis(world, staff[id]))
    groups = [
        {k: v for k, v in record.items() if k != "endDate"} if _open_in_sis(world, team) else record
        for team, record in zip(world.teams, world.records["Group"], strict=True)
        if team.kind in ("Klass", "Undervisning") or (team.kind == "Avdelning" and team.form == "FTH")
    ]
    duties = [d for d in world.records["Duty"] if world.number("duty in sis", d["id"]) % 5 == 0]
    duties = [d | {"dutyRole": "Annan personal"} if i % 4 == 1 else d for i, d in enumerate(duties)]
    placements = []
    for record in world.records["Placement"]:
        if record["schoolType"] == "FTH":
            placements.append(record)
        elif world.number("placement in sis", record["id"]) % 5:
            unknown = ("endDate", "group", "maxWeeklyScheduleHours")
            placements.append({k: v for k, v in record.items() if k not in unknown})
    return world.records | {"Person": found, "Group": groups, "Duty": duties, "Placement": placements}


def _open_in_sis(world: World, team: Team) -> bool:
    return team.kind == "Undervisning" and world.number("open in sis", team.id) % 6 == 0


def _child_in_sis(world: World, child: Human, record: Record) -> Record | None:
    """The youngest are unknown there; of the others sis has no preschool enrolment, only the coming school's."""
    if world.year_start.year - child.birth.year < 2:
        return None
    known = {k: v for k, v in record.items() if k != "enrolments"}
    known["securityMarking"] = "Ingen"
    coming = [e for e in persons.enrolments(world, child) if e["schoolType"] != "FS"]
    return known | ({"enrolments": coming} if coming else {})


def _staff_in_sis(world: World, human: Human) -> Record:
    record = persons.names(world, human)
    only_hr = human.id == world.examples["staff_marked_only_in_hr"]
    record["securityMarking"] = "Ingen" if only_hr else human.marking
    if world.number("old address", human.id) % 9 == 0:
        record["emails"] = [persons.email(f"{human.sign_in}@gamla.{DOMAIN}", "Skola personal")]
    return record


def _schema(world: World) -> dict[str, list[Record]]:
    used = [t for t in world.teams if t.kind in ("Klass", "Undervisning", "Schema", "Personalgrupp")]
    truth = {str(r["id"]): r for r in world.records["Group"]}
    groups = []
    for team in used:
        if team.start != world.year_start:
            continue
        record = truth[team.id]
        if team.kind == "Klass" and world.number("renamed", team.id) % 3 == 0:
            record = record | {"displayName": f"{team.name} {team.unit.name}"}
        memberships = record["groupMemberships"]
        if team.kind == "Klass" and isinstance(memberships, list) and any("endDate" in m for m in memberships):
            # the timetable system is not told when somebody leaves a class
            stale = [{k: v for k, v in m.items() if k != "endDate"} for m in memberships]
            record = record | {"groupMemberships": stale}
        groups.append(record)
    members = {h.id for t in used for h in t.pupils}
    duties = [
        record
        for post, record in zip(world.posts, world.records["Duty"], strict=True)
        if post.role in ("Lärare", "Förstelärare") and post.start <= world.today
    ]
    people = members | {p.human.id for p in world.posts if p.human and p.unit.years}
    activities = [a for a in world.records["Activity"] if a["activityType"] != "Provaktivitet"]
    return world.records | {
        "Person": _stubs(world, people), "Group": groups, "Duty": duties, "Activity": activities,
    }  # fmt: skip


def _stubs(world: World, people: Iterable[str]) -> list[Record]:
    """Persons by name only, in the order in which the municipality has them."""
    wanted = set(people)
    return [persons.names(world, human) for id, human in world.people.items() if id in wanted]


def _narvaro(world: World) -> dict[str, list[Record]]:
    reporters = {c.posts[0].human.id for c in world.courses if c.posts[0].human}
    pupils = {c.id for c in world.children if c.year is not None}
    return world.records | {"Person": _stubs(world, pupils | reporters)}


def _lms(world: World) -> dict[str, list[Record]]:
    older = [c for c in world.children if c.programme is not None or (c.year is not None and c.year >= 6)]
    found = []
    for human in older:
        record = persons.names(world, human)
        choice = world.number("lms", human.id)
        if choice % 4:
            host = f"edu.{DOMAIN}" if choice % 5 else f"larplattform.{DOMAIN}"
            record["emails"] = [persons.email(f"{human.sign_in}@{host}", "Skola elev")]
        found.append(record)
    graders = {c.posts[0].human.id for c in world.courses if c.posts[0].human}
    groups = [
        record
        for team, record in zip(world.teams, world.records["Group"], strict=True)
        if team.kind in ("Provgrupp", "Mentor")
    ]
    add_own_attendances(world, "Attendance/lms")
    return world.records | {
        "Person": [*found, *_stubs(world, graders - {h.id for h in older})],
        "Group": groups,
        "Activity": _lms_activities(world),
        "Attendance": world.records["Attendance/lms"],
    }


def _lms_activities(world: World) -> list[Record]:
    """The courses of the older pupils under names of its own, and the national tests that nobody else has."""
    parent = world.id("activity", "national tests")
    world.examples["national_tests"] = parent
    found: list[Record] = [
        {
            "id": parent,
            "meta": world.meta("activity", parent),
            "displayName": "Nationella prov",
            "calendarEventsRequired": False,
            "startDate": world.year_start.isoformat(),
            "activityType": "Provaktivitet",
            "groups": world.refs([t.id for t in world.teams if t.kind == "Provgrupp"]),
            "organisation": world.ref(world.examples["authority"]),
        }
    ]
    for course, record in zip(world.courses, world.records["Activity"], strict=True):
        if course.subject == "PROV":
            found.append(record | {"parentActivity": world.ref(parent)})
        elif course.syllabus and (course.team.form == "GY" or course.team.year >= 7):
            found.append(record | {"displayName": f"Kursrum {course.name}"} if len(found) % 2 else record)
    return found


def _hr(world: World) -> dict[str, list[Record]]:
    found = []
    for human in {h.id: h for h in world.staff}.values():
        record = persons.staff_person(world, human)
        choice = world.number("hr", human.id)
        if choice % 6 == 0:
            record["givenName"] = human.given.translate(PLAIN)
        if choice % 6 == 1 and human.family.startswith("Karl"):
            record["familyName"] = human.family.replace("Karl", "Carl")
        if choice % 5 == 2:
            record["emails"] = [
                persons.email(f"{human.given}.{human.sign_in}@{DOMAIN}".translate(PLAIN).lower(), "Skola personal")
            ]
        found.append(record)
    return {"Duty": world.records["Duty"], "Person": found}


def _forskola(world: World) -> dict[str, list[Record]]:
    children = [c for c in world.children if c.year is None]
    found = []
    for child in children:
        record = persons.child_person(world, child)
        record["enrolments"] = [e for e in persons.enrolments(world, child) if e["schoolType"] == "FS"]
        found.append(record)
    for guardian in {g.id: g for c in children for g in c.guardians}.values():
        record = persons.names(world, guardian)
        choice = world.number("guardian", guardian.id)
        record["phoneNumbers"] = [persons.phone(choice // (1 + choice % 2), "Hem", mobile=True)]
        found.append(record)
    groups = [
        record
        for team, record in zip(world.teams, world.records["Group"], strict=True)
        if team.kind == "Avdelning" and team.form == "FS"
    ]
    placements = [p for p in world.records["Placement"] if p["schoolType"] == "FS"]
    return world.records | {"Person": found, "Group": groups, "Placement": placements}
