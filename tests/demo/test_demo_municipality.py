"""The made-up municipality: the same every time, whole, and with the disagreements that it is there to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from sources.demo.civicno import MEN, WOMEN
from sources.demo.municipality import Municipality, build
from sources.demo.split import HOLDS, SOURCES
from sources.standard import RESOURCES
from sources.standard.model import Property, Reference, Structure

from .conftest import TODAY


def test_the_same_arguments_give_the_same_data_and_others_do_not(municipality: Municipality) -> None:
    def bytes_of(other: Municipality) -> bytes:
        return orjson.dumps([other.sources, other.examples, [(d.id, d.at) for d in other.deleted["sis"]]])

    assert bytes_of(build(120, 1, TODAY)) == bytes_of(municipality)
    assert bytes_of(build(120, 2, TODAY)) != bytes_of(municipality)
    assert bytes_of(build(120, 1, TODAY + timedelta(days=1))) != bytes_of(municipality)


def test_it_needs_pupils_enough_for_every_school_form() -> None:
    with pytest.raises(ValueError, match="60"):
        build(59)
    assert all(records for source in build(60, 1, TODAY).sources.values() for records in source.values())


@pytest.mark.parametrize(
    "today", [date(2026, 1, 1), date(2026, 2, 28), date(2026, 6, 30), date(2026, 7, 1), date(2024, 2, 29)]
)
def test_any_day_has_lessons_and_is_inside_the_school_year(today: date) -> None:
    sources = build(60, 1, today).sources
    events: Any = sources["schema"]["CalendarEvent"]
    monday = today - timedelta(days=today.weekday())
    days = {datetime.fromisoformat(e["startTime"]).date() for e in events}
    assert min(days) == monday - timedelta(days=7)
    assert monday + timedelta(days=14) <= max(days) < monday + timedelta(days=21)
    assert any(g["startDate"] <= today.isoformat() <= g.get("endDate", "9") for g in _any(sources["sis"]["Group"]))


def test_every_source_serves_its_resources_and_ids_are_unique(municipality: Municipality) -> None:
    for source, resources in SOURCES.items():
        assert tuple(municipality.sources[source]) == resources
        for name, records in municipality.sources[source].items():
            ids = [r["id"] for r in records if "id" in r]
            assert len(ids) == len(set(ids)), (source, name)


def test_a_source_holds_no_more_than_it_declares(municipality: Municipality) -> None:
    for source, declared in HOLDS.items():
        for resource, properties in declared.items():
            records = municipality.sources[source][resource]
            used = set().union(*records) - {"id", "meta"}
            assert used == set(properties), (source, resource)


def test_references_lead_somewhere_but_for_the_one_teacher_who_is_gone(municipality: Municipality) -> None:
    known = {(name, r["id"]) for s in municipality.sources.values() for name, rs in s.items() for r in rs if "id" in r}
    dangling = {
        (target, reference["id"])
        for source in municipality.sources.values()
        for name, records in source.items()
        for record in records
        for target, reference in _references(RESOURCES[name].properties, record)
        if (target, reference["id"]) not in known
    }
    assert dangling == {("Person", municipality.examples["unknown_person"])}


def test_references_hold_names_never_and_markings_only_where_the_source_knows(municipality: Municipality) -> None:
    marked = 0
    for source, resources in municipality.sources.items():
        people = _any(resources["Person"])
        protected = {p["id"] for p in people if p.get("securityMarking", "Ingen") != "Ingen"}
        for name, records in resources.items():
            for record in records:
                for target, reference in _references(RESOURCES[name].properties, record):
                    has = "securityMarking" in reference
                    assert set(reference) <= {"id", "securityMarking"}
                    assert has == (target == "Person" and reference["id"] in protected), (source, name)
                    marked += has
    assert marked


def test_times_have_the_offset_that_holds_in_sweden_that_day(municipality: Municipality) -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    events = _any(municipality.sources["schema"]["CalendarEvent"])
    offsets = set()
    for event in events:
        start = datetime.fromisoformat(event["startTime"])
        assert start.utcoffset() == start.replace(tzinfo=stockholm).utcoffset()
        assert 8 <= start.hour <= 15
        offsets.add(start.utcoffset())
    # summer time begins within the weeks that are scheduled
    assert len(offsets) == 2


def test_civic_numbers_are_unique_well_formed_and_of_the_test_pattern(municipality: Municipality) -> None:
    people = _any(municipality.background["Person"])
    numbers = [p["civicNo"]["value"] for p in people]
    assert len(set(numbers)) == len(numbers) == len(people)
    for person, number in zip(people, numbers, strict=True):
        assert len(number) == 12
        assert number[:8] == person["birthDate"].replace("-", "")
        assert number[8:11] in (WOMEN if person["sex"] == "Kvinna" else MEN)
        doubled = [int(d) * (2 - i % 2) for i, d in enumerate(number[2:])]
        assert sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def test_no_class_has_two_lessons_at_a_time() -> None:
    sources = build(600, 1, TODAY).sources["schema"]
    groups = {g["id"]: g for g in _any(sources["Group"])}
    activities = {a["id"]: a for a in _any(sources["Activity"])}
    seen = set()
    for event in _any(sources["CalendarEvent"]):
        for group in activities[event["activity"]["id"]]["groups"]:
            if groups[group["id"]]["groupType"] == "Klass":
                assert (group["id"], event["startTime"]) not in seen
                seen.add((group["id"], event["startTime"]))
    assert seen


def test_every_kind_of_thing_is_there() -> None:
    everything = build(600, 1, TODAY)
    records = {(s, name): _any(rs) for s, names in everything.sources.items() for name, rs in names.items()}
    today = TODAY.isoformat()

    groups = [g for (_, name), rs in records.items() if name == "Group" for g in rs]
    kinds = {"Klass", "Undervisning", "Schema", "Personalgrupp", "Mentor", "Provgrupp", "Avdelning"}
    assert {g["groupType"] for g in groups} == kinds
    memberships = [m for g in groups for m in g["groupMemberships"]]
    assert any(m.get("endDate", today) < today for m in memberships)
    assert any(m.get("startDate", today) > today for m in memberships)
    assert "pupil_who_changed_class" in everything.examples

    tree = {o["organisationType"] for o in records["sis", "Organisation"]}
    assert tree == {"Huvudman", "Förvaltning", "Verksamhetsområde", "Skola", "Skolenhet"}

    enrolments = [e for s in ("sis", "forskola") for p in records[s, "Person"] for e in p.get("enrolments", [])]
    assert {e["schoolType"] for e in enrolments} == {"FS", "FKLASS", "FTH", "GR", "GY"}
    assert any(e.get("endDate", today) < today for e in enrolments)
    assert any(e["startDate"] > today for e in enrolments)
    assert any(e.get("cancelled") for e in enrolments)

    duties = records["hr", "Duty"]
    assert any("person" not in d for d in duties)
    assert "Mentor" in {r["assignmentRoleType"] for d in duties for r in d.get("assignmentRole", [])}
    employed = [d["person"]["id"] for d in duties if "person" in d]
    assert len(employed) > len(set(employed))


def test_every_kind_of_day_is_there() -> None:
    everything = build(600, 1, TODAY)
    schema, narvaro, forskola = (everything.sources[s] for s in ("schema", "narvaro", "forskola"))
    today = TODAY.isoformat()

    given = {name for event in _any(schema["CalendarEvent"]) for name, value in event.items() if value}
    assert given >= {"studentExceptions", "teacherExceptions", "resources", "rooms", "cancelled", "comment"}

    attendances = _any(narvaro["Attendance"])
    given = {name for attendance in attendances for name, value in attendance.items() if value}
    assert given >= {"validAbsenceMinutes", "invalidAbsenceMinutes", "otherAttendanceMinutes", "absenceReason"}
    assert {a["isReported"] for a in attendances} == {True, False}

    absences = [(a["startTime"][:10], a["endTime"][:10]) for a in _any(narvaro["Absence"])]
    assert any(end < today for _, end in absences)
    assert any(start <= today <= end for start, end in absences)
    assert any(start > today for start, _ in absences)

    schedules = _any(forskola["AttendanceSchedule"])
    assert {s["numberOfWeeks"] for s in schedules} == {1, 2}
    assert all("endDate" in s for s in schedules if s.get("temporary"))
    assert {s["state"][-1]["state"] for s in schedules if s.get("temporary")} == {"Begärt", "Godkänt", "Nekat"}
    assert {e["eventType"] for e in _any(forskola["AttendanceEvent"])} == {"In", "Ut"}


def test_the_sources_disagree_where_they_are_meant_to() -> None:
    everything = build(600, 1, TODAY)
    people = {s: {p["id"]: p for p in _any(r["Person"])} for s, r in everything.sources.items()}
    groups = {s: {g["id"]: g for g in _any(everything.sources[s]["Group"])} for s in ("sis", "schema")}
    both = people["sis"].keys() & people["hr"].keys()
    assert any(people["sis"][i].get("emails") and people["sis"][i]["emails"] != people["hr"][i]["emails"] for i in both)
    assert any(people["sis"][i]["givenName"] != people["hr"][i]["givenName"] for i in both)
    shared = groups["sis"].keys() & groups["schema"].keys()
    assert any(groups["sis"][i]["displayName"] != groups["schema"][i]["displayName"] for i in shared)
    assert any("endDate" in groups["schema"][i] and "endDate" not in groups["sis"][i] for i in shared)
    children = people["sis"].keys() & people["forskola"].keys()
    assert any(people["sis"][i].get("enrolments") and people["forskola"][i].get("enrolments") for i in children)
    assert people["forskola"].keys() - people["sis"].keys()
    assert people["hr"].keys() - people["sis"].keys()
    emails = [people["lms"][i] for i in people["lms"].keys() & people["sis"].keys()]
    assert any(p.get("emails") and p["emails"] != people["sis"][p["id"]].get("emails") for p in emails)
    duties = {s: {d["id"]: d for d in _any(everything.sources[s]["Duty"])} for s in ("sis", "hr", "schema")}
    assert any(duties["hr"][i]["dutyRole"] != d["dutyRole"] for i, d in duties["sis"].items())
    assert any("endDate" in duties["hr"][i] for i in duties["schema"])
    placements = {s: {p["id"]: p for p in _any(everything.sources[s]["Placement"])} for s in ("sis", "forskola")}
    assert any(
        "endDate" in p and "endDate" not in placements["sis"].get(i, p) for i, p in placements["forskola"].items()
    )


def test_protected_persons_are_known_as_such_by_the_right_sources(municipality: Municipality) -> None:
    def knows(example: str) -> set[str]:
        id = municipality.examples[example]
        return {
            source
            for source, resources in municipality.sources.items()
            for p in resources.get("Person", [])
            if p["id"] == id and p.get("securityMarking", "Ingen") != "Ingen"
        }

    assert knows("protected_pupil") == {"sis"}
    assert knows("marked_pupil") == {"sis"}
    assert knows("protected_guardian") == {"sis"}
    assert knows("child_marked_only_in_forskola") == {"forskola"}
    assert knows("staff_marked_only_in_hr") == {"hr"}
    # others serve the same persons by name, without knowing
    assert municipality.examples["protected_pupil"] in {p["id"] for p in municipality.sources["narvaro"]["Person"]}


def _any(records: Any) -> list[Any]:
    """Records without the type that says that nothing is known of their inside."""
    return list(records)


def _references(properties: tuple[Property, ...], record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """(resource, reference) of every reference in a record, as the declarations have them."""
    for each in properties:
        value = record.get(each.name)
        for item in value if isinstance(value, list) else [] if value is None else [value]:
            if isinstance(each.type, Reference):
                yield each.type.target, item
            elif isinstance(each.type, Structure):
                yield from _references(each.type.properties, item)
