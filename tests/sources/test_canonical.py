"""From a source's spelling to the canonical one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.canonical import (
    read_boolean,
    read_date,
    read_date_time,
    read_id,
    read_integer,
    read_time,
    reader,
)
from sources.standard import RESOURCES
from sources.standard.model import Enumeration

ZONE = ZoneInfo("Europe/Stockholm")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text().map("canary{}".format),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def canonical(resource: str, **record: Any) -> dict[str, Any]:
    found = reader(resource, "Europe/Stockholm")({"id": "1", **record})
    assert found is not None
    return {name: value for name, value in found[0].items() if name != "id"}


def issues(resource: str, **record: Any) -> tuple[str, ...]:
    found = reader(resource, "Europe/Stockholm")({"id": "1", **record})
    assert found is not None
    return found[1]


class TestIds:
    @pytest.mark.parametrize(
        ("sent", "meant"),
        [
            ("{EF97F8DE-0000-1111-2222-333344445555}", "ef97f8de-0000-1111-2222-333344445555"),
            (" abc ", "abc"),
            ("42", "42"),
            ("x" * 255, "x" * 255),
        ],
    )
    def test_any_id_is_read_in_lower_case_without_braces(self, sent: str, meant: str) -> None:
        assert read_id(sent) == meant

    @pytest.mark.parametrize("sent", ["", "  ", "{}", None, 42, ["a"], "x" * 256, "a\nb", "a\x00"])
    def test_what_is_no_id_is_not_read(self, sent: object) -> None:
        assert read_id(sent) is None

    @given(st.text(max_size=300))
    def test_a_canonical_id_stays_as_it_is(self, text: str) -> None:
        once = read_id(text)
        assert once is None or read_id(once) == once

    @given(st.uuids())
    def test_every_spelling_of_a_uuid_is_one_id(self, identity: Any) -> None:
        assert {read_id(f(str(identity))) for f in (str, str.upper, lambda t: f"{{{t}}}")} == {str(identity)}

    def test_a_reference_without_a_usable_id_counts_as_absent(self) -> None:
        assert canonical("Group", organisation={"displayName": "A school"}) == {}
        assert issues("Group", organisation={"id": ""}) == ("organisation.id: expected an id",)

    def test_a_reference_keeps_name_and_marking(self) -> None:
        sent = {"id": "{A}", "displayName": "N", "securityMarking": "Ingen", "more": 1}
        assert canonical("Duty", person=sent) == {"person": {"id": "a", "displayName": "N", "securityMarking": "Ingen"}}

    def test_a_marking_that_cannot_be_read_is_not_taken_for_none(self) -> None:
        assert canonical("Duty", person={"id": "a", "securityMarking": True})["person"]["securityMarking"] == ""
        assert canonical("Person", securityMarking=["x"]) == {"securityMarking": ""}


class TestDateTimes:
    @pytest.mark.parametrize(
        ("sent", "meant"),
        [
            ("2026-11-23T03:17:29.41", "2026-11-23T03:17:29.41+01:00"),
            ("2026-07-01T03:17:29", "2026-07-01T03:17:29+02:00"),
            ("2026-11-23T03:17:29Z", "2026-11-23T03:17:29Z"),
            ("2026-11-23t03:17:29.123456789z", "2026-11-23T03:17:29.123456789Z"),
            ("2026-11-23T03:17:29+0100", "2026-11-23T03:17:29+01:00"),
            ("2026-11-23T03:17:29-05", "2026-11-23T03:17:29-05:00"),
            ("2026-11-23 03:17", "2026-11-23T03:17:00+01:00"),
            ("2026-11-23", "2026-11-23T00:00:00+01:00"),
            ("0001-01-01T00:00:00", "0001-01-01T00:00:00+00:53"),
        ],
    )
    def test_they_are_rfc_3339_with_an_offset(self, sent: str, meant: str) -> None:
        zone = ZoneInfo("Europe/Berlin") if sent.startswith("0001") else ZONE
        assert read_date_time(sent, zone) == meant

    @pytest.mark.parametrize(
        "sent",
        ["", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00", "20261123T031729Z", "2026-W47-1T00:00:00Z",
         "2026-11-23T25:00:00", "2026-11-23T03:17:29+99:00", "２０２６-11-23T03:17:29Z", 20261123, None, {}],
    )  # fmt: skip
    def test_garbage_is_left_out(self, sent: object) -> None:
        assert read_date_time(sent, ZONE) is None

    def test_garbage_is_noted_without_its_value(self) -> None:
        sent = {"created": "canary", "modified": "2026-11-23T03:17:29Z"}
        assert canonical("Group", meta=sent) == {"meta": {"modified": "2026-11-23T03:17:29Z"}}
        assert issues("Group", meta=sent) == ("meta.created: expected a date-time",)

    @given(st.datetimes(), st.sampled_from(["", "Z", "+02:00", "-11:30"]), st.sampled_from("T "))
    def test_an_instant_is_never_changed(self, moment: datetime, zone: str, between: str) -> None:
        read = read_date_time(moment.isoformat(sep=between) + zone, ZONE)
        assert read is not None
        expected = moment.replace(tzinfo=ZONE) if not zone else datetime.fromisoformat(moment.isoformat() + zone)
        found = datetime.fromisoformat(read)
        assert found.replace(tzinfo=None) == moment
        assert abs((found.utcoffset() or timedelta()) - (expected.utcoffset() or timedelta())) < timedelta(minutes=1)
        assert read_date_time(read, ZoneInfo("UTC")) == read

    @given(st.text(alphabet="0123456789-:TZ+. ", max_size=30))
    def test_whatever_is_read_is_a_date_time(self, text: str) -> None:
        read = read_date_time(text, ZONE)
        if read is not None:
            assert datetime.fromisoformat(read).utcoffset() is not None


class TestDates:
    @pytest.mark.parametrize(
        ("sent", "meant"),
        [
            ("2024-08-15", "2024-08-15"),
            ("2024-08-15T00:00:00", "2024-08-15"),
            ("2024-08-15T00:00:00.000Z", "2024-08-15"),
            ("2024-08-15T00:00:00+02:00", "2024-08-15"),
            ("2024-08-14T22:00:00Z", "2024-08-15"),
            ("2024-08-15T13:00:00", "2024-08-15"),
        ],
    )
    def test_a_date_is_a_local_day(self, sent: str, meant: str) -> None:
        assert read_date(sent, ZONE) == meant

    @pytest.mark.parametrize("sent", ["", "2024-W33-4", "2024-02-30", "20240815", "15/8/2024", 20240815, None])
    def test_garbage_is_left_out(self, sent: object) -> None:
        assert read_date(sent, ZONE) is None

    @given(st.dates())
    def test_every_date_is_read_as_itself(self, day: Any) -> None:
        assert read_date(day.isoformat(), ZONE) == day.isoformat() == read_date(f"{day}T00:00:00", ZONE)


class TestNumbersTimesAndBooleans:
    @pytest.mark.parametrize(("sent", "meant"), [(15, 15), ("15", 15), (15.0, 15), ("-3", -3), (" 7 ", 7)])
    def test_integers(self, sent: object, meant: int) -> None:
        assert read_integer(sent) == meant
        assert type(read_integer(sent)) is int

    @pytest.mark.parametrize("sent", [True, 15.5, "15.5", "", "x", 1e300, 2**53, None, [15], "٣"])
    def test_what_is_no_integer(self, sent: object) -> None:
        assert read_integer(sent) is None

    @pytest.mark.parametrize(("sent", "meant"), [(True, True), (False, False), ("true", True), ("False", False)])
    def test_booleans(self, sent: object, meant: bool) -> None:
        assert read_boolean(sent) is meant

    @pytest.mark.parametrize("sent", [0, 1, "yes", "1", "", None, [True]])
    def test_what_is_no_boolean(self, sent: object) -> None:
        assert read_boolean(sent) is None

    @pytest.mark.parametrize(
        ("sent", "meant"),
        [("15:30", "15:30"), ("8:05", "08:05"), ("08:05:00", "08:05"), (930, "09:30"), (1530, "15:30"),
         ("0930", "09:30"), (0, "00:00"), ("24:00", "24:00")],
    )  # fmt: skip
    def test_times(self, sent: object, meant: str) -> None:
        assert read_time(sent) == meant

    @pytest.mark.parametrize("sent", ["", "25:00", "24:01", "12:60", 1, 15, 1260, -930, 2401, "noon", None, True])
    def test_what_is_no_time(self, sent: object) -> None:
        assert read_time(sent) is None


class TestStructures:
    def test_another_type_is_left_out_and_noted(self) -> None:
        assert canonical("Person", emails={"value": "a@b.se"}, givenName=3) == {}
        assert issues("Person", emails={"value": "a@b.se"}, givenName=3) == (
            "emails: expected a list",
            "givenName: expected a string",
        )

    def test_a_bad_entry_of_a_list_costs_only_itself(self) -> None:
        sent = [{"value": "a@b.se", "type": 1}, "x", None, {"value": "c@d.se"}]
        assert canonical("Person", emails=sent) == {"emails": [{"value": "a@b.se"}, {"value": "c@d.se"}]}
        assert issues("Person", emails=sent) == (
            "emails.type: expected a string",
            "emails: expected an object",
            "emails: expected no null in the list",
        )

    def test_null_stays_absent_stays_absent_and_the_unknown_is_dropped(self) -> None:
        assert canonical("Group", endDate=None, groupCode="x", _embedded={}) == {"endDate": None}

    def test_one_object_in_a_list_is_that_object(self) -> None:
        assert canonical("Activity", parentActivity=[{"id": "A"}]) == {"parentActivity": {"id": "a"}}

    @pytest.mark.parametrize("sent", [[], [None], [{"id": "a"}, {"id": "b"}]])
    def test_any_other_list_is_not(self, sent: object) -> None:
        assert canonical("Activity", parentActivity=sent) == {}
        assert issues("Activity", parentActivity=sent) == ("parentActivity: expected a reference",)

    def test_names_of_2_0_and_misprints_are_read(self) -> None:
        assert canonical("AttendanceSchedule", scheduleDays=[]) == {"scheduleEntries": []}
        assert canonical("Grade", schoolUnit={"id": "A"}) == {"organisation": {"id": "a"}}

    def test_the_proper_name_wins(self) -> None:
        assert canonical("Grade", schoolUnit={"id": "A"}, organisation={"id": "B"}) == {"organisation": {"id": "b"}}
        assert canonical("Grade", schoolUnit={"id": "A"}, organisation=None) == {"organisation": None}

    @pytest.mark.parametrize(
        ("sent", "end"),
        [
            ({"startTime": "08:30", "endTime": "15:30"}, "15:30"),
            ({"startTime": "08:30", "endTime": 930}, "09:30"),
            ({"startTime": "08:30", "length": 90}, "10:00"),
            ({"startTime": "08:30", "length": "90", "endTime": None}, "10:00"),
            ({"startTime": "08:30", "length": 90, "endTime": "15:30"}, "15:30"),
            ({"startTime": "21:30", "length": 150}, "24:00"),
            ({"startTime": "21:30", "length": 525}, "06:15"),
            ({"startTime": "20:00", "length": 1440}, "20:00"),
            ({"startTime": "08:30", "length": 1441}, None),
            ({"startTime": "08:30", "length": 0}, None),
            ({"length": 90}, None),
        ],
    )
    def test_the_end_of_a_stay_in_all_its_forms(self, sent: dict[str, Any], end: str | None) -> None:
        entry = canonical("AttendanceSchedule", scheduleEntries=[sent])["scheduleEntries"][0]
        assert entry.get("endTime") == end
        assert "length" not in entry

    def test_a_teacher_who_is_a_person_stays(self) -> None:
        sent = [{"person": {"id": "{P}"}}, {"duty": {"id": "D"}, "person": {"id": "P"}}, {"person": {}}]
        assert canonical("Activity", teachers=sent) == {
            "teachers": [{"person": {"id": "p"}}, {"duty": {"id": "d"}}, {}]
        }
        assert issues("Activity", teachers=sent) == ("teachers.person.id: expected an id",)


class TestEnumerations:
    def test_another_spelling_is_what_is_meant(self) -> None:
        sent = [{"type": "Tillfälligadress"}]
        assert canonical("Person", addresses=sent) == {"addresses": [{"type": "Tillfällig adress"}]}

    @given(st.text())
    def test_an_unknown_value_is_kept_as_sent(self, value: str) -> None:
        kind = RESOURCES["Group"].columns["groupType"].type
        assert isinstance(kind, Enumeration)
        assert canonical("Group", groupType=value) == {"groupType": kind.also.get(value, value)}


class TestIdentity:
    def test_a_record_without_id_is_none(self) -> None:
        read = reader("Person", "UTC")
        for sent in ({}, {"id": None}, {"id": ""}, {"id": 3}, None, [], "x"):
            assert read(sent) is None

    def test_a_resource_without_ids_gets_one_from_its_key(self) -> None:
        read = reader("AggregatedAttendance", "UTC")
        row = {"student": {"id": "S"}, "activity": {"id": "A"}, "startDate": "2026-01-01", "endDate": "2026-01-31"}
        first, again = read({**row, "attendanceSum": 1}), read({**row, "student": {"id": "{s}"}, "attendanceSum": 2})
        other = read({**row, "endDate": "2026-02-01"})
        assert first is not None
        assert again is not None
        assert other is not None
        assert first[0]["id"] == again[0]["id"] != other[0]["id"]
        assert first[0]["id"] == "9124ebb6-c7a7-587a-824c-8a19754cd173"  # ids must survive releases

    def test_a_part_of_the_key_that_must_be_there_and_is_not(self) -> None:
        read = reader("AggregatedAttendance", "UTC")
        assert read({"student": {"id": "s"}, "startDate": "2026-01-01", "endDate": "2026-01-31"}) is None

    def test_an_id_that_is_sent_is_used_and_an_open_end_is_no_obstacle(self) -> None:
        read = reader("SchoolUnitOffering", "UTC")
        sent, made = read({"id": "{X}", "offeredAt": {"id": "o"}}), read({"offeredAt": {"id": "o"}})
        assert sent is not None
        assert made is not None
        assert sent[0]["id"] == "x"
        assert len(str(made[0]["id"])) == 36
        assert read({"startDate": "2026-01-01"}) is None

    @given(data=st.data(), name=st.sampled_from(sorted(RESOURCES)))
    def test_no_json_breaks_a_reader_nor_shows_in_its_issues(self, name: str, data: st.DataObject) -> None:
        columns = st.sampled_from(sorted(RESOURCES[name].columns))
        record = data.draw(st.dictionaries(columns, JSON, max_size=4))
        found = reader(name, "Europe/Stockholm")({"id": "1", **record})
        assert found is None or set(found[0]) <= {"id", *RESOURCES[name].columns}
        assert found is None or "canary" not in "".join(found[1])
