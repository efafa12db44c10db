"""Every reference between the six resources forwards and backwards, and those from and to what nobody serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from sources.standard import RESOURCES
from sources.standard.model import Property, Resource, Structure
from sources.standard.values import ReferencePath, references
from tests.harness import ask

from .conftest import gateway
from .oracle import SERVED, UNSERVED, Json, Oracle, begins_in, everything, holds, leaves, selection, with_instants
from .server import ThirdParty
from .test_connections import called, clean

WEEK = ("2026-11-01", "2026-11-30")
"""A period around all events."""
PERIODS = (WEEK, ("2026-11-18", "2026-11-19"), ("2027-01-01", "2027-01-31"))
DAYS = ("2023-12-31", "2024-01-01", "2024-08-14", "2024-08-15", "2025-08-18", "2026-11-23")
"""Before, at and after every startDate of the records."""


@dataclass(frozen=True)
class Backwards:
    """The field on the target that gives what refers to it.

    ``back``: the field gives entries, and this field of theirs leads to the record. ``dated``: what ``on`` looks at,
    the entry or the record. ``window``: it must be asked for a period.
    """

    field: str
    back: str | None = None
    dated: str | None = "record"
    window: bool = False


BACKWARDS = {
    "Organisation.parentOrganisation": Backwards("children"),
    "Person.enrolments.enroledAt": Backwards("enrolments", "person", "entry"),
    "Person.enrolments.programme": Backwards("enrolments", "person", "entry"),
    "Person.responsibles.person": Backwards("responsibleFor", "person", None),
    "Duty.person": Backwards("duties"),
    "Duty.assignmentRole.group": Backwards("assignmentRoles", "duty", "entry"),
    "Duty.dutyAt": Backwards("duties"),
    "Group.organisation": Backwards("groups"),
    "Group.groupMemberships.person": Backwards("groupMemberships", "group", "entry"),
    "Activity.groups": Backwards("activities"),
    "Activity.teachers.duty": Backwards("activities"),
    "Activity.syllabus": Backwards("activities"),
    "Activity.organisation": Backwards("activities"),
    "Activity.parentActivity": Backwards("children"),
    "CalendarEvent.activity": Backwards("calendarEvents", window=True),
    "CalendarEvent.studentExceptions.student": Backwards("studentExceptions", "calendarEvent", window=True),
    "CalendarEvent.teacherExceptions.duty": Backwards("teacherExceptions", "calendarEvent", window=True),
    "CalendarEvent.rooms": Backwards("calendarEvents", window=True),
    "CalendarEvent.resources": Backwards("calendarEvents", window=True),
}
"""Per reference of the six resources."""

OF_UNSERVED = {
    "Organisation": ("placements", "offerings", "absences", "grades", "resources", "rooms"),
    "Person": (
        "placements", "ownedPlacements", "studyPlans", "attendances", "reportedAttendances", "attendanceEvents",
        "registeredAttendanceEvents", "registeredScheduleStates", "absences", "registeredAbsences",
        "aggregatedAttendances", "grades", "registeredGrades", "gradedGrades",
    ),
    "Group": ("placements", "attendanceEvents", "grades"),
    "Activity": ("aggregatedAttendances",),
    "CalendarEvent": ("attendances",),
}  # fmt: skip
"""The fields of the six that lead backwards along references of resources that nobody serves."""
WITH_PERIOD = {
    "attendances", "reportedAttendances", "attendanceEvents", "registeredAttendanceEvents", "absences",
    "registeredAbsences", "aggregatedAttendances",
}  # fmt: skip
"""Those of a person (and of an activity) that must be asked for a period."""

Referring = ReferencePath
SERVED_REFERENCES = [each for each in references() if each.resource in SERVED]


def name_of(each: Referring) -> str:
    return ".".join((each.resource, *each.path))


def period(first: str, last: str) -> str:
    return f'during: {{from: "{first}", to: "{last}"}}'


each_reference = pytest.mark.parametrize("reference", SERVED_REFERENCES, ids=name_of)


# Forwards


@each_reference
async def test_a_reference_leads_to_the_whole_record(
    reference: Referring, third_party: ThirdParty, oracle: Oracle
) -> None:
    """An object for every reference; what nobody serves has an id and no more; a protected person is left out."""
    target = RESOURCES[reference.target]
    selected = everything(target)
    for part in reversed(reference.path):
        selected = f"{part} {{ {selected} }}"
    resource = reference_owner(reference)
    query = f"{{ all: {called(resource, 'first: 1000')} {{ nodes {{ id {selected} }} }} }}"
    async with gateway(third_party) as assembled:
        answer = await ask(assembled.federation, query)
    nodes = with_instants(clean(answer)["all"]["nodes"])
    assert nodes == [
        {"id": record["id"], reference.path[0]: _followed(oracle, reference, resource, record)}
        for record in oracle.shown(reference.resource)
    ]


def _followed(oracle: Oracle, reference: Referring, resource: Resource, record: Json) -> Any:
    """What the selection of one reference gives."""
    top = resource.columns[reference.path[0]]
    sent = record.get(top.name)
    if sent is None:
        return None
    if len(reference.path) == 1:
        if not top.many:
            return _target(oracle, reference.target, sent)
        return [found for each in sent if (found := _target(oracle, reference.target, each)) is not None]
    assert isinstance(top.type, Structure)
    assert top.many
    assert len(reference.path) == 2
    last = reference.path[-1]
    return [{last: _target(oracle, reference.target, entry.get(last))} for entry in oracle.entries(top, sent)]


def _target(oracle: Oracle, target: str, reference: Json | None) -> Json | None:
    if reference is None or not oracle.visible(target, reference["id"]):
        return None
    known = oracle.by_id.get(target, {}).get(reference["id"], {})
    return oracle.record(RESOURCES[target], {**known, "id": reference["id"]})


async def test_a_teacher_sent_as_a_person_is_that_person(third_party: ThirdParty, oracle: Oracle) -> None:
    """The source names no duty: the assignment stays, without a duty and with the person."""
    query = """{ activities(first: 1000) { nodes { id teachers { duty { id } person { displayName
        duties { id dutyRole } } } } } }"""
    async with gateway(third_party) as assembled:
        nodes = clean(await ask(assembled.federation, query))["activities"]["nodes"]
    expected = []
    for activity in oracle.sent["Activity"]:
        teachers = []
        for teacher in activity["teachers"]:
            person = oracle.by_id["Person"][teacher["person"]["id"]]
            duties = [duty for duty in oracle.sent["Duty"] if duty["person"]["id"] == person["id"]]
            assert duties
            teachers.append(
                {
                    "duty": None,
                    "person": {
                        "displayName": f"{person['givenName']} {person['familyName']}",
                        "duties": [{"id": duty["id"], "dutyRole": "LARARE"} for duty in duties],
                    },
                }
            )
        expected.append({"id": activity["id"], "teachers": teachers})
    assert nodes == expected


# Backwards


def test_every_reference_has_its_way_back() -> None:
    assert list(BACKWARDS) == sorted(BACKWARDS, key=[name_of(each) for each in SERVED_REFERENCES].index)
    assert set(BACKWARDS) == {name_of(each) for each in SERVED_REFERENCES}


def asked_for(way: Backwards) -> Iterator[tuple[str, Callable[[Json, Json], bool]]]:
    """Arguments of the field, and which (entry, record) they keep."""
    if way.window:
        for first, last in PERIODS:
            yield f"({period(first, last)})", partial(_begins, first, last)
        return
    yield "", lambda _entry, _record: True
    if way.dated is not None:
        for day in DAYS:
            yield f'(on: "{day}")', partial(_holds, way.dated, day, day)
        first, last = DAYS[1], DAYS[3]
        yield f"({period(first, last)})", partial(_holds, way.dated, first, last)


def _begins(first: str, last: str, _entry: Json, record: Json) -> bool:
    return begins_in(record, first, last)


def _holds(dated: str, first: str, last: str, entry: Json, record: Json) -> bool:
    return holds(entry if dated == "entry" else record, first, last)


@pytest.mark.parametrize(
    "reference", [each for each in SERVED_REFERENCES if each.target in SERVED], ids=lambda each: name_of(each)
)
async def test_what_refers_to_a_record_is_found_from_it(
    reference: Referring, third_party: ThirdParty, oracle: Oracle
) -> None:
    way = BACKWARDS[name_of(reference)]
    target = RESOURCES[reference.target]
    own = entry_properties(reference)
    selected = (
        f"{way.back} {{ id displayName }} {selection(own)}" if way.back else everything(reference_owner(reference))
    )
    async with gateway(third_party) as assembled:
        for arguments, keeps in asked_for(way):
            query = (
                f"{{ all: {called(target, 'first: 1000')} "
                f"{{ nodes {{ id found: {way.field}{arguments} {{ {selected} }} }} }} }}"
            )
            nodes = with_instants(clean(await ask(assembled.federation, query))["all"]["nodes"])
            assert nodes == [
                {"id": parent["id"], "found": _referring(oracle, reference, way, parent["id"], keeps)}
                for parent in oracle.shown(reference.target)
            ], arguments


def reference_owner(reference: Referring) -> Resource:
    return RESOURCES[reference.resource]


def entry_properties(reference: Referring) -> list[Property]:
    """What an entry has beside the reference."""
    structure = reference_owner(reference).columns[reference.path[0]].type
    if not isinstance(structure, Structure):
        return []
    return [each for each in structure.properties if each.name != reference.path[-1]]


def _referring(
    oracle: Oracle, reference: Referring, way: Backwards, parent: str, keeps: Callable[[Json, Json], bool]
) -> list[Json]:
    """In the order of the records' ids; entries then as they stand in the record."""
    resource = reference_owner(reference)
    found: list[Json] = []
    for record in sorted(oracle.shown(reference.resource), key=lambda each: str(each["id"])):
        if way.back is None:
            if parent in leaves(record, ".".join(reference.path)) and keeps({}, record):
                found.append(oracle.record(resource, record))
            continue
        shown = {"id": record["id"], "displayName": oracle.record(resource, record)["displayName"]}
        found += [
            {way.back: shown} | oracle.project(entry_properties(reference), entry)
            for entry in record.get(reference.path[0], ())
            if parent in leaves(entry, reference.path[1]) and keeps(entry, record)
        ]
    return found


async def test_backwards_lists_can_be_filtered_ordered_and_bounded(third_party: ThirdParty, oracle: Oracle) -> None:
    query = """{ organisations { nodes { id
        groups(filter: {groupType: [UNDERVISNING]}, orderBy: [DISPLAY_NAME_ASC], first: 3) { id }
        duties(filter: {dutyRole: LARARE}, orderBy: [MODIFIED_DESC]) { id }
        activities(filter: {meta: {modified: {after: "2026-11-23T03:17:29.555895Z"}}}) { id } } } }"""
    group, duty, activity = RESOURCES["Group"], RESOURCES["Duty"], RESOURCES["Activity"]
    async with gateway(third_party) as assembled:
        nodes = clean(await ask(assembled.federation, query))["organisations"]["nodes"]

    def ids(records: list[Json]) -> list[Json]:
        return [{"id": record["id"]} for record in records]

    for node in nodes:
        groups = [
            each
            for each in oracle.sent["Group"]
            if each["organisation"]["id"] == node["id"] and each["groupType"] == "Undervisning"
        ]
        duties = [
            each for each in oracle.sent["Duty"] if each["dutyAt"]["id"] == node["id"] and each["dutyRole"] == "Lärare"
        ]
        later = oracle.test([(activity.parameter["meta.modified.after"], "2026-11-23T03:17:29.555895+00:00")])
        activities = [
            each for each in oracle.sent["Activity"] if each["organisation"]["id"] == node["id"] and later(each)
        ]
        assert node["groups"] == ids(oracle.ordered(group, groups, [group.sort_key["DisplayNameAsc"]])[:3])
        assert node["duties"] == ids(oracle.ordered(duty, duties, [duty.sort_key["ModifiedDesc"]]))
        assert node["activities"] == ids(activities)
    assert any(node["groups"] for node in nodes)
    assert any(node["duties"] for node in nodes)
    assert any(0 < len(node["activities"]) < 7 for node in nodes)


async def test_a_groups_events_are_those_of_its_activities(third_party: ThirdParty, oracle: Oracle) -> None:
    async with gateway(third_party) as assembled:
        for first, last in PERIODS:
            query = f"{{ groups {{ nodes {{ id calendarEvents({period(first, last)}) {{ id }} }} }} }}"
            nodes = clean(await ask(assembled.federation, query))["groups"]["nodes"]
            for node in nodes:
                activities = {a["id"] for a in oracle.sent["Activity"] if node["id"] in leaves(a, "groups")}
                expected = sorted(
                    event["id"]
                    for event in oracle.sent["CalendarEvent"]
                    if event["activity"]["id"] in activities and begins_in(event, first, last)
                )
                assert [event["id"] for event in node["calendarEvents"]] == expected


# What nobody serves


def test_every_reference_of_an_unserved_resource_to_a_served_one_is_asked_for() -> None:
    counted = {name: len(fields) for name, fields in OF_UNSERVED.items()}
    declared: dict[str, int] = {}
    for each in references():
        if each.resource in UNSERVED and each.target in SERVED:
            declared[each.target] = declared.get(each.target, 0) + 1
    assert counted == declared


@pytest.mark.parametrize(
    ("target", "field"),
    [pytest.param(target, field, id=f"{target}.{field}") for target, fields in OF_UNSERVED.items() for field in fields],
)
async def test_what_would_refer_from_an_unserved_resource_is_empty_with_a_notice(
    target: str, field: str, third_party: ThirdParty, oracle: Oracle
) -> None:
    windowed = field in WITH_PERIOD and target in ("Person", "Activity")
    arguments = f"({period(*WEEK)})" if windowed else ""
    query = (
        f"{{ all: {called(RESOURCES[target], 'first: 1000')} "
        f"{{ nodes {{ id found: {field}{arguments} {{ __typename }} }} }} }}"
    )
    async with gateway(third_party) as assembled:
        answer = await ask(assembled.federation, query)
    assert clean(answer)["all"]["nodes"] == [{"id": each["id"], "found": []} for each in oracle.shown(target)]
    (notice,) = answer["extensions"]["notices"]
    assert notice["code"] == "NOT_SERVED"
    assert notice["resource"] in UNSERVED


async def test_a_room_that_nobody_serves_still_has_its_events(third_party: ThirdParty, oracle: Oracle) -> None:
    """The reference is an object with an id, and the way back from it is the events' own."""
    async with gateway(third_party) as assembled:
        for first, last in PERIODS:
            inner = f"calendarEvents({period(first, last)}) {{ id }}"
            query = f"{{ all: {called(RESOURCES['CalendarEvent'])} {{ nodes {{ rooms {{ id seats {inner} }} }} }} }}"
            nodes = clean(await ask(assembled.federation, query))["all"]["nodes"]
            assert nodes == [
                {
                    "rooms": [
                        {"id": room["id"], "seats": None, "calendarEvents": _events_in(oracle, room["id"], first, last)}
                        for room in event["rooms"]
                    ]
                }
                for event in oracle.sent["CalendarEvent"]
            ]


def _events_in(oracle: Oracle, room: str, first: str, last: str) -> list[Json]:
    found = [
        event["id"]
        for event in oracle.sent["CalendarEvent"]
        if room in leaves(event, "rooms") and begins_in(event, first, last)
    ]
    return [{"id": identity} for identity in sorted(found)]


async def test_an_unserved_reference_says_that_it_is_dangling(third_party: ThirdParty) -> None:
    query = (
        "{ all: %s { nodes { rooms { id meta { created } provenance { sources { name } fields { name } issues } } } } }"
    )
    async with gateway(third_party) as assembled:
        data = clean(await ask(assembled.federation, query % called(RESOURCES["CalendarEvent"])))
    rooms = [room for event in data["all"]["nodes"] for room in event["rooms"]]
    assert rooms
    for room in rooms:
        assert room["meta"] is None
        assert room["provenance"] == {"sources": [], "fields": [], "issues": ["dangling"]}


# Deep


async def test_a_class_with_pupils_guardians_and_their_way_back(third_party: ThirdParty, oracle: Oracle) -> None:
    """Five relations deep, there and back again, without any protected person on the way."""
    query = """{ groups(filter: {groupType: [KLASS]}) { nodes { id groupMemberships { person { id
        responsibles { person { id responsibleFor { person { id groupMemberships { group { id } } } } } } } } } } }"""

    def groups_of(person: str) -> list[Json]:
        found = sorted(g["id"] for g in oracle.sent["Group"] if person in leaves(g, "groupMemberships.person"))
        return [{"group": {"id": each}} for each in found]

    def children_of(guardian: str) -> list[Json]:
        found = sorted(
            p["id"] for p in oracle.shown("Person") if guardian in leaves(p.get("responsibles", []), "person")
        )
        return [{"person": {"id": each, "groupMemberships": groups_of(each)}} for each in found]

    def pupil(identity: str) -> Json:
        guardians = [
            {"person": {"id": each, "responsibleFor": children_of(each)}}
            for each in leaves(oracle.by_id["Person"][identity].get("responsibles"), "person")
            if each not in oracle.hidden
        ]
        return {"person": {"id": identity, "responsibles": guardians}}

    async with gateway(third_party) as assembled:
        nodes = clean(await ask(assembled.federation, query))["groups"]["nodes"]
    assert nodes == [
        {
            "id": group["id"],
            "groupMemberships": [
                pupil(each) for each in leaves(group, "groupMemberships.person") if each not in oracle.hidden
            ],
        }
        for group in oracle.sent["Group"]
        if group["groupType"] == "Klass"
    ]
    members = {each for group in oracle.sent["Group"] for each in leaves(group, "groupMemberships.person")}
    assert members & oracle.hidden, "no protected person stands in a group"
