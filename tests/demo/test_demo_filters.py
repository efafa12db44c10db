"""What the standard's filters select, at their boundaries, on records made by hand."""

from __future__ import annotations

import pytest

from sources.demo.filters import EQUAL, FOUND, LOOKUP, LOOKUP_EQUAL, RANGES, looked_up, select
from sources.demo.store import Store, Table
from sources.demo.world import Record
from sources.standard import RESOURCES


def store(**records: list[Record]) -> Store:
    """A source that serves these and knows nothing else."""
    return Store(records, {name: Table(records.get(name, [])) for name in RESOURCES})


def chosen(records: list[Record], resource: str, **filters: str | list[str]) -> list[object]:
    """The ids selected; ``_`` in a filter's name stands for a dot."""
    return found(store(**{resource: records}), resource, **filters)


def found(store: Store, resource: str, **filters: str | list[str]) -> list[object]:
    given = {name.replace("_", "."): [v] if isinstance(v, str) else v for name, v in filters.items()}
    return [store.tables[resource].records[i]["id"] for i in select(store, resource, given)]


def ref(id: str) -> Record:
    return {"id": id}


DATED: list[Record] = [
    {"id": "before", "startDate": "2026-03-09", "endDate": "2026-03-19"},
    {"id": "on", "startDate": "2026-03-10", "endDate": "2026-03-20"},
    {"id": "after", "startDate": "2026-03-11", "endDate": "2026-03-21"},
    {"id": "open"},
]


@pytest.mark.parametrize("resource", ["Placement", "Duty", "Group", "Activity", "AttendanceSchedule"])
def test_start_dates_are_inclusive_and_required(resource: str) -> None:
    assert chosen(DATED, resource, startDate_onOrBefore="2026-03-10") == ["before", "on"]
    assert chosen(DATED, resource, startDate_onOrAfter="2026-03-10") == ["on", "after"]


@pytest.mark.parametrize("resource", ["Organisation", "StudyPlan"])
def test_organisations_and_study_plans_without_start_are_always_included(resource: str) -> None:
    assert chosen(DATED, resource, startDate_onOrBefore="2026-03-10") == ["before", "on", "open"]
    assert chosen(DATED, resource, startDate_onOrAfter="2026-03-10") == ["on", "after", "open"]


@pytest.mark.parametrize(
    "resource", ["Organisation", "StudyPlan", "Placement", "Duty", "Group", "Activity", "AttendanceSchedule"]
)
def test_records_without_end_are_included_in_both_directions(resource: str) -> None:
    assert chosen(DATED, resource, endDate_onOrBefore="2026-03-20") == ["before", "on", "open"]
    assert chosen(DATED, resource, endDate_onOrAfter="2026-03-20") == ["on", "after", "open"]


def test_meta_before_is_inclusive_and_after_exclusive_and_compares_instants() -> None:
    records: list[Record] = [
        {"id": "earlier", "meta": {"modified": "2026-03-10T11:59:59+01:00"}},
        {"id": "same", "meta": {"modified": "2026-03-10T12:00:00+01:00"}},
        {"id": "same in UTC", "meta": {"modified": "2026-03-10T11:00:00+00:00"}},
        {"id": "later", "meta": {"modified": "2026-03-10T12:00:01+01:00"}},
        {"id": "none"},
    ]
    at = "2026-03-10T12:00:00+01:00"
    assert chosen(records, "Room", meta_modified_before=at) == ["earlier", "same", "same in UTC"]
    assert chosen(records, "Room", meta_modified_after=at) == ["later"]


TIMED: list[Record] = [
    {
        "id": f"{hour}",
        "startTime": f"2026-03-10T{hour:02d}:00:00+01:00",
        "endTime": f"2026-03-10T{hour + 1:02d}:00:00+01:00",
    }
    for hour in (8, 9, 10)
]


def test_calendar_event_times_are_inclusive() -> None:
    nine = "2026-03-10T08:00:00+00:00"
    assert chosen(TIMED, "CalendarEvent", startTime_onOrAfter=nine) == ["9", "10"]
    assert chosen(TIMED, "CalendarEvent", startTime_onOrBefore=nine) == ["8", "9"]
    assert chosen(TIMED, "CalendarEvent", endTime_onOrAfter=nine) == ["8", "9", "10"]
    assert chosen(TIMED, "CalendarEvent", endTime_onOrBefore=nine) == ["8"]


def test_absence_on_or_after_is_exclusive_and_on_or_before_inclusive() -> None:
    nine = "2026-03-10T09:00:00+01:00"
    assert chosen(TIMED, "Absence", startTime_onOrAfter=nine) == ["10"]
    assert chosen(TIMED, "Absence", startTime_onOrBefore=nine) == ["8", "9"]
    assert chosen(TIMED, "Absence", endTime_onOrAfter=nine) == ["9", "10"]
    assert chosen(TIMED, "Absence", endTime_onOrBefore=nine) == ["8"]


def test_a_sum_belongs_to_the_window_when_they_share_a_day() -> None:
    rows: list[Record] = [{"id": "march", "startDate": "2026-03-01", "endDate": "2026-03-31"}]
    for start, end, expected in (
        ("2026-02-01", "2026-02-28", []),
        ("2026-02-01", "2026-03-01", ["march"]),
        ("2026-03-31", "2026-04-30", ["march"]),
        ("2026-04-01", "2026-04-30", []),
    ):
        assert chosen(rows, "AggregatedAttendance", startDate=start, endDate=end) == expected


def test_every_term_of_name_contains_must_be_in_a_name_whatever_the_case() -> None:
    persons: list[Record] = [
        {"id": "palle", "givenName": "Palle", "familyName": "Girgensohn"},
        {"id": "ake", "givenName": "Åke", "middleName": "Pär", "familyName": "Öst"},
    ]
    assert chosen(persons, "Person", nameContains=["Pa", "gens"]) == ["palle"]
    assert chosen(persons, "Person", nameContains=["Pa", "öst"]) == []
    assert chosen(persons, "Person", nameContains=["åKE", "pär"]) == ["ake"]
    # a term does not reach from one name into the next
    assert chosen(persons, "Person", nameContains=["eGir"]) == []


def test_identifier_value_and_context_concern_the_same_identifier() -> None:
    persons: list[Record] = [
        {"id": "p", "externalIdentifiers": [{"value": "1", "context": "a"}, {"value": "2", "context": "b"}]}
    ]
    assert chosen(persons, "Person", identifier_value="2", identifier_context="b") == ["p"]
    assert chosen(persons, "Person", identifier_value="2", identifier_context="a") == []
    assert chosen(persons, "Person", identifier_context="a") == ["p"]


def _relations() -> Store:
    enrolments: list[Record] = [
        {"enroledAt": ref("A"), "startDate": "2020-08-01", "endDate": "2023-06-30"},
        {"enroledAt": ref("B"), "startDate": "2023-08-01"},
    ]
    return store(
        Person=[
            {"id": "pupil", "enrolments": enrolments, "responsibles": [{"person": ref("adult")}]},
            {"id": "adult"},
            {"id": "teacher"},
            {"id": "nobody"},
        ],
        Duty=[
            {
                "id": "d", "person": ref("teacher"), "dutyAt": ref("B"), "startDate": "2024-01-01",
                "assignmentRole": [{"group": ref("g"), "startDate": "2025-01-01"}],
            }
        ],
        Placement=[
            {
                "id": "f", "child": ref("pupil"), "owners": [ref("adult")], "placedAt": ref("C"),
                "startDate": "2025-01-01",
            }
        ],
        Group=[
            {
                "id": "g", "organisation": ref("B"),
                "groupMemberships": [{"person": ref("pupil"), "startDate": "2024-08-01"}],
            }
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        ("enrolment", ["pupil"]),
        ("duty", ["teacher"]),
        ("placement.child", ["pupil"]),
        ("placement.owner", ["adult"]),
        ("responsibleFor.enrolment", ["adult"]),
        ("responsibleFor.placement", ["adult"]),
        ("groupMembership", ["pupil", "teacher"]),
    ],
)
def test_a_kind_of_relation_alone_selects_those_who_have_any(kind: str, who: list[str]) -> None:
    assert found(_relations(), "Person", relationship_entity_type=kind) == who


def test_organisation_and_dates_must_hold_for_one_and_the_same_relation() -> None:
    def enrolled(**more: str) -> list[object]:
        return found(_relations(), "Person", relationship_entity_type="enrolment", **more)

    assert enrolled(relationship_organisation="A") == ["pupil"]
    assert enrolled(relationship_organisation="A", relationship_endDate_onOrAfter="2023-06-30") == ["pupil"]
    assert enrolled(relationship_organisation="A", relationship_endDate_onOrAfter="2023-07-01") == []
    assert enrolled(relationship_organisation="B", relationship_endDate_onOrBefore="2000-01-01") == ["pupil"]
    assert enrolled(relationship_organisation="B", relationship_startDate_onOrBefore="2023-07-31") == []
    assert enrolled(relationship_organisation="C") == []
    assert found(_relations(), "Person", relationship_organisation="C") == ["pupil", "adult"]


def test_groups_of_parameters_narrow_what_the_others_select() -> None:
    persons: list[Record] = [
        {"id": name, "givenName": given, "externalIdentifiers": [{"value": "1", "context": "a"}]}
        for name, given in (("asa", "Åsa"), ("ake", "Åke"))
    ]
    assert chosen(persons, "Person", nameContains="Åsa", identifier_value="1") == ["asa"]
    assert chosen(persons, "Person", nameContains="Åsa", identifier_value="2") == []
    assert chosen(persons, "Person", identifier_value="1", relationship_entity_type="duty") == []


TREE: list[Record] = [
    {"id": "root"},
    {"id": "school", "parentOrganisation": ref("root")},
    {"id": "unit", "parentOrganisation": ref("school")},
    {"id": "other", "parentOrganisation": ref("root")},
]


def test_organisation_means_the_subtree_for_duties_activities_events_and_attendances() -> None:
    source = store(
        Organisation=TREE,
        Duty=[{"id": "at unit", "dutyAt": ref("unit")}, {"id": "at other", "dutyAt": ref("other")}],
        Activity=[{"id": "a", "organisation": ref("unit")}, {"id": "b", "organisation": ref("other")}],
        CalendarEvent=[{"id": "ea", "activity": ref("a")}, {"id": "eb", "activity": ref("b")}],
        Attendance=[{"id": "na", "calendarEvent": ref("ea")}, {"id": "nb", "calendarEvent": ref("eb")}],
    )
    for above, expected in (("unit", 1), ("school", 1), ("root", 2)):
        for resource in ("Duty", "Activity", "CalendarEvent", "Attendance"):
            assert len(found(source, resource, organisation=above)) == expected, (resource, above)


def test_organisation_means_the_unit_itself_for_groups_and_the_others() -> None:
    source = store(
        Organisation=TREE,
        Group=[{"id": "g", "organisation": ref("unit")}],
        Placement=[{"id": "p", "placedAt": ref("unit")}],
        Room=[{"id": "r", "owner": ref("unit")}],
        Grade=[{"id": "b", "organisation": ref("unit")}],
        Absence=[{"id": "f", "organisation": ref("unit")}],
    )
    for resource in ("Group", "Placement", "Room", "Grade", "Absence"):
        assert len(found(source, resource, organisation="unit")) == 1
        assert found(source, resource, organisation="school") == []
    assert found(source, "Organisation", parent=["school", "nowhere"]) == ["unit"]


def _timetable() -> Store:
    return store(
        Group=[{"id": "g", "groupMemberships": [{"person": ref("pupil"), "endDate": "2000-01-01"}]}],
        Activity=[
            {"id": "a", "groups": [ref("g")], "teachers": [{"duty": ref("d"), "endDate": "2000-01-01"}]},
            {"id": "b", "groups": [ref("h")]},
        ],
        CalendarEvent=[
            {"id": "ea", "activity": ref("a")},
            {
                "id": "eb", "activity": ref("b"),
                "studentExceptions": [{"student": ref("guest"), "participates": False}],
                "teacherExceptions": [{"duty": ref("e"), "participates": True}],
            },
        ],
    )  # fmt: skip


def test_members_and_teachers_are_found_whatever_their_dates() -> None:
    assert found(_timetable(), "Activity", member="pupil") == ["a"]
    assert found(_timetable(), "Activity", teacher="d") == ["a"]
    assert found(_timetable(), "CalendarEvent", student="pupil") == ["ea"]
    assert found(_timetable(), "CalendarEvent", teacher="d") == ["ea"]
    assert found(_timetable(), "CalendarEvent", group="g") == ["ea"]


def test_exceptions_count_also_for_those_who_do_not_take_part() -> None:
    assert found(_timetable(), "CalendarEvent", student="guest") == ["eb"]
    assert found(_timetable(), "CalendarEvent", teacher="e") == ["eb"]


def test_several_filters_all_hold_and_several_values_of_one_are_alternatives() -> None:
    groups: list[Record] = [
        {"id": "1", "groupType": "Klass", "schoolType": "GR"},
        {"id": "2", "groupType": "Mentor", "schoolType": "GR"},
        {"id": "3", "groupType": "Klass", "schoolType": "GY"},
    ]
    assert chosen(groups, "Group", groupType=["Klass", "Mentor"]) == ["1", "2", "3"]
    assert chosen(groups, "Group", groupType=["Klass", "Mentor"], schoolTypes="GR") == ["1", "2"]


def test_the_arrays_of_a_lookup_are_united_and_unknown_values_left_out() -> None:
    source = _timetable()
    assert looked_up(source, "CalendarEvent", {"ids": ["ea", "nowhere"], "teacher": ["e"]}) == [0, 1]
    assert looked_up(source, "CalendarEvent", {"student": ["guest", "nobody"]}) == [1]
    assert looked_up(source, "Activity", {"members": ["pupil"]}) == [0]
    placements = store(Placement=[{"id": "1", "child": ref("c")}, {"id": "2", "child": ref("x"), "owners": [ref("c")]}])
    assert looked_up(placements, "Placement", {"personIds": ["c"]}) == [0, 1]


def test_every_parameter_and_lookup_key_of_the_standard_is_understood() -> None:
    groups = ("meta.", "relationship.", "identifier.")
    for name, resource in RESOURCES.items():
        for parameter in resource.parameters:
            known = (name, parameter.name) in EQUAL or (name, parameter.name) in FOUND
            known = known or parameter.name in RANGES.get(name, {}) or parameter.name == "nameContains"
            assert known or parameter.name.startswith(groups), (name, parameter.name)
        for key in resource.lookup:
            assert key.name == "ids" or (name, key.name) in LOOKUP or (name, key.name) in LOOKUP_EQUAL
