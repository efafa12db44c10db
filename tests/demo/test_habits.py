"""Each habit of a demonstration server by itself: asked without a gateway, in plain HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from sources.capabilities import Arrays, Filter
from sources.demo.api import Api
from sources.demo.credentials import Open
from sources.demo.habits import CivicNo, Habits, LastToken, ListKey, Pages, Trouble, Unknown, declared, swapped
from sources.demo.store import Store
from sources.demo.world import Deleted

from .conftest import Asked


def uid(kind: str, number: int) -> str:
    return f"{ord(kind):08x}-0000-4000-8000-{number:012x}"


META = {"created": "2025-06-01T08:00:00+02:00", "modified": "2026-01-10T08:00:00+01:00"}


def person(number: int, **more: object) -> dict[str, object]:
    return {"id": uid("p", number), "meta": META, "givenName": f"P{number}", "familyName": "Ek"} | more


def ref(kind: str, number: int) -> dict[str, str]:
    return {"id": uid(kind, number)}


ORGANISATIONS = [
    {"id": uid("o", 1), "meta": META, "displayName": "Björkåsa", "organisationType": "Huvudman"},
    {"id": uid("o", 2), "meta": META, "displayName": "Åskolan", "organisationType": "Skola",
     "parentOrganisation": ref("o", 1)},
    {"id": uid("o", 3), "meta": META, "displayName": "Åskolan 1", "organisationType": "Skolenhet",
     "parentOrganisation": ref("o", 2)},
]  # fmt: skip
PERSONS = [person(n) for n in range(1, 6)]
GROUPS = [
    {"id": uid("g", 1), "meta": META, "displayName": "7A", "groupType": "Klass", "startDate": "2025-07-01",
     "organisation": ref("o", 3), "groupMemberships": [{"person": ref("p", 1), "startDate": "2025-07-01"}]},
    {"id": uid("g", 2), "meta": META, "displayName": "MA", "groupType": "Undervisning", "startDate": "2025-07-01",
     "organisation": ref("o", 3), "groupMemberships": [{"person": ref("p", 1), "startDate": "2025-07-01"}]},
]  # fmt: skip
DUTIES = [
    {"id": uid("d", 1), "meta": META, "person": ref("p", 5), "dutyAt": ref("o", 3), "dutyRole": "Kurator",
     "startDate": "2020-01-01"}
]  # fmt: skip
EVENTS = [
    {"id": uid("e", n), "meta": META, "activity": ref("a", 1), "startTime": f"2026-03-{n:02d}T08:00:00+01:00",
     "endTime": f"2026-03-{n:02d}T09:00:00+01:00"}
    for n in range(1, 6)
]  # fmt: skip
ACTIVITIES = [
    {"id": uid("a", 1), "meta": META, "displayName": "Matematik", "groups": [ref("g", 2)],
     "teachers": [{"duty": ref("d", 1), "startDate": "2025-07-01"}], "organisation": ref("o", 3),
     "parentActivity": ref("a", 9)}
]  # fmt: skip
RECORDS = {
    "Organisation": ORGANISATIONS, "Person": PERSONS, "Group": GROUPS, "Duty": DUTIES, "CalendarEvent": EVENTS,
    "Activity": ACTIVITIES,
}  # fmt: skip
WINDOW = [("startTime.onOrAfter", "2026-03-02T00:00:00Z"), ("startTime.onOrBefore", "2026-03-05T00:00:00Z")]


def server(records: Any = None, *, page_size: int = 2, deleted: Any = (), **habits: Any) -> Asked:
    """A server with these habits over a few records (those of ``RECORDS``, or others in their place)."""
    store = Store({**RECORDS, **(records or {})})
    return Asked("habits", Api(store, deleted, Open(), page_size, Habits(**habits)))


def names(page: Any) -> list[str]:
    return [each["givenName"] for each in page]


async def status(asked: Asked, path: str, params: Any = None, body: Any = None) -> int:
    return (await asked.raw(path, params, body)).status_code


async def token_of(asked: Asked, path: str = "/persons", params: Any = ()) -> str:
    return str((await asked.one(path, list(params)))["pageToken"])


# Pages


async def test_without_habits_it_is_the_standard() -> None:
    asked = server()
    assert names(await asked.walk("/persons")) == ["P1", "P2", "P3", "P4", "P5"]
    token = await token_of(asked)
    assert await status(asked, "/persons", {"pageToken": token, "limit": "1"}) == 200
    assert await status(asked, "/persons", {"pageToken": token, "nameContains": "P"}) == 400
    assert await status(asked, "/persons", {"offset": "2"}) == 400


async def test_a_tolerant_server_passes_over_what_stands_beside_a_token() -> None:
    asked = server(paging=Pages.TOLERANT)
    token = await token_of(asked)
    page = await asked.one("/persons", {"pageToken": token, "nameContains": "P1"})
    assert names(page["data"]) == ["P3", "P4"]


async def test_a_bound_token_takes_only_the_first_requests_parameters_again() -> None:
    asked = server(paging=Pages.BOUND)
    query = [*WINDOW, ("sortkey", "StartTimeDesc")]
    token = ("pageToken", await token_of(asked, "/calendarEvents", query))
    whole = [e["id"] for e in (await asked.one("/calendarEvents", [token]))["data"]]
    for same in (query, WINDOW, WINDOW[:1]):
        again = await asked.one("/calendarEvents", [token, *same])
        assert [e["id"] for e in again["data"]] == whole
    for other in ([("organisation", uid("o", 1))], [("startTime.onOrAfter", "2026-03-03T00:00:00Z")],
                  [*WINDOW, ("sortkey", "StartTimeAsc")]):  # fmt: skip
        assert await status(asked, "/calendarEvents", [token, *other]) == 400


async def test_an_offset_token_forgets_the_filters() -> None:
    asked = server(paging=Pages.OFFSET_TOKENS, page_size=1)
    query = [("nameContains", "P"), ("nameContains", "5")]
    assert names((await asked.one("/persons", query))["data"]) == ["P5"]
    first = await asked.one("/persons", [("nameContains", "P")])
    assert first["pageToken"] == "1"
    assert names((await asked.one("/persons", {"pageToken": "4"}))["data"]) == ["P5"]
    assert (await asked.one("/persons", [*query, ("pageToken", "1")]))["data"] == []
    assert await status(asked, "/calendarEvents", {"pageToken": "1"}) == 400
    assert await status(asked, "/persons", {"pageToken": "-1"}) == 400


async def test_limit_and_offset_until_a_page_is_empty() -> None:
    asked = server(paging=Pages.OFFSET, list_key=ListKey.BARE)
    pages = [names(await asked.one("/persons", {"limit": "2", "offset": str(n)})) for n in (0, 2, 4, 6)]
    assert pages == [["P1", "P2"], ["P3", "P4"], ["P5"], []]
    assert await status(asked, "/persons", {"pageToken": "2"}) == 400


@pytest.mark.parametrize("unknown", Unknown)
async def test_no_paging_at_all(unknown: Unknown) -> None:
    asked = server(paging=Pages.NONE, unknown_parameters=unknown)
    page = await asked.one("/persons")
    assert names(page["data"]) == ["P1", "P2", "P3", "P4", "P5"]
    assert "pageToken" not in page
    assert await status(asked, "/persons", {"limit": "1"}) == (400 if unknown is Unknown.REFUSED else 200)


async def test_the_window_may_be_required_beside_a_token() -> None:
    asked = server(window_with_token=True)
    token = ("pageToken", await token_of(asked, "/calendarEvents", WINDOW))
    assert await status(asked, "/calendarEvents", [token]) == 400
    assert await status(asked, "/calendarEvents", [token, *WINDOW]) == 200
    assert await status(asked, "/calendarEvents", [token, *WINDOW, ("sortkey", "StartTimeAsc")]) == 400


@pytest.mark.parametrize(
    ("last", "end"),
    [(LastToken.NULL, {"pageToken": None}), (LastToken.ABSENT, {}), (LastToken.EMPTY, {"pageToken": ""})],
)
async def test_the_last_page_says_so_in_several_ways(last: LastToken, end: dict[str, object]) -> None:
    page = await server(last_token=last, page_size=9).one("/persons")
    page.pop("data")
    assert page == end


async def test_an_empty_page_may_end_the_list() -> None:
    asked = server(empty_last_page=True, page_size=5)
    first = await asked.one("/persons")
    assert len(first["data"]) == 5
    last = await asked.one("/persons", {"pageToken": first["pageToken"]})
    assert last == {"data": [], "pageToken": None}


async def test_records_stand_under_the_plural_or_bare() -> None:
    page = await server(list_key=ListKey.PLURAL).one("/persons")
    assert (names(page["persons"]), bool(page["pageToken"])) == (["P1", "P2"], True)
    assert len(await server(list_key=ListKey.BARE).one("/persons")) == 5


async def test_page_sizes() -> None:
    asked = server(page_size=4, usual_page=1)
    assert len((await asked.one("/persons"))["data"]) == 1
    assert len((await asked.one("/persons", {"limit": "9"}))["data"]) == 4
    assert await status(server(page_size=4, large_limit=Unknown.REFUSED), "/persons", {"limit": "5"}) == 400


async def test_a_list_that_changes_under_the_walk_kills_its_tokens() -> None:
    asked = server(stale=1, stale_page=3)
    second = await token_of(asked)
    third = (await asked.one("/persons", {"pageToken": second}))["pageToken"]
    assert await status(asked, "/persons", {"pageToken": third}) == 410
    assert await status(asked, "/persons", {"pageToken": second}) == 410
    assert len(await asked.walk("/persons")) == 5


async def test_a_token_may_repeat_without_end() -> None:
    asked = server(endless=frozenset({"Person"}))
    second = await token_of(asked)
    assert (await asked.one("/persons", {"pageToken": second}))["pageToken"] == second
    assert len(await asked.walk("/calendarEvents", WINDOW)) == 3


# Parameters


async def test_filters_are_exact_loose_ignored_or_refused() -> None:
    query = {"groupType": "Klass"}

    async def found(kind: Filter) -> list[str]:
        many = [GROUPS[0] | {"id": uid("g", n), "groupType": ("Klass", "Övrigt")[n % 2]} for n in range(8)]
        filters = {"Group": {"groupType": kind}}
        return [
            g["id"] for g in (await server({"Group": many}, page_size=9, filters=filters).one("/groups", query))["data"]
        ]

    exact, loose, ignored = [await found(kind) for kind in (Filter.EXACT, Filter.SUPERSET, Filter.IGNORED)]
    assert (len(exact), len(ignored)) == (4, 8)
    assert set(exact) < set(loose) < set(ignored)
    assert await status(server(filters={"Group": {"groupType": Filter.REFUSED}}), "/groups", query) == 400
    assert await status(server(filters={"Group": {"*": Filter.REFUSED}}), "/groups", query) == 400
    kinds = {"Group": {"*": Filter.IGNORED, "groupType": Filter.EXACT}}
    both = await server(filters=kinds).one("/groups", query | {"organisation": uid("o", 7)})
    assert [g["displayName"] for g in both["data"]] == ["7A"]


async def test_an_ignored_window_is_required_all_the_same() -> None:
    asked = server(page_size=9, filters={"CalendarEvent": {"*": Filter.IGNORED}})
    assert len((await asked.one("/calendarEvents", WINDOW))["data"]) == 5
    assert await status(asked, "/calendarEvents") == 400
    assert await status(server(filters={"CalendarEvent": {"*": Filter.REFUSED}}), "/calendarEvents", WINDOW) == 200


async def test_what_it_does_not_know_is_passed_over() -> None:
    asked = server(
        unknown_parameters=Unknown.IGNORED, unknown_expands=Unknown.IGNORED, unknown_sort_keys=Unknown.IGNORED
    )
    query = {"shoeSize": "44", "expand": "friends", "sortkey": "ShoeSizeAsc"}
    assert (await asked.one("/persons", query))["data"] == (await asked.one("/persons"))["data"]


async def test_sort_keys_and_expands_that_are_the_standards_but_not_this_servers() -> None:
    known: dict[str, Any] = {"sort_keys": {"Person": frozenset()}, "expand": {"Person": frozenset({"duties"})}}
    for query in ({"sortkey": "GivenNameDesc"}, {"expand": "groupMemberships"}):
        assert await status(server(**known), "/persons", query) == 400
    passing = server(**known, unknown_sort_keys=Unknown.IGNORED, unknown_expands=Unknown.IGNORED)
    page = await passing.one(
        "/persons", [("sortkey", "GivenNameDesc"), ("expand", "groupMemberships"), ("expand", "duties")]
    )
    assert names(page["data"]) == ["P1", "P2"]
    assert page["data"][0]["_embedded"] == {"duties": []}


async def test_arrays_with_commas_are_read_from_the_first_parameter_alone() -> None:
    asked = server(arrays=Arrays.COMMA)
    both = await asked.one("/groups", {"groupType": "Klass,Undervisning"})
    first = await asked.one("/groups", [("groupType", "Klass"), ("groupType", "Undervisning")])
    assert [g["displayName"] for g in both["data"]] == ["7A", "MA"]
    assert [g["displayName"] for g in first["data"]] == ["7A"]
    assert await status(server(), "/groups", {"groupType": "Klass,Undervisning"}) == 400


async def test_windows_have_a_longest_length() -> None:
    assert await status(server(window_days=3), "/calendarEvents", WINDOW) == 200
    assert await status(server(window_days=2), "/calendarEvents", WINDOW) == 400
    sums = server({"AggregatedAttendance": []}, window_days=2)
    assert await status(sums, "/aggregatedAttendance", {"startDate": "2026-03-01", "endDate": "2026-03-02"}) == 200
    assert await status(sums, "/aggregatedAttendance", {"startDate": "2026-03-01", "endDate": "2026-03-03"}) == 400


async def test_paths_of_its_own() -> None:
    asked = server(paths={"Person": "/persons/", "Group": "/grupper"})
    assert len((await asked.one("/persons/"))["data"]) == 2
    assert await status(asked, "/persons") == 307
    assert (await asked.one(f"/persons/{uid('p', 1)}"))["givenName"] == "P1"
    assert len(await asked.one("/grupper/lookup", body={"ids": [uid("g", 1)]})) == 1
    assert await status(asked, "/groups") == 404


# Lookups


@pytest.mark.parametrize("refusal", [404, 405, 501, 400, 403])
async def test_no_lookup(refusal: int) -> None:
    asked = server(no_lookup=frozenset({"Person"}), no_lookup_status=refusal)
    assert await status(asked, "/persons/lookup", body={"ids": []}) == refusal
    assert await status(asked, "/groups/lookup", body={"ids": []}) == 200


async def test_lookups_that_know_some_arrays_or_take_few_values() -> None:
    asked = server(lookup={"Activity": frozenset({"ids"})}, lookup_max=2)
    assert await status(asked, "/activities/lookup", body={"teachers": [uid("d", 1)]}) == 400
    ids = [uid("p", n) for n in (1, 2, 3)]
    assert len(await asked.one("/persons/lookup", body={"ids": ids[:2]})) == 2
    assert await status(asked, "/persons/lookup", body={"ids": ids}) == 503
    assert await status(server(lookup_max=2, lookup_too_large=400), "/persons/lookup", body={"ids": ids}) == 400


async def test_lookups_that_answer_otherwise() -> None:
    body = {"ids": [uid("p", 1), uid("p", 2)]}
    assert names((await server(lookup_in_data=True).one("/persons/lookup", body=body))["data"]) == ["P1", "P2"]
    assert names(await server(lookup_reversed=True).one("/persons/lookup", body=body)) == ["P2", "P1"]
    everything = server(lookup_of_everything=frozenset({"Person"}))
    assert len(await everything.one("/persons/lookup", body=body)) == 5


# Views


async def test_views_that_carry_less_than_others() -> None:
    asked = server(
        {"Person": [person(5, emails=[], responsibles=[], photo="x")]},
        list_lacks={"Person": frozenset({"emails"})},
        list_only={"Person": frozenset({"responsibles"})},
    )
    here = {"id", "meta", "givenName", "familyName", "photo"}
    listed = (await asked.one("/persons"))["data"][0]
    looked = (await asked.one("/persons/lookup", body={"ids": [uid("p", 5)]}))[0]
    got = await asked.one(f"/persons/{uid('p', 5)}")
    embedded = (await asked.one("/duties", {"expand": "person"}))["data"][0]["_embedded"]["person"]
    assert set(listed) == here | {"responsibles"}
    assert set(looked) == set(got) == here | {"emails"}
    assert set(embedded) == here


async def test_what_nothing_carries() -> None:
    asked = server(no_meta=True, lacks={"Group": frozenset({"startDate", "groupMemberships.startDate"})})
    group = (await asked.one("/groups"))["data"][0]
    assert set(group) == set(GROUPS[0]) - {"meta", "startDate"}
    assert group["groupMemberships"] == [{"person": ref("p", 1)}]


async def test_nulls_and_empty_strings_where_nothing_is() -> None:
    group = (await server(nulls=True).one("/groups"))["data"][0]
    assert {"endDate": None, "schoolType": None}.items() <= group.items()
    assert group["groupMemberships"][0]["endDate"] is None
    assert group["displayName"] == "7A"
    someone = (await server(empty_strings=True).one("/persons"))["data"][0]
    assert (someone["middleName"], someone["givenName"]) == ("", "P1")
    assert "emails" not in someone


async def test_properties_that_nobody_knows() -> None:
    assert set((await server(extras=True).one("/persons"))["data"][0]) == {*PERSONS[0], "groupCode", "x-internal"}


# Spellings


async def test_ids_in_braces_everywhere_and_understood() -> None:
    asked = server(braces=True)
    group = (await asked.one("/groups"))["data"][0]
    braced = f"{{{uid('g', 1).upper()}}}"
    assert group["id"] == braced
    assert group["groupMemberships"][0]["person"]["id"] == f"{{{uid('p', 1).upper()}}}"
    for id in (braced, uid("g", 1)):
        assert (await asked.one(f"/groups/{id}"))["id"] == braced
        assert len(await asked.one("/groups/lookup", body={"ids": [id]})) == 1


async def test_the_other_spellings_of_names_and_values() -> None:
    gone = [Deleted("Activity", uid("a", 3), datetime(2026, 1, 1, tzinfo=UTC))]
    placement = {"id": uid("l", 1), "child": ref("p", 1), "placedAt": ref("o", 3), "reason": "Omsorgsbehov"}
    grade = {"id": uid("b", 1), "organisation": ref("o", 3), "diplomaProject": {"titleEnglish": "Bees"}}
    living = person(1, addresses=[{"type": "Särskild postadress"}, {"type": "Folkbokföring"}])
    records = {"Placement": [placement], "Grade": [grade], "Person": [living]}
    asked = server(records, deleted=gone, other_spellings=True)
    assert (await asked.one("/placements"))["data"][0]["reason"] == "Omsorg"
    sent = (await asked.one("/grades"))["data"][0]
    assert (sent["schoolUnit"], sent["diplomaProject"]) == (ref("o", 3), {"titleEngish": "Bees"})
    kinds = [a["type"] for a in (await asked.one("/persons"))["data"][0]["addresses"]]
    assert kinds == ["Särskildpostadress", "Folkbokföring"]
    assert (await asked.one("/deletedEntities"))["data"] == {"activities": [uid("a", 3)]}


STAY = {"weekOffset": 0, "dayOfWeek": "Måndag", "startTime": "08:30", "endTime": "15:45"}


@pytest.mark.parametrize(
    ("habit", "end"),
    [
        ("length_for_end_time", {"length": 435}),
        ("end_time_as_number", {"endTime": 1545}),
        ("nulls", {"endTime": "15:45"}),
    ],
)
async def test_how_a_stay_ends(habit: str, end: dict[str, object]) -> None:
    schedule = {"id": uid("s", 1), "scheduleEntries": [STAY]}
    asked = server({"AttendanceSchedule": [schedule]}, **{habit: True})
    entry = (await asked.one("/attendanceSchedule"))["data"][0]["scheduleEntries"][0]
    assert entry == {k: v for k, v in STAY.items() if k != "endTime"} | end


async def test_the_half_hour_after_midnight_stays_text() -> None:
    schedule = {"id": uid("s", 1), "scheduleEntries": [STAY | {"endTime": "00:30"}]}
    asked = server({"AttendanceSchedule": [schedule]}, end_time_as_number=True)
    assert (await asked.one("/attendanceSchedule"))["data"][0]["scheduleEntries"][0]["endTime"] == "00:30"


@pytest.mark.parametrize(
    ("zone", "written"), [("UTC", "2026-03-01T07:00:00"), ("Europe/Stockholm", "2026-03-01T08:00:00")]
)
async def test_times_without_a_zone(zone: str, written: str) -> None:
    assert (await server(zone=zone).one(f"/calendarEvents/{uid('e', 1)}"))["startTime"] == written


async def test_dates_integers_and_words() -> None:
    enrolled = person(1, birthDate="2012-05-06", enrolments=[{"schoolYear": 7, "startDate": "2025-07-01"}])
    asked = server(
        {"Person": [enrolled]},
        dates_as_date_times=True, integers_as_text=True, words={"DutyRole": {"Kurator": "Skolkurator"}},
    )  # fmt: skip
    sent = (await asked.one("/persons"))["data"][0]
    assert sent["birthDate"] == "2012-05-06T00:00:00"
    assert sent["enrolments"] == [{"schoolYear": "7", "startDate": "2025-07-01T00:00:00"}]
    assert sent["meta"] == META
    assert (await asked.one("/duties"))["data"][0]["dutyRole"] == "Skolkurator"


async def test_teachers_as_persons_and_parents_as_a_list() -> None:
    activity = (await server(teachers_as_persons=True, parent_activity_as_list=True).one("/activities"))["data"][0]
    assert activity["teachers"] == [{"startDate": "2025-07-01", "person": ref("p", 5)}]
    assert activity["parentActivity"] == [ref("a", 9)]


@pytest.mark.parametrize(
    ("form", "written"),
    [(CivicNo.PLAIN, "201205662387"), (CivicNo.DASHED, "20120566-2387"), (CivicNo.SHORT, "120566-2387")],
)
async def test_civic_numbers_in_several_forms(form: CivicNo, written: str) -> None:
    asked = server({"Person": [person(1, civicNo={"value": "201205662387"})]}, civic_no=form)
    (found,) = await asked.one("/persons/lookup", body={"civicNos": ["201205662387"]})
    assert found["civicNo"]["value"] == written
    if form is CivicNo.SHORT:
        assert found["birthDate"] == "2012-05-06"


async def test_a_byte_order_mark() -> None:
    answer = await server(byte_order_mark=True).raw("/persons")
    assert answer.content.startswith(b"\xef\xbb\xbf{")


async def test_deletions_as_a_list() -> None:
    gone = [Deleted("Person", uid("p", 9), datetime(2026, 1, 1, tzinfo=UTC))]
    page = await server(deleted=gone, deleted_as_list=True).one("/deletedEntities")
    assert page["data"] == [{"entityType": "Person", "id": uid("p", 9), "deletedAt": "2026-01-01T00:00:00+00:00"}]


# Identities and organisations


async def test_own_ids_stand_in_records_references_questions_and_deletions() -> None:
    gone = [Deleted("Person", uid("p", 9), datetime(2026, 1, 1, tzinfo=UTC))]
    asked = server(deleted=gone, own_ids=frozenset({"Person"}), own="hr")
    own = [swapped("hr", "Person", uid("p", n)) for n in range(10)]
    assert own[1] != uid("p", 1) == swapped("hr", "Person", own[1])
    assert own[1] != swapped("lms", "Person", uid("p", 1))
    assert [p["id"] for p in await asked.walk("/persons")] == own[1:6]
    duty = (await asked.one("/duties", [("person", own[5]), ("expand", "person")]))["data"][0]
    assert (duty["id"], duty["person"]["id"]) == (uid("d", 1), own[5])
    assert duty["_embedded"]["person"]["id"] == own[5]
    assert (await asked.one("/duties", {"person": uid("p", 5)}))["data"] == []
    assert (await asked.one(f"/persons/{own[2]}"))["givenName"] == "P2"
    assert await status(asked, f"/persons/{uid('p', 2)}") == 404
    assert names(await asked.one("/persons/lookup", body={"ids": [own[3]]})) == ["P3"]
    members = (await asked.one(f"/persons/{own[1]}", {"expand": "groupMemberships"}))["_embedded"]["groupMemberships"]
    assert [m["group"]["id"] for m in members] == [uid("g", 1), uid("g", 2)]
    assert (await asked.one("/deletedEntities"))["data"] == {"persons": [own[9]]}


async def test_own_ids_in_a_parameter_that_is_typed_as_text() -> None:
    programmes = [{"id": uid("r", 1)}, {"id": uid("r", 2), "parentProgramme": ref("r", 1)}]
    asked = server({"Programme": programmes}, own_ids=frozenset({"Programme"}))
    above, below = (swapped("own", "Programme", uid("r", n)) for n in (1, 2))
    assert [p["id"] for p in (await asked.one("/programmes", {"parentProgramme": above}))["data"]] == [below]


async def test_ids_of_another_server() -> None:
    asked = server(borrowed_ids={"Activity": "schema"})
    schemas = swapped("schema", "Activity", uid("a", 1))
    assert {e["activity"]["id"] for e in (await asked.one("/calendarEvents", WINDOW))["data"]} == {schemas}
    assert len((await asked.one("/calendarEvents", [*WINDOW, ("activity", schemas)]))["data"]) == 2
    assert "own_ids" not in declared(Habits(borrowed_ids={"Activity": "schema"}), ["CalendarEvent"])


async def test_groups_may_be_attached_to_the_school_above() -> None:
    asked = server(organisation_level={"Group": "Skola"})
    assert {g["organisation"]["id"] for g in (await asked.one("/groups"))["data"]} == {uid("o", 2)}
    assert (await asked.one("/groups", {"organisation": uid("o", 3)}))["data"] == []
    assert len((await asked.one("/groups", {"organisation": uid("o", 2)}))["data"]) == 2
    assert (await asked.one("/duties"))["data"][0]["dutyAt"] == ref("o", 3)


async def test_the_top_may_be_its_own_parent() -> None:
    found = await server(own_parents=True).walk("/organisations")
    assert [o["parentOrganisation"] for o in found] == [ref("o", 1), ref("o", 1), ref("o", 2)]
    assert len(await server(own_parents=True).walk("/duties", [("organisation", uid("o", 1))])) == 1


# Troubles


@pytest.mark.parametrize(
    "trouble", [Trouble.UNAVAILABLE, Trouble.TOO_MANY, Trouble.BROKEN, Trouble.UNAUTHENTICATED, Trouble.FORBIDDEN]
)
async def test_statuses_that_say_no(trouble: Trouble) -> None:
    asked = server(troubles={("Person", "lookup"): trouble}, trouble_times=1)
    answer = await asked.raw("/persons/lookup", body={"ids": []})
    assert answer.status_code == trouble.value
    assert ("retry-after" in answer.headers) is (trouble is Trouble.TOO_MANY)
    assert await status(asked, "/persons") == 200
    assert await status(asked, "/persons/lookup", body={"ids": []}) == 200


async def test_bodies_that_are_none() -> None:
    cut = await server(troubles={("*", "*"): Trouble.TRUNCATED}).raw("/persons")
    page = await server(troubles={("Person", "*"): Trouble.NOT_JSON}).raw("/persons")
    for answer in (cut, page):
        assert answer.status_code == 200
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(answer.content)


@pytest.mark.parametrize("key", ListKey)
async def test_things_among_the_records_that_are_none(key: ListKey) -> None:
    answer: Any = await server(page_size=9, list_key=key, troubles={("*", "list"): Trouble.GARBAGE}).one("/persons")
    data = answer if isinstance(answer, list) else answer.get("data") or answer["persons"]
    assert [each for each in data if isinstance(each, dict) and "id" in each] == PERSONS
    assert len(data) == 8


async def test_a_server_that_does_not_answer() -> None:
    asked = server(troubles={("Person", "list"): Trouble.SLOW})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked.raw("/persons"), 0.05)
    assert await status(server(troubles={("Person", "list"): Trouble.SLOW}, slow=0.01), "/persons") == 200


# What a gateway is told


def test_the_standard_needs_no_words() -> None:
    assert declared(Habits(), ["Person", "Organisation"], 100) == {
        "resources": ["organisations", "persons"], "page_size": 100,
    }  # fmt: skip


def test_habits_are_declared_by_the_names_of_the_configuration() -> None:
    habits = Habits(
        paging=Pages.OFFSET_TOKENS, arrays=Arrays.COMMA, filters={"Person": {"*": Filter.IGNORED}},
        expand={"Person": frozenset({"duties"})}, no_lookup=frozenset({"Duty"}), lookup={"Person": frozenset({"ids"})},
        lookup_max=50, list_lacks={"Person": frozenset({"emails"})}, list_only={"Person": frozenset({"responsibles"})},
        nulls=True, own_ids=frozenset({"Person", "Duty"}), organisation_level={"Group": "Skola"}, window_days=400,
        zone="UTC", paths={"Person": "/persons/"},
    )  # fmt: skip
    assert declared(habits, ["Group", "Duty", "Person"], 25) == {
        "resources": ["persons", "duties", "groups"], "endpoints": {"persons": "/persons/"},
        "paging": "token_with_filters", "arrays": "comma", "filters": {"persons": {"*": "ignored"}},
        "expand": {"persons": ["duties"]}, "no_lookup": ["duties"], "lookup": {"persons": ["ids"]},
        "list_lacks": {"persons": ["emails"]}, "list_only": {"persons": ["responsibles"]}, "null_is_absent": True,
        "own_ids": ["persons", "duties"], "organisation_level": {"groups": "Skola"}, "window_days": 400,
        "lookup_chunk": 50, "timezone": "UTC", "page_size": 25,
    }  # fmt: skip
    assert set(declared(habits, ["Duty"], 25)) == {
        "resources", "paging", "arrays", "no_lookup", "null_is_absent", "own_ids", "window_days", "lookup_chunk",
        "timezone", "page_size",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("habits", "paging"),
    [
        (Habits(paging=Pages.TOLERANT), None), (Habits(paging=Pages.BOUND), None),
        (Habits(window_with_token=True), "token_with_window"), (Habits(paging=Pages.OFFSET), "offset"),
        (Habits(paging=Pages.NONE), "none"),
    ],
)  # fmt: skip
def test_the_kind_of_paging_is_declared(habits: Habits, paging: str | None) -> None:
    assert declared(habits, ["Person"], 25).get("paging") == paging
    assert ("page_size" in declared(habits, ["Person"], 25)) is (paging != "none")
