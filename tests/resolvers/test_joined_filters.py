"""Filters that other records decide: over several sources, below organisations, above school units, and the hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from resolvers.contracts import Authority, Limits
from resolvers.federation import Federation
from resolvers.policy import ShowAll
from sources.capabilities import Filter
from tests.fakes import FakeSource

from .worlds import answer, identity

Records = Mapping[str, Sequence[Mapping[str, Any]]]


def named(kind: int) -> dict[str, str]:
    return {name: identity(kind, number) for number, name in enumerate("abcdef")}


ORG, PERSON, GROUP, ACTIVITY, EVENT, DUTY, PLACEMENT = map(named, (0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0, 0x70))
WINDOW = 'startTime: {onOrAfter: "2026-01-01T00:00:00Z", onOrBefore: "2027-01-01T00:00:00Z"}'


def ref(id: str) -> dict[str, str]:
    return {"id": id}


def over(sources: Mapping[str, Records], authority: Mapping[str, Authority] | None = None, **more: Any) -> Federation:
    capabilities = more.pop("capabilities", {})
    fakes = {name: FakeSource(name, records, **capabilities.get(name, {})) for name, records in sources.items()}
    return Federation(fakes, authority, **more)


def listed(federation: Federation, field: str, filter_: str, window: str = "") -> set[str]:
    arguments = ", ".join(part for part in (window, f"filter: {{{filter_}}}") if part)
    page = answer(federation, f"{{ {field}({arguments}) {{ nodes {{ id }} complete }} }}")["data"][field]
    assert page["complete"]
    assert len({node["id"] for node in page["nodes"]}) == len(page["nodes"])
    return {node["id"] for node in page["nodes"]}


def calls(federation: Federation, name: str) -> list[Any]:
    source = federation.sources[name]
    assert isinstance(source, FakeSource)
    return source.calls


# Over several sources


SCHEDULE: dict[str, Records] = {
    "schema": {
        "Activity": [
            {"id": ACTIVITY["a"], "groups": [ref(GROUP["a"])], "organisation": ref(ORG["b"])},
            {"id": ACTIVITY["b"], "groups": [ref(GROUP["b"])], "organisation": ref(ORG["c"])},
        ],
        "CalendarEvent": [
            {"id": EVENT["a"], "activity": ref(ACTIVITY["a"]), "startTime": "2026-03-02T08:00:00Z"},
            {
                "id": EVENT["b"],
                "activity": ref(ACTIVITY["b"]),
                "startTime": "2026-03-02T08:00:00Z",
                "studentExceptions": [{"student": ref(PERSON["a"]), "participates": False}],
                "teacherExceptions": [{"duty": ref(DUTY["b"]), "participates": False}],
            },
            {"id": EVENT["c"], "activity": ref(ACTIVITY["b"]), "startTime": "2026-03-03T08:00:00Z"},
            {"id": EVENT["d"], "activity": ref(ACTIVITY["f"]), "startTime": "2026-03-03T08:00:00Z"},
        ],
    },
    "lms": {"Activity": [{"id": ACTIVITY["a"], "teachers": [{"duty": ref(DUTY["a"]), "endDate": "2020-01-01"}]}]},
    "sis": {
        "Person": [{"id": PERSON["a"]}, {"id": PERSON["b"]}],
        "Group": [
            {"id": GROUP["a"], "groupMemberships": [{"person": ref(PERSON["a"]), "endDate": "2020-01-01"}]},
            {"id": GROUP["b"], "groupMemberships": [{"person": ref(PERSON["b"])}]},
        ],
        "Organisation": [
            {"id": ORG["a"], "parentOrganisation": ref(ORG["a"])},
            {"id": ORG["b"], "parentOrganisation": ref(ORG["c"])},
            {"id": ORG["c"], "parentOrganisation": ref(ORG["b"])},
            {"id": ORG["d"], "parentOrganisation": ref(ORG["c"])},
        ],
    },
    "narvaro": {
        "Attendance": [
            {"id": identity(0x80, number), "calendarEvent": ref(EVENT[name]), "student": ref(PERSON["b"])}
            for number, name in enumerate("abcdf")
        ]
    },
}
"""Lessons, teachers and members in three sources; b and c of the organisations lie below one another."""


@pytest.mark.parametrize(
    ("filter_", "events"),
    [
        (f'student: "{PERSON["a"]}"', "ab"),  # whatever the dates; an exception counts although it is an absence
        (f'student: "{PERSON["b"]}"', "bc"),
        (f'student: "{PERSON["f"]}"', ""),
        (f'teacher: "{DUTY["a"]}"', "a"),
        (f'teacher: "{DUTY["b"]}"', "b"),
        (f'group: "{GROUP["b"]}"', "bc"),
        (f'organisation: "{ORG["b"]}"', "abc"),
        (f'organisation: "{ORG["b"]}", subtree: false', "a"),
        (f'organisation: "{ORG["d"]}"', ""),
        (f'organisation: "{ORG["c"]}", group: "{GROUP["a"]}"', "a"),
    ],
)
def test_lessons_by_what_other_sources_know_of_their_activities(filter_: str, events: str) -> None:
    assert listed(over(SCHEDULE), "calendarEvents", filter_, WINDOW) == {EVENT[each] for each in events}


def test_activities_and_attendances_by_what_other_sources_know() -> None:
    federation = over(SCHEDULE)
    assert listed(federation, "activities", f'member: "{PERSON["a"]}"') == {ACTIVITY["a"]}
    assert listed(federation, "attendances", f'organisation: "{ORG["b"]}"') == {identity(0x80, n) for n in range(3)}
    assert listed(federation, "attendances", f'organisation: "{ORG["a"]}"') == set()


@pytest.mark.parametrize(
    ("filter_", "students"),
    [
        ("schoolType: [GR]", "a"),
        ("schoolType: [GR, GY]", "a"),
        ('schoolTypeText: ["Påhittad"]', "b"),
        ('schoolTypeText: ["GR", "Påhittad"]', "ab"),
        (f'organisation: "{ORG["a"]}"', "ab"),
        (f'organisation: "{ORG["a"]}", subtree: false', "b"),
        (f'organisation: "{ORG["b"]}", student: ["{PERSON["b"]}"]', ""),
    ],
)
def test_sums_by_what_their_activities_are(filter_: str, students: str) -> None:
    groups = [{"id": GROUP["a"], "schoolType": "GR"}, {"id": GROUP["b"], "schoolType": "Påhittad"}]
    activities = [
        {"id": ACTIVITY[each], "groups": [ref(GROUP[each])], "organisation": ref(ORG[at])}
        for each, at in (("a", "b"), ("b", "a"))
    ]
    sums = [
        {"id": identity(0x90, number), "student": ref(PERSON[each]), "activity": ref(ACTIVITY[each]),
         "startDate": "2026-01-01", "endDate": "2026-06-30"}
        for number, each in enumerate("ab")
    ]  # fmt: skip
    tree = [{"id": ORG["a"]}, {"id": ORG["b"], "parentOrganisation": ref(ORG["a"])}]
    federation = over(
        {"sis": {"Group": groups, "Organisation": tree}, "schema": {"Activity": activities},
         "narvaro": {"AggregatedAttendance": sums}}
    )  # fmt: skip
    window = 'startDate: "2026-01-01", endDate: "2026-12-31"'
    found = listed(federation, "aggregatedAttendances", filter_, window)
    assert found == {identity(0x90, "ab".index(each)) for each in students}


def test_nested_lists_are_filtered_by_what_other_records_show() -> None:
    federation = over(SCHEDULE)
    query = f"""{{ group(id: "{GROUP["a"]}") {{
        activities(filter: {{member: "{PERSON["a"]}"}}) {{ id }}
        none: activities(filter: {{member: "{PERSON["b"]}"}}) {{ id }}
        calendarEvents(during: {{from: "2026-03-01", to: "2026-03-31"}}, filter: {{teacher: "{DUTY["a"]}"}}) {{ id }}
    }} }}"""
    body = answer(federation, query)["data"]["group"]
    assert body == {
        "activities": [{"id": ACTIVITY["a"]}], "none": [], "calendarEvents": [{"id": EVENT["a"]}]
    }  # fmt: skip


def test_what_the_join_lacks_is_a_gap_of_the_list() -> None:
    federation = over(SCHEDULE)
    federation.sources["sis"].fail()  # type: ignore[attr-defined]
    query = f"""{{ calendarEvents({WINDOW}, filter: {{student: "{PERSON["b"]}"}}) {{
        nodes {{ id }} complete pageInfo {{ hasNextPage }} gaps {{ source }} }} }}"""
    page = answer(federation, query, errors=True)["data"]["calendarEvents"]
    assert (page["complete"], page["pageInfo"]["hasNextPage"]) == (False, True)
    assert page["gaps"] == [{"source": "sis"}]


# Persons by their relations


PEOPLE: Records = {
    "Person": [
        {"id": PERSON["a"], "enrolments": [{"enroledAt": ref(ORG["b"]), "startDate": "2025-08-01"}]},
        {
            "id": PERSON["b"],
            "securityMarking": "Sekretessmarkering",
            "enrolments": [{"enroledAt": ref(ORG["c"])}],
            "responsibles": [{"person": ref(PERSON["d"])}],
        },
        {
            "id": PERSON["c"],
            "enrolments": [{"enroledAt": ref(ORG["c"]), "endDate": "2026-01-31"}],
            "responsibles": [{"person": ref(PERSON["e"])}],
        },
        {"id": PERSON["d"]},
        {"id": PERSON["e"]},
        {"id": PERSON["f"]},
    ],
    "Placement": [{"id": PLACEMENT["a"], "child": ref(PERSON["b"]), "placedAt": ref(ORG["b"])}],
    "Group": [{"id": GROUP["a"], "organisation": ref(ORG["b"]), "groupMemberships": [{"person": ref(PERSON["f"])}]}],
    "Duty": [
        {
            "id": DUTY["a"],
            "person": ref(PERSON["e"]),
            "dutyAt": ref(ORG["c"]),
            "startDate": "2026-02-01",
            "assignmentRole": [{"group": ref(GROUP["a"]), "endDate": "2026-03-31"}],
        },
        {"id": DUTY["b"], "dutyAt": ref(ORG["b"])},
    ],
}


@pytest.mark.parametrize("show_all", [False, True])
def test_a_hidden_child_gives_its_guardians_away_in_no_filter(show_all: bool) -> None:
    federation = over({"sis": PEOPLE}, policy=ShowAll() if show_all else None)
    through = {PERSON["d"]} if show_all else set()
    assert (
        listed(federation, "persons", "relationship: {entityType: RESPONSIBLEFOR_ENROLMENT}") == {PERSON["e"]} | through
    )
    assert listed(federation, "persons", "relationship: {entityType: RESPONSIBLEFOR_PLACEMENT}") == through


def test_nobody_is_trusted_with_the_guardians_of_whom_the_gateway_hides() -> None:
    exact = {"sis": {"filters": {"Person": {"*": Filter.EXACT}}}}
    federation = over({"sis": PEOPLE}, capabilities=exact)
    assert listed(federation, "persons", "relationship: {entityType: RESPONSIBLEFOR_ENROLMENT}") == {PERSON["e"]}


@pytest.mark.parametrize(
    ("relationship", "people"),
    [
        ("entityType: GROUPMEMBERSHIP", "fe"),
        ('entityType: GROUPMEMBERSHIP, endDate: {onOrAfter: "2026-04-01"}', "f"),
        ('entityType: DUTY, startDate: {onOrBefore: "2026-01-31"}', ""),
        (f'entityType: DUTY, organisation: "{ORG["c"]}", startDate: {{onOrBefore: "2026-02-01"}}', "e"),
        (f'organisation: "{ORG["c"]}"', "ce"),
        (f'organisation: "{ORG["b"]}", startDate: {{onOrAfter: "2025-08-02"}}', "fe"),  # by a group, without a date
    ],
)
def test_all_of_a_relationship_is_of_one_relation(relationship: str, people: str) -> None:
    federation = over({"sis": PEOPLE})
    assert listed(federation, "persons", f"relationship: {{{relationship}}}") == {PERSON[each] for each in people}


# Attached above the school unit


TREE = [
    {"id": ORG["a"], "organisationType": "Huvudman"},
    {"id": ORG["b"], "organisationType": "Skola", "parentOrganisation": ref(ORG["a"])},
    {"id": ORG["c"], "organisationType": "Skolenhet", "parentOrganisation": ref(ORG["b"])},
    {"id": ORG["d"], "organisationType": "Skolenhet", "parentOrganisation": ref(ORG["b"])},
]


def enrolled(name: str, unit: str, **dates: str) -> dict[str, Any]:
    return {"id": PERSON[name], "enrolments": [{"enroledAt": ref(ORG[unit]), **dates}]}


def group(name: str, *members: str, at: str = "b", **dates: str) -> dict[str, Any]:
    return {
        "id": GROUP[name],
        "organisation": ref(ORG[at]),
        "groupMemberships": [{"person": ref(PERSON[each]), **dates} for each in members],
    }


ABOVE: Records = {
    "Organisation": TREE,
    "Person": [
        enrolled("a", "c", startDate="2025-08-01", endDate="2026-06-30"),
        enrolled("b", "d"),
        {**enrolled("c", "d"), "securityMarking": "Sekretessmarkering"},
    ],
    "Group": [
        group("a", "a", startDate="2026-06-30"),
        group("b", "a", startDate="2026-07-01"),  # no longer enrolled when the membership began
        group("c", "c"),  # of somebody hidden
        group("d"),
    ],
    "Activity": [
        {"id": ACTIVITY["a"], "organisation": ref(ORG["b"]), "groups": [ref(GROUP["d"]), ref(GROUP["a"])]},
        {"id": ACTIVITY["b"], "organisation": ref(ORG["b"]), "groups": [ref(GROUP["e"])],
         "teachers": [{"duty": ref(DUTY["b"])}]},
    ],
    "Duty": [
        {"id": DUTY["a"], "dutyAt": ref(ORG["b"]), "assignmentRole": [{"group": ref(GROUP["a"])}]},
        {"id": DUTY["b"], "dutyAt": ref(ORG["b"])},
        {"id": DUTY["c"], "dutyAt": ref(ORG["b"])},
    ],
    "CalendarEvent": [{"id": EVENT["a"], "activity": ref(ACTIVITY["a"]), "startTime": "2026-03-02T08:00:00Z"}],
}  # fmt: skip
OTHERS: Records = {"Group": [group("e", "b", at="d")]}
"""Another source knows the units of its groups."""
LEVELS = {"organisation_level": dict.fromkeys(("Group", "Activity", "Duty"), "Skola")}


@pytest.mark.parametrize(
    ("asked", "groups", "activities", "duties"),
    [
        ("a", "abcde", "ab", "abc"),
        ("b", "abcde", "ab", "abc"),
        ("c", "a", "a", "ac"),  # the third duty is assigned to nothing: it belongs to every unit below
        ("d", "e", "b", "bc"),
    ],
)
def test_what_is_attached_to_the_school_belongs_where_its_members_are_enrolled(
    asked: str, groups: str, activities: str, duties: str
) -> None:
    federation = over({"sis": ABOVE, "lms": OTHERS}, capabilities={"sis": LEVELS})
    at = f'organisation: "{ORG[asked]}"'
    assert listed(federation, "groups", f'organisation: ["{ORG[asked]}"]') == {GROUP[each] for each in groups}
    assert listed(federation, "activities", at) == {ACTIVITY[each] for each in activities}
    assert listed(federation, "duties", at) == {DUTY[each] for each in duties}
    events = {EVENT["a"]} if "a" in activities else set()
    assert listed(federation, "calendarEvents", at, WINDOW) == events


def test_the_answer_says_that_members_decided() -> None:
    federation = over({"sis": ABOVE, "lms": OTHERS}, capabilities={"sis": LEVELS})
    for asked, said in (("c", [("UNIT_BY_MEMBERS", "Group", "sis")]), ("b", [])):
        body = answer(federation, f'{{ groups(filter: {{organisation: ["{ORG[asked]}"]}}) {{ nodes {{ id }} }} }}')
        notices = body["extensions"].get("notices", [])
        assert [(each["code"], each["resource"], each["source"]) for each in notices] == said


def test_a_source_that_attaches_groups_to_units_is_taken_at_its_word() -> None:
    """A group of the school is then one of the whole school."""
    federation = over({"sis": ABOVE})
    assert listed(federation, "groups", f'organisation: ["{ORG["c"]}"]') == set()


def test_the_school_is_what_such_a_source_is_asked_for() -> None:
    federation = over({"sis": ABOVE}, capabilities={"sis": LEVELS})
    listed(federation, "groups", f'organisation: ["{ORG["c"]}", "{ORG["d"]}"]')
    asked = [dict(call.query.parameters) for call in calls(federation, "sis") if call.resource == "Group"]
    assert {"organisation": (ORG["b"],)} in asked
    assert {} not in asked


# What is asked of sources


def test_a_tree_is_gone_down_by_its_own_source_and_spelt_out_for_others() -> None:
    duties = [{"id": DUTY["a"], "dutyAt": ref(ORG["c"]), "person": ref(PERSON["a"])}]
    federation = over({"sis": {"Organisation": TREE, "Duty": duties}, "hr": {"Duty": duties}})
    assert listed(federation, "duties", f'organisation: "{ORG["b"]}"') == {DUTY["a"]}
    asked = {
        name: [v for c in calls(federation, name) if c.resource == "Duty" for _, v in c.query.parameters]
        for name in federation.sources
    }
    assert asked == {"sis": [(ORG["b"],)], "hr": [(ORG["b"],), (ORG["c"],), (ORG["d"],)]}


def test_more_calls_than_allowed_are_none() -> None:
    duties = [{"id": DUTY["a"], "dutyAt": ref(ORG["c"])}]
    federation = over({"sis": {"Organisation": TREE}, "hr": {"Duty": duties}}, limits=Limits(max_filter_calls=2))
    assert listed(federation, "duties", f'organisation: "{ORG["b"]}"') == {DUTY["a"]}
    assert [call.query.parameters for call in calls(federation, "hr")] == [()]


def test_bounds_in_doubt_are_pushed_wider_or_not_at_all() -> None:
    """The absences' onOrAfter is exclusive by its text and inclusive by its name; that of organisations' startDate
    speaks of the endDate."""
    absences = [{"id": EVENT[n], "startTime": f"2026-03-02T08:00:0{i}Z"} for i, n in enumerate("ab")]
    federation = over({"sis": {"Absence": absences, "Organisation": [{"id": ORG["a"]}]}})
    assert listed(federation, "absences", 'startTime: {onOrAfter: "2026-03-02T08:00:00Z"}') == {EVENT["b"]}
    assert listed(federation, "organisations", 'startDate: {onOrAfter: "2026-03-02"}') == {ORG["a"]}
    asked = [call.query.parameters for call in calls(federation, "sis")]
    assert asked == [(("startTime.onOrAfter", ("2026-03-02T07:59:59+00:00",)),), ()]


# Which sources have it


def test_a_source_that_does_not_answer_has_not_said_that_it_has_none() -> None:
    people = [{"id": PERSON["a"]}, {"id": PERSON["b"]}]
    federation = over({"sis": {"Person": people}, "hr": {"Person": people[:1]}})
    assert listed(federation, "persons", 'absentFrom: ["hr"]') == {PERSON["b"]}
    assert listed(federation, "persons", 'presentIn: ["hr", "sis"]') == {PERSON["a"]}
    federation.sources["hr"].fail()  # type: ignore[attr-defined]
    for field in ("absentFrom", "presentIn"):
        query = f'{{ persons(filter: {{{field}: ["hr"]}}) {{ nodes {{ id }} complete }} }}'
        page = answer(federation, query, errors=True)["data"]["persons"]
        assert page == {"nodes": [], "complete": False}
