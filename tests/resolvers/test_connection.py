"""Lists at the root over several sources: every record once, in order, whatever the page sizes; cursors; gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.contracts import Limits
from resolvers.cursor import Sealer
from resolvers.federation import Federation
from sources.capabilities import Filter
from sources.errors import FaultCode

from .oracle import Oracle
from .worlds import (
    DUTIES,
    GROUPS,
    NOWHERE,
    ORGANISATIONS,
    PERSONS,
    Decisions,
    Record,
    World,
    answer,
    fakes,
    federation,
    identity,
    worlds,
)

thorough = settings(
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

MANY_GROUPS = [identity(0x1C, number) for number in (5, 2, 8, 1, 7, 3, 6, 4)]
COLUMNS = ("meta", "displayName", "startDate", "endDate", "groupType", "schoolType", "organisation")


@dataclass(frozen=True)
class Narrowed:
    """An argument of the list, and which merged groups it selects."""

    argument: str
    selects: Callable[[Oracle, str], bool]


def _of(oracle: Oracle, id: str, column: str) -> Any:
    return oracle.value("Group", id, column)


def _modified_after(oracle: Oracle, id: str) -> bool:
    meta = _of(oracle, id, "meta")
    return meta is not None and meta["modified"] > "2026-01-31"


EVERY = Narrowed("", lambda oracle, id: True)
NARROWED = [
    Narrowed(
        "filter: {groupType: [KLASS, UNDERVISNING]}", lambda o, i: _of(o, i, "groupType") in ("Klass", "Undervisning")
    ),
    Narrowed(
        'filter: {startDate: {onOrAfter: "2026-01-31"}}',
        lambda o, i: (_of(o, i, "startDate") or "") >= "2026-01-31",
    ),
    Narrowed(
        'filter: {endDate: {onOrBefore: "2026-01-31"}}',
        lambda o, i: (_of(o, i, "endDate") or "") <= "2026-01-31",
    ),
    Narrowed(
        'filter: {endDate: {onOrAfter: "2026-01-31"}, groupType: [KLASS]}',
        lambda o, i: (_of(o, i, "endDate") or "9") >= "2026-01-31" and _of(o, i, "groupType") == "Klass",
    ),
    Narrowed(
        'filter: {groupType: [KLASS, UNDERVISNING], startDate: {onOrAfter: "2026-01-31"}}',
        lambda o, i: (
            _of(o, i, "groupType") in ("Klass", "Undervisning") and (_of(o, i, "startDate") or "") >= "2026-01-31"
        ),
    ),
    Narrowed(
        f'filter: {{groupType: [KLASS, UNDERVISNING], organisation: ["{ORGANISATIONS[0]}", "{NOWHERE}"]}}',
        lambda o, i: (
            _of(o, i, "groupType") in ("Klass", "Undervisning")
            and (_of(o, i, "organisation") or {}).get("id") in (ORGANISATIONS[0], NOWHERE)
        ),
    ),
    Narrowed(
        f'filter: {{organisation: ["{ORGANISATIONS[0]}", "{ORGANISATIONS[1]}"]}}',
        lambda o, i: (_of(o, i, "organisation") or {}).get("id") in ORGANISATIONS[:2],
    ),
    Narrowed("filter: {schoolTypes: [GY, FTH]}", lambda o, i: _of(o, i, "schoolType") in ("GY", "FTH")),
    Narrowed(
        'filter: {schoolTypes: [GR], startDate: {onOrAfter: "2026-01-31"}}',
        lambda o, i: _of(o, i, "schoolType") == "GR" and (_of(o, i, "startDate") or "") >= "2026-01-31",
    ),
    Narrowed('filter: {meta: {modified: {after: "2026-01-31T00:00:00Z"}}}', _modified_after),
    Narrowed(
        'on: "2026-01-31"',
        lambda o, i: (_of(o, i, "startDate") or "") <= "2026-01-31" <= (_of(o, i, "endDate") or "9"),
    ),
]
ORDERS: list[tuple[str, list[tuple[str, bool]]]] = [
    ("[DISPLAY_NAME_ASC]", [("displayName", False)]),
    ("[START_DATE_DESC, DISPLAY_NAME_ASC]", [("startDate", True), ("displayName", False)]),
    ("[END_DATE_ASC]", [("endDate", False)]),
    ("[MODIFIED_DESC]", [("meta.modified", True)]),
]


def page(over: Federation, arguments: str, first: int, after: str | None) -> dict[str, Any]:
    query = f"""query($after: String) {{ groups(first: {first}, after: $after {arguments}) {{
        edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} complete
    }} }}"""
    found: dict[str, Any] = answer(over, query, {"after": after})["data"]["groups"]
    assert found["complete"]
    return found


def walk(over: Federation, arguments: str, first: int) -> tuple[list[str], list[str]]:
    """The ids and cursors of the whole list, page by page."""
    ids: list[str] = []
    cursors: list[str] = []
    after = None
    for _ in range(len(MANY_GROUPS) + 2):
        shown = page(over, arguments, first, after)
        edges, info = shown["edges"], shown["pageInfo"]
        assert len(edges) <= first
        assert info["hasPreviousPage"] is (after is not None)
        if edges:
            assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        ids += [edge["node"]["id"] for edge in edges]
        cursors += [edge["cursor"] for edge in edges]
        if not info["hasNextPage"]:
            return ids, cursors
        after = info["endCursor"]
    raise AssertionError("the walk does not end")


@settings(thorough, max_examples=200)
@given(
    worlds("Group", columns={"Group": COLUMNS}, ids={"Group": MANY_GROUPS}),
    st.sampled_from([1, 2, 7]),
    st.sampled_from([EVERY, *NARROWED]),
    st.integers(0, 99),
)
def test_an_unordered_walk_gives_every_record_once(world: World, first: int, narrowed: Narrowed, pick: int) -> None:
    oracle = Oracle(world)
    over = federation(world, fakes(world))
    ids, cursors = walk(over, narrowed.argument, first)
    expected = [id for id in oracle.listed("Group") if narrowed.selects(oracle, id)]
    if narrowed is EVERY:
        assert ids == expected
    else:
        assert sorted(ids) == sorted(expected)
    if ids:
        place = pick % len(ids)
        rest = page(over, narrowed.argument, 50, cursors[place])
        assert [edge["node"]["id"] for edge in rest["edges"]] == ids[place + 1 :]


@settings(thorough, max_examples=200)
@given(
    worlds("Group", columns={"Group": COLUMNS}, ids={"Group": MANY_GROUPS}),
    st.sampled_from([1, 2, 7]),
    st.sampled_from([EVERY, *NARROWED]),
    st.sampled_from(ORDERS),
    st.integers(0, 99),
)
def test_an_ordered_walk_gives_every_record_once_in_order(
    world: World, first: int, narrowed: Narrowed, order: tuple[str, list[tuple[str, bool]]], pick: int
) -> None:
    oracle = Oracle(world)
    over = federation(world, fakes(world))
    arguments = f"{narrowed.argument} orderBy: {order[0]}"
    ids, cursors = walk(over, arguments, first)
    selected = [id for id in oracle.listed("Group") if narrowed.selects(oracle, id)]
    assert ids == oracle.ordered("Group", selected, order[1])
    if ids:
        place = pick % len(ids)
        rest = page(over, arguments, 50, cursors[place])
        assert [edge["node"]["id"] for edge in rest["edges"]] == ids[place + 1 :]


@settings(thorough, max_examples=150)
@given(worlds("Group", columns={"Group": COLUMNS}, ids={"Group": MANY_GROUPS}))
def test_every_filter_selects_by_the_merged_values(world: World) -> None:
    """No source alone need satisfy it: one gives the kind of a group, another the day on which it starts."""
    oracle = Oracle(world)
    over = federation(world, fakes(world))
    for narrowed in NARROWED:
        expected = [id for id in sorted(oracle.listed("Group")) if narrowed.selects(oracle, id)]
        shown = page(over, narrowed.argument, 50, None)
        assert sorted(edge["node"]["id"] for edge in shown["edges"]) == expected, narrowed.argument


def test_a_full_page_asks_for_no_page_that_it_does_not_show() -> None:
    over = open_()
    assert page(over, "", 2, None)["pageInfo"]["hasNextPage"] is True
    assert [(call.op, call.token) for call in calls(over) if call.op == "page"] == [("page", None)]


# Cursors


def two_sources(**changes: Any) -> World:
    """Two sources with five groups, of which they share one; one has persons, too."""
    groups = [
        Record(id=id, displayName=name, groupType="Klass") for id, name in zip(MANY_GROUPS, "CABED", strict=False)
    ]
    people = [Record(id=id, givenName=name) for id, name in zip(PERSONS, "DCBA", strict=True)]
    duties = [Record(id=DUTIES[0], person={"id": PERSONS[0]})]
    world = World(
        {"sis": {"Group": groups[:3], "Person": people, "Duty": duties}, "lms": {"Group": groups[2:], "Person": []}},
        page_size=2,
    )
    return replace(world, **changes)


def calls(over: Federation) -> list[Any]:
    return [call for source in over.sources.values() for call in source.calls]  # type: ignore[attr-defined]


def open_(world: World | None = None, **settings: Any) -> Federation:
    world = world or two_sources()
    return federation(world, fakes(world), **settings)


def cursor(arguments: str = "") -> str:
    found: str = page(open_(), arguments, 2, None)["pageInfo"]["endCursor"]
    return found


def refused(over: Federation, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """The one error of an answer for which nothing was fetched."""
    body = answer(over, query, variables, errors=True)
    assert not calls(over)
    (error,) = body["errors"]
    assert body["data"] is None or set(body["data"].values()) == {None}
    assert "completeness" not in body.get("extensions", {})
    return dict(error)


CONTINUE = "query($after: String) { groups(after: $after ARGUMENTS) { nodes { id } } }"


def _flipped(cursor: str) -> str:
    return cursor[:-8] + ("A" if cursor[-8] != "A" else "B") + cursor[-7:]


@pytest.mark.parametrize(
    "spoilt",
    [
        _flipped,
        lambda c: c[:-4],
        lambda c: c + "AAAA",
        lambda c: "",
        lambda c: "å",
        lambda c: "A" * 20_000,
        lambda c: ".",
    ],
    ids=["flipped", "cut", "longer", "empty", "not ASCII", "huge", "not base64"],
)
@pytest.mark.parametrize("order", ["", "orderBy: [DISPLAY_NAME_ASC]"], ids=["unordered", "ordered"])
def test_a_tampered_cursor_is_refused(spoilt: Callable[[str], str], order: str) -> None:
    error = refused(open_(), CONTINUE.replace("ARGUMENTS", order), {"after": spoilt(cursor(order))})
    assert error["extensions"]["code"] == "INVALID_CURSOR"


@pytest.mark.parametrize(
    "arguments",
    ["orderBy: [DISPLAY_NAME_ASC]", "filter: {groupType: [KLASS]}", "filter: {groupType: []}", 'on: "2026-01-31"'],
)
def test_a_cursor_of_another_query_is_refused(arguments: str) -> None:
    error = refused(open_(), CONTINUE.replace("ARGUMENTS", arguments), {"after": cursor()})
    assert error["extensions"]["code"] == "INVALID_CURSOR"


def test_a_cursor_of_another_resource_is_refused() -> None:
    error = refused(open_(), "query($after: String) { persons(after: $after) { nodes { id } } }", {"after": cursor()})
    assert error["extensions"]["code"] == "INVALID_CURSOR"


@pytest.mark.parametrize(
    "other",
    [
        lambda: open_(sealer=Sealer([b"another secret"])),
        lambda: open_(epoch="another configuration"),
        lambda: open_(two_sources(decisions={"Group": Decisions(exists=("sis",))})),
    ],
    ids=["secret", "epoch", "population"],
)
def test_a_cursor_of_another_gateway_is_refused(other: Callable[[], Federation]) -> None:
    error = refused(other(), CONTINUE.replace("ARGUMENTS", ""), {"after": cursor()})
    assert error["extensions"]["code"] == "INVALID_CURSOR"


def test_a_cursor_of_the_previous_secret_still_opens() -> None:
    old = page(open_(sealer=Sealer([b"old"])), "", 2, None)["pageInfo"]["endCursor"]
    rotated = page(open_(sealer=Sealer([b"new", b"old"])), "", 2, old)
    assert [edge["node"]["id"] for edge in rotated["edges"]] == MANY_GROUPS[2:4]


def test_a_cursor_on_a_page_that_its_source_no_longer_knows_finds_its_place_in_the_whole_list() -> None:
    over = open_()
    after = page(over, "", 3, None)["pageInfo"]["endCursor"]
    over.sources["sis"].fail(FaultCode.SOURCE_LIST_CHANGED, op="page")  # type: ignore[attr-defined]
    assert [edge["node"]["id"] for edge in page(over, "", 3, after)["edges"]] == MANY_GROUPS[3:5]


def test_an_ordered_cursor_needs_no_page_token() -> None:
    over = open_()
    after = page(over, "orderBy: [DISPLAY_NAME_ASC]", 3, None)["pageInfo"]["endCursor"]
    over.sources["sis"].fail(FaultCode.SOURCE_LIST_CHANGED, op="page")  # type: ignore[attr-defined]
    rest = page(over, "orderBy: [DISPLAY_NAME_ASC]", 3, after)
    assert [edge["node"]["id"] for edge in rest["edges"]] == [MANY_GROUPS[4], MANY_GROUPS[3]]


# What a client does wrong costs no call


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ groups(first: 0) { nodes { id } } }", "FIRST_OUT_OF_RANGE"),
        ("{ groups(first: -1) { nodes { id } } }", "FIRST_OUT_OF_RANGE"),
        ("{ groups(first: 1001) { nodes { id } } }", "FIRST_OUT_OF_RANGE"),
        ("{ groups(first: null) { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ group(id: "no id") { id } }', "INVALID_ID"),
        ('{ group(id: "") { displayName } }', "INVALID_ID"),
        (f'{{ groupsByIds(ids: ["{GROUPS[0]}", "x"]) {{ id }} }}', "INVALID_ID"),
        ('{ groups(filter: {organisation: ["x"]}) { nodes { id } } }', "INVALID_ID"),
        ('{ groups(on: "2026-02-30") { nodes { id } } }', "INVALID_DATE"),
        ('{ groups(on: "20260201") { nodes { id } } }', "INVALID_DATE"),
        ('{ groups(during: {from: "2026-02-02", to: "2026-02-01"}) { nodes { id } } }', "INVALID_DATE"),
        ('{ groups(on: "2026-02-01", during: {from: "2026-02-01"}) { nodes { id } } }', "INVALID_DATE"),
        ('{ groups(filter: {startDate: {onOrBefore: "soon"}}) { nodes { id } } }', "INVALID_DATE"),
        ('{ groups(filter: {meta: {created: {after: "2026-02-01T10:00:00"}}}) { nodes { id } } }', "INVALID_DATE"),
        ("{ groups(filter: null) { nodes { id } } }", "INVALID_FILTER"),
        ("{ groups(filter: {groupType: null}) { nodes { id } } }", "INVALID_FILTER"),
        ("{ groups(filter: {endDate: {onOrAfter: null}}) { nodes { id } } }", "INVALID_FILTER"),
        ("{ groups(filter: {meta: null}) { nodes { id } } }", "INVALID_FILTER"),
        ("{ groups(filter: {groupType: [UNRECOGNISED]}) { nodes { id } } }", "INVALID_FILTER"),
        ("{ calendarEvents { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ aggregatedAttendances(startDate: "2026-01-01") { nodes { id } } }', "GRAPHQL_VALIDATION_FAILED"),
        (f'{{ person(id: "{PERSONS[0]}") {{ absences {{ id }} }} }}', "GRAPHQL_VALIDATION_FAILED"),
        (
            "{ persons(filter: {relationship: {entityType: PLACEMENT_CHILD}}) { nodes { id } } }",
            "FILTER_NOT_ANSWERABLE",
        ),
        ('{ groups(filter: {presentIn: ["nowhere"]}) { nodes { id } } }', "UNKNOWN_SOURCE"),
        ("{ groups(filter: {subtree: null}) { nodes { id } } }", "INVALID_FILTER"),
        ("{ groups(filter: {activeOn: null}) { nodes { id } } }", "INVALID_FILTER"),
    ],
)
def test_a_mistake_is_one_clear_error_and_no_call(query: str, code: str) -> None:
    error = refused(open_(), query)
    assert error["extensions"]["code"] == code
    assert error["message"]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("query($v: [GroupType!]) { groups(filter: {groupType: $v}) { nodes { id } } }", {"v": None}, "INVALID_FILTER"),
        ("query($v: GroupFilter) { groups(filter: $v) { nodes { id } } }", {"v": {"endDate": None}}, "INVALID_FILTER"),
        ("query($v: Date) { groups(on: $v) { nodes { id } } }", {"v": "2026-13-01"}, "INVALID_DATE"),
        ("query($v: ID!) { group(id: $v) { id } }", {"v": "19121212-1212"}, "INVALID_ID"),
        ("query($v: Int!) { groups(first: $v) { nodes { id } } }", {"v": 0}, "FIRST_OUT_OF_RANGE"),
    ],
)
def test_a_mistake_in_a_variable_is_one_clear_error_without_the_value(
    query: str, variables: dict[str, Any], code: str
) -> None:
    error = refused(open_(), query, variables)
    assert error["extensions"]["code"] == code
    assert str(variables["v"]) not in error["message"].replace("null", "None") or variables["v"] in (None, 0)


def test_a_variable_that_is_not_given_is_no_filter() -> None:
    query = "query($v: [GroupType!]) { groups(filter: {groupType: $v}) { nodes { id } } }"
    assert len(answer(open_(), query)["data"]["groups"]["nodes"]) == 5


def test_a_window_that_is_open_is_refused_before_its_list_is_asked_for() -> None:
    world = two_sources()
    sources = {"sis": {**world.sources["sis"], "Activity": [], "CalendarEvent": []}}
    over = open_(replace(world, sources=sources))
    query = f'{{ duty(id: "{DUTIES[0]}") {{ teacherExceptions(during: {{from: "2026-01-01"}}) {{ participates }} }} }}'
    body = answer(over, query, errors=True)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INVALID_DATE"]
    assert "CalendarEvent" not in {call.resource for call in calls(over)}


def test_what_other_records_show_is_answered_whoever_has_them() -> None:
    query = "{ persons(filter: {relationship: {entityType: DUTY}}) { nodes { id } } }"
    assert answer(open_(), query)["data"]["persons"]["nodes"] == [{"id": PERSONS[0]}]


@pytest.mark.parametrize(("declared", "alone"), [("exact", True), ("superset", False), (None, False)])
def test_one_source_is_only_trusted_with_it_if_its_profile_says_so(declared: str | None, alone: bool) -> None:
    """It then serves everything that decides, and is asked once; otherwise the gateway looks at the duties itself."""
    filters = {"Person": {"*": Filter(declared)}} if declared else {}
    world = two_sources(sources={"sis": two_sources().sources["sis"]})
    over = federation(world, fakes(world, filters=filters))
    query = "{ persons(filter: {relationship: {entityType: DUTY}}) { nodes { id } } }"
    assert answer(over, query)["data"]["persons"]["nodes"] == [{"id": PERSONS[0]}]
    assert ({call.resource for call in calls(over)} == {"Person"}) is alone


def test_more_candidates_than_allowed_is_an_error_not_a_shorter_list() -> None:
    over = open_(limits=Limits(max_candidates=4))
    body = answer(over, "{ groups(orderBy: [DISPLAY_NAME_ASC]) { nodes { id } } }", errors=True)
    assert body["data"] == {"groups": None}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["TOO_MANY_CANDIDATES"]


# What is not there


def test_an_unknown_id_is_null_and_no_error() -> None:
    query = f'{{ group(id: "{NOWHERE}") {{ id displayName }} groupsByIds(ids: ["{NOWHERE}"]) {{ id }} }}'
    body = answer(open_(), query)
    assert body["data"] == {"group": None, "groupsByIds": [None]}
    assert body["extensions"]["completeness"] == {"complete": True, "gaps": []}


def test_an_id_may_be_written_in_capitals_and_braces() -> None:
    query = f'{{ group(id: "{{{MANY_GROUPS[0].upper()}}}") {{ id }} }}'
    assert answer(open_(), query)["data"] == {"group": {"id": MANY_GROUPS[0]}}


def test_an_empty_list_in_a_filter_selects_nothing() -> None:
    over = open_()
    query = """{ groups(filter: {groupType: []}) { nodes { id } complete pageInfo { hasNextPage } }
                 ordered: groups(filter: {organisation: []}, orderBy: [DISPLAY_NAME_ASC]) { nodes { id } }
                 persons(filter: {nameContains: []}) { nodes { id } } }"""
    assert answer(over, query)["data"] == {
        "groups": {"nodes": [], "complete": True, "pageInfo": {"hasNextPage": False}},
        "ordered": {"nodes": []},
        "persons": {"nodes": []},
    }
    assert not calls(over)


def test_an_empty_list_in_a_nested_filter_selects_nothing() -> None:
    organisation = [Record(id=ORGANISATIONS[0])]
    groups = [Record(id=GROUPS[0], organisation={"id": ORGANISATIONS[0]}, groupType="Klass")]
    over = open_(World({"sis": {"Organisation": organisation, "Group": groups}}))
    query = f"""{{ organisation(id: "{ORGANISATIONS[0]}") {{
        none: groups(filter: {{groupType: []}}) {{ id }} some: groups(filter: {{groupType: [KLASS]}}) {{ id }} }} }}"""
    assert answer(over, query)["data"]["organisation"] == {"none": [], "some": [{"id": GROUPS[0]}]}


# Gaps


def gap(code: str = "SOURCE_UNAVAILABLE", *, retryable: bool = True) -> dict[str, Any]:
    return {"source": "lms", "resource": "Group", "code": code, "retryable": retryable}


@pytest.mark.parametrize("order", ["", "(orderBy: [DISPLAY_NAME_ASC])"], ids=["unordered", "ordered"])
def test_a_source_that_fails_is_one_gap_and_the_others_records_are_there(order: str) -> None:
    over = open_()
    over.sources["lms"].fail()  # type: ignore[attr-defined]
    query = f"""{{ groups{order} {{ nodes {{ id displayName }} complete pageInfo {{ hasNextPage }}
                                    gaps {{ source resource code retryable }} }} }}"""
    body = answer(over, query, errors=True)
    listed = body["data"]["groups"]
    assert sorted(node["displayName"] for node in listed["nodes"]) == ["A", "B", "C"]
    assert listed["complete"] is False
    assert listed["pageInfo"]["hasNextPage"] is True  # that nothing follows is not proven
    assert listed["gaps"] == [gap()]
    told = {"source": "lms", "code": "SOURCE_UNAVAILABLE", "resources": ["Group"], "retryable": True}
    assert body["extensions"]["completeness"] == {"complete": False, "gaps": [told]}
    assert [error["extensions"] for error in body["errors"]] == [told]
    assert "path" not in body["errors"][0]


@pytest.mark.parametrize("order", ["", "(orderBy: [DISPLAY_NAME_ASC])"], ids=["unordered", "ordered"])
def test_what_a_source_gave_before_it_broke_off_is_there(order: str) -> None:
    over = open_()
    for op in ("page", "walk"):
        over.sources["lms"].fail(FaultCode.SOURCE_TIMEOUT, op=op, after_pages=1)  # type: ignore[attr-defined]
    query = f"{{ groups{order} {{ nodes {{ displayName }} complete gaps {{ source resource code retryable }} }} }}"
    listed = answer(over, query, errors=True)["data"]["groups"]
    assert sorted(node["displayName"] for node in listed["nodes"]) == ["A", "B", "C", "E"]
    assert (listed["complete"], listed["gaps"]) == (False, [gap("SOURCE_TIMEOUT")])


def test_a_null_because_of_a_gap_says_where() -> None:
    over = open_()
    over.sources["lms"].fail(FaultCode.SOURCE_FORBIDDEN)  # type: ignore[attr-defined]
    body = answer(over, f'{{ gone: group(id: "{MANY_GROUPS[3]}") {{ id }} }}', errors=True)
    assert body["data"] == {"gone": None}
    (error,) = body["errors"]
    assert error["path"] == ["gone"]
    assert error["extensions"] == {
        "source": "lms", "code": "SOURCE_FORBIDDEN", "resources": ["Group"], "retryable": False
    }  # fmt: skip


def test_a_source_that_is_not_heard_is_no_gap() -> None:
    decisions = {"Group": Decisions(exists=("sis",), fields={"displayName": ("sis",)})}
    over = open_(two_sources(decisions=decisions))
    over.sources["lms"].fail()  # type: ignore[attr-defined]
    data = answer(over, "{ groups { nodes { displayName } complete } }")["data"]
    assert data["groups"] == {"nodes": [{"displayName": name} for name in "CAB"], "complete": True}


def test_a_resource_that_nobody_serves_is_null_with_a_notice() -> None:
    over = open_()
    body = answer(over, f'{{ rooms {{ nodes {{ id }} }} room(id: "{NOWHERE}") {{ id }} }}')
    assert body["data"] == {"rooms": None, "room": None}
    assert [(each["code"], each["resource"]) for each in body["extensions"]["notices"]] == [("NOT_SERVED", "Room")]
    assert not calls(over)


def emptied(world: World, name: str) -> World:
    """The same huvudman, and the source has no records."""
    sources = {each: served if each != name else dict.fromkeys(served, ()) for each, served in world.sources.items()}
    return replace(world, sources=sources)


@settings(thorough, max_examples=200)
@given(
    worlds("Person", columns={"Person": ("meta", "givenName", "familyName", "securityMarking", "emails")}),
    st.integers(0, 3),
    st.booleans(),
)
def test_with_a_source_stopped_the_answer_is_that_of_the_others(world: World, stopped: int, ordered: bool) -> None:
    name = list(world.sources)[stopped % len(world.sources)]
    arguments = "(orderBy: [DISPLAY_NAME_ASC])" if ordered else ""
    query = f"""query($ids: [ID!]!) {{
        persons{arguments} {{ nodes {{ id displayName emails {{ value typeText }} meta {{ modified }} }} }}
        personsByIds(ids: $ids) {{ id securityMarkingText provenance {{ sources {{ name }} }} }} }}"""
    over = federation(world, fakes(world))
    over.sources[name].fail()  # type: ignore[attr-defined]
    without = emptied(world, name)
    body = answer(over, query, {"ids": PERSONS}, errors=True)
    assert body["data"] == answer(federation(without, fakes(without)), query, {"ids": PERSONS})["data"]
    gaps: Sequence[Any] = body["extensions"]["completeness"]["gaps"]
    assert [(each["source"], each["code"]) for each in gaps] == [(name, "SOURCE_UNAVAILABLE")]
