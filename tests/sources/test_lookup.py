"""Records by id or by another key: lookups, the gets that stand in for them, and what is known already."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sources.cache import Cache
from sources.records import View
from sources.requests import Query
from sources.tally import Tally, counting

from .conftest import Clock, asked, body, codes, ids, soon, source_of


class Server:
    """Has these persons, by lookup and by id; ``lookup`` may be a status to refuse lookups with."""

    def __init__(self, *names: str, lookup: int = 200, largest: int = 10_000) -> None:
        self.names = list(names)
        self.lookup = lookup
        self.largest = largest
        self.lookups: list[list[str]] = []
        self.gets: list[str] = []
        self.urls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        if request.method == "POST":
            assert request.url.path.endswith("/lookup")
            assert request.headers["content-type"] == "application/json"
            values = next(iter(body(request).values()))
            self.lookups.append(values)
            if self.lookup != 200:
                return httpx.Response(self.lookup)
            if len(values) > self.largest:
                return httpx.Response(503)
            return httpx.Response(200, json=[{"id": name.upper()} for name in self.names if name in values])
        name = request.url.path.rpartition("/")[2]
        self.gets.append(name)
        return httpx.Response(200, json={"id": name}) if name in self.names else httpx.Response(404)


async def look(
    source: Any, *values: str, resource: str = "Person", key: str = "ids", expand: tuple[str, ...] = ()
) -> Any:
    return await source.lookup(resource, key, values, expand, soon())


class TestLookup:
    async def test_ids_that_are_not_there_are_absent(self) -> None:
        server = Server("a", "b")
        answer = await look(source_of(server), "{A}", "b", "x", "A", "")
        assert (sorted(ids(answer)), answer.faults) == (["a", "b"], ())
        assert server.lookups == [["a", "b", "x"]]
        assert server.urls == ["https://sis.example/ss12000/v2.0/persons/lookup"]
        assert {slab.view for slab in answer.slabs} == {View.LOOKUP}
        assert answer.slabs[0].raw(0) == {"id": "A"}

    async def test_nothing_asked_for_is_no_call(self) -> None:
        source = source_of(Server())
        assert (await look(source)).slabs == ()
        assert source.calls == 0

    @pytest.mark.parametrize("wrap", [lambda r: r, lambda r: {"data": r}, lambda r: {"persons": r}])
    async def test_shapes_of_the_answer(self, wrap: Any) -> None:
        assert ids(await look(source_of(lambda _: httpx.Response(200, json=wrap([{"id": "a"}]))), "a")) == ["a"]

    async def test_expand_is_in_the_url_and_the_values_are_not(self) -> None:
        server = Server("a")
        await look(source_of(server), "a", expand=("placements", "duties"))
        assert server.urls[0].endswith("/persons/lookup?expand=duties&expand=placements")

    async def test_chunks_go_in_parallel_within_the_bound(self) -> None:
        now, most = 0, 0

        async def handle(request: httpx.Request) -> httpx.Response:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.005)
            now -= 1
            return httpx.Response(200, json=[{"id": name} for name in body(request)["ids"]])

        names = [f"n{number}" for number in range(10)]
        source = source_of(handle, chunk=2, concurrency=3)
        assert sorted(ids(await look(source, *names))) == sorted(names)
        assert (source.calls, most) == (5, 3)

    async def test_a_chunk_that_fails_costs_only_itself(self) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            found = body(request)["ids"]
            return httpx.Response(500) if "b" in found else httpx.Response(200, json=[{"id": n} for n in found])

        answer = await look(source_of(handle, chunk=1), "a", "b", "c")
        assert (sorted(ids(answer)), codes(answer)) == (["a", "c"], ["SOURCE_UNAVAILABLE"])

    async def test_a_source_that_sends_everything_is_taken_at_what_was_asked(self) -> None:
        source = source_of(lambda _: httpx.Response(200, json=[{"id": "a"}, {"id": "b"}]))
        assert ids(await look(source, "b")) == ["b"]

    async def test_too_large_is_halved(self) -> None:
        names = [f"n{number}" for number in range(8)]
        server = Server(*names, largest=2)
        answer = await look(source_of(server), *names)
        assert (sorted(ids(answer)), answer.faults) == (names, ())
        assert [len(values) for values in server.lookups] == [8, 4, 2, 2, 4, 2, 2]

    async def test_an_outage_is_not_asked_about_for_ever(self) -> None:
        server = Server(lookup=503)
        answer = await look(source_of(server), *(f"n{number}" for number in range(400)))
        assert (ids(answer), codes(answer)) == ([], ["SOURCE_UNAVAILABLE"])
        assert len(server.lookups) <= 8

    async def test_by_another_key(self) -> None:
        server = Server("199901011234")
        answer = await look(source_of(server), "199901011234", key="civicNos")
        assert ids(answer) == ["199901011234"]
        assert "1999" not in "".join(server.urls)

    async def test_another_key_without_lookup_is_refused(self) -> None:
        for source in (source_of(Server(), no_lookup=frozenset({"Person"})), source_of(Server())):
            key = "civicNos" if "Person" in source.capabilities.no_lookup else "nothing"
            assert codes(await look(source, "x", key=key)) == ["SOURCE_REQUEST_REFUSED"]
            assert source.calls == 0

    @pytest.mark.parametrize(
        ("status", "code"),
        [(400, "SOURCE_REQUEST_REFUSED"), (403, "SOURCE_FORBIDDEN"), (404, "SOURCE_ENDPOINT_MISSING")],
    )
    async def test_another_key_that_is_refused_has_nothing_to_stand_in(self, status: int, code: str) -> None:
        server = Server(lookup=status)
        assert codes(await look(source_of(server), "x", key="civicNos")) == [code]
        assert server.gets == []


class TestGetsInstead:
    async def test_where_the_capabilities_say_so(self) -> None:
        server = Server("a", "b")
        answer = await look(source_of(server, no_lookup=frozenset({"Person"})), "a", "b", "x")
        assert (sorted(ids(answer)), answer.faults) == (["a", "b"], ())
        assert (server.lookups, sorted(server.gets)) == ([], ["a", "b", "x"])
        assert {slab.view for slab in answer.slabs} == {View.GET}

    @pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
    async def test_where_the_source_says_so_and_that_is_remembered(self, status: int) -> None:
        server = Server("a", "b", lookup=status)
        source = source_of(server)
        assert ids(await look(source, "a")) == ["a"]
        assert ids(await look(source, "b")) == ["b"]
        assert (len(server.lookups), server.gets) == (1, ["a", "b"])

    @pytest.mark.parametrize(
        ("status", "code"),
        [(401, "SOURCE_CREDENTIALS_REFUSED"), (429, "SOURCE_RATE_LIMITED"), (500, "SOURCE_UNAVAILABLE"),
         (422, "SOURCE_REQUEST_REFUSED")],
    )  # fmt: skip
    async def test_not_where_it_says_something_else(self, status: int, code: str) -> None:
        server = Server("a", lookup=status)
        source = source_of(server)
        assert codes(await look(source, "a")) == [code]
        await look(source, "a")
        assert (len(server.lookups), server.gets) == (2, [])

    async def test_never_more_than_allowed_and_what_is_left_out_is_said(self) -> None:
        names = [f"n{number}" for number in range(10)]
        server = Server(*names)
        answer = await look(source_of(server, no_lookup=frozenset({"Person"}), max_gets=4), *names)
        assert (ids(answer), codes(answer)) == (names[:4], ["SOURCE_REQUEST_REFUSED"])
        assert len(server.gets) == 4

    async def test_study_plans_have_no_lookup_and_aggregated_attendance_has_neither(self) -> None:
        source = source_of(Server("a"))
        assert ids(await look(source, "a", resource="StudyPlan")) == ["a"]
        assert codes(await look(source, "a", resource="AggregatedAttendance")) == ["SOURCE_REQUEST_REFUSED"]
        assert source.calls == 1

    async def test_a_lookup_that_cannot_expand_is_not_asked_to(self) -> None:
        server = Server("a")
        await look(source_of(server), "a", resource="CalendarEvent", expand=("activity",))
        assert server.urls == ["https://sis.example/ss12000/v2.0/calendarEvents/a?expand=activity"]


class TestGet:
    async def test_one_record(self) -> None:
        answer = await source_of(Server("a")).get("Person", "{A}", ("duties",), soon())
        assert ids(answer) == ["a"]
        assert (answer.slabs[0].view, answer.slabs[0].expand) == (View.GET, {"duties"})

    async def test_what_is_not_there_is_no_fault(self) -> None:
        answer = await source_of(Server()).get("Person", "a", (), soon())
        assert (answer.slabs, answer.faults) == ((), ())

    async def test_an_id_cannot_leave_its_place_in_the_path(self) -> None:
        server = Server()
        source = source_of(server, endpoints={"Person": "/people/"})
        for identity in ("..", ".", "../groups/a", "a/b?x=y#z", "å"):
            assert (await source.get("Person", identity, (), soon())).faults == ()
        base = "https://sis.example/ss12000/v2.0/people"
        assert server.urls == [f"{base}/..%2Fgroups%2Fa", f"{base}/a%2Fb%3Fx%3Dy%23z", f"{base}/%C3%A5"]

    @pytest.mark.parametrize(
        ("sent", "code"),
        [([], "SOURCE_ANSWER_INVALID"), ({"id": "other"}, "SOURCE_ANSWER_INVALID"), ({}, "SOURCE_RECORD_INVALID")],
    )
    async def test_an_answer_that_is_not_the_record(self, sent: Any, code: str) -> None:
        answer = await source_of(lambda _: httpx.Response(200, json=sent)).get("Person", "a", (), soon())
        assert (answer.slabs, codes(answer)) == ((), [code])

    async def test_a_wrapped_record(self) -> None:
        source = source_of(lambda _: httpx.Response(200, json={"data": {"id": "a"}}))
        assert ids(await source.get("Person", "a", (), soon())) == ["a"]

    async def test_a_resource_without_gets(self) -> None:
        answer = await source_of(Server()).get("AggregatedAttendance", "a", (), soon())
        assert codes(answer) == ["SOURCE_REQUEST_REFUSED"]


class TestCache:
    async def test_only_what_is_not_known_is_asked_for(self) -> None:
        server, clock, now = Server("a", "b", "c"), Clock(), datetime(2026, 11, 23, tzinfo=UTC)
        times = iter(now + timedelta(seconds=n) for n in range(10))
        source = source_of(server, Cache(clock=clock), lambda: next(times), ttl={"Person": 10})
        await look(source, "a", "x")
        answer = await look(source, "a", "b", "x", "y")
        assert server.lookups == [["a", "x"], ["b", "y"]]
        assert sorted((slab.ids[0], slab.from_cache, slab.fetched_at) for slab in answer.slabs) == [
            ("a", True, now),
            ("b", False, now + timedelta(seconds=1)),
        ]
        assert next(slab for slab in answer.slabs if slab.from_cache).raw(0) == {"id": "A"}
        clock.now = 10
        await look(source, "a")
        assert server.lookups[2:] == [["a"]]

    async def test_expand_is_another_record(self) -> None:
        server = Server("a")
        source = source_of(server)
        await look(source, "a")
        await look(source, "a", expand=("duties",))
        await look(source, "a", expand=("duties",))
        assert source.calls == 2

    async def test_gets_are_kept_too_and_that_there_is_none(self) -> None:
        server = Server("a")
        source = source_of(server)
        for identity in ("a", "x", "a", "x"):
            await source.get("Person", identity, (), soon())
        assert server.gets == ["a", "x"]

    async def test_whole_answers_by_another_key(self) -> None:
        server = Server("199901011234")
        source = source_of(server)
        first, second = [await look(source, "199901011234", key="civicNos") for _ in range(2)]
        assert ids(first) == ids(second) == ["199901011234"]
        assert (source.calls, second.slabs[0].from_cache) == (1, True)

    async def test_a_record_that_cannot_be_read_is_not_taken_for_one_that_is_not_there(self) -> None:
        answers = iter([[{"id": "a"}, {}], [{"id": "a"}, {"id": "b"}]])
        source = source_of(lambda _: httpx.Response(200, json=next(answers)))
        first = await look(source, "a", "b")
        assert (ids(first), codes(first)) == (["a"], ["SOURCE_RECORD_INVALID"])
        assert sorted(ids(await look(source, "a", "b"))) == ["a", "b"]

    async def test_equal_lookups_at_once_are_one_and_one_may_leave(self) -> None:
        async def handle(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.01)
            return httpx.Response(200, json=[{"id": name} for name in body(request)["ids"]])

        source = source_of(handle)
        tasks = [asyncio.ensure_future(look(source, "a", "b")) for _ in range(3)]
        await asyncio.sleep(0.002)
        tasks[0].cancel()
        assert [sorted(ids(answer)) for answer in await asyncio.gather(*tasks[1:])] == [["a", "b"]] * 2
        assert source.calls == 1


class TestDeleted:
    async def test_both_forms_in_any_spelling(self) -> None:
        pages: list[Any] = [
            {
                "data": {"persons": ["{A}"], "activitites": ["b"], "studyplans": ["c"], "subscriptions": ["x"]},
                "pageToken": "t",
            },
            {"data": [{"entityType": "Person", "id": "d"}, {"entityType": "Activity", "id": "e", "deletedAt": "x"}]},
        ]
        seen: list[dict[str, list[str]]] = []

        def handle(request: httpx.Request) -> httpx.Response:
            assert request.url.path == "/ss12000/v2.0/deletedEntities"
            seen.append(asked(request))
            return httpx.Response(200, json=pages[len(seen) - 1])

        answer = await source_of(handle).deleted("2026-01-01T00:00:00Z", ("Person", "Activity", "StudyPlan"), soon())
        assert answer.ids == {"Person": {"a", "d"}, "Activity": {"b", "e"}, "StudyPlan": {"c"}}
        assert answer.faults == ()
        assert seen == [
            {"after": ["2026-01-01T00:00:00Z"], "entities": ["Person", "Activity", "StudyPlan"], "limit": ["500"]},
            {"limit": ["500"], "pageToken": ["t"]},
        ]

    async def test_only_what_was_asked_for(self) -> None:
        source = source_of(lambda _: httpx.Response(200, json={"data": {"persons": ["a"], "groups": ["b"]}}))
        assert (await source.deleted(None, ("Group",), soon())).ids == {"Group": {"b"}}
        assert (await source.deleted(None, (), soon())).ids == {"Person": {"a"}, "Group": {"b"}}

    @pytest.mark.parametrize("sent", [{"data": 3}, {"data": {"persons": {}}}, "x"])
    async def test_another_shape(self, sent: Any) -> None:
        answer = await source_of(lambda _: httpx.Response(200, json=sent)).deleted(None, (), soon())
        assert (answer.ids, codes(answer)) == ({}, ["SOURCE_ANSWER_INVALID"])

    async def test_entries_that_are_no_ids(self) -> None:
        source = source_of(lambda _: httpx.Response(200, json={"data": {"persons": ["a", None, 3, {"id": "b"}]}}))
        answer = await source.deleted(None, (), soon())
        assert (answer.ids, codes(answer)) == ({"Person": {"a", "b"}}, ["SOURCE_RECORD_INVALID"])

    async def test_a_failure_keeps_what_came(self) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            if "pageToken" in asked(request):
                return httpx.Response(500)
            return httpx.Response(200, json={"data": {"persons": ["a"]}, "pageToken": "t"})

        answer = await source_of(handle).deleted(None, (), soon())
        assert (answer.ids, codes(answer)) == ({"Person": {"a"}}, ["SOURCE_UNAVAILABLE"])


class TestTally:
    async def test_calls_and_what_was_kept_are_counted_where_somebody_counts(self) -> None:
        source = source_of(Server("a", "b"))
        tally = Tally()
        token = counting.set(tally)
        await look(source, "a", "b", "x")
        assert (tally.calls, tally.hits, tally.gets) == ({"sis": 1}, 0, 0)
        await look(source, "a", "x")
        assert (tally.calls, tally.hits) == ({"sis": 1}, 2)
        counting.reset(token)
        await look(source, "c")
        assert tally.calls == {"sis": 1}

    async def test_a_get_that_stands_in_for_a_lookup_is_told_apart(self) -> None:
        tally = Tally()
        token = counting.set(tally)
        await look(source_of(Server("a", lookup=404)), "a", "x")
        counting.reset(token)
        assert (tally.calls, tally.gets) == ({"sis": 3}, 2)

    async def test_a_list_that_is_kept_is_known_to_be(self) -> None:
        source = source_of(lambda request: httpx.Response(200, json={"data": [], "pageToken": None}))
        assert not source.has_list("Person", Query())
        await source.walk("Person", Query(), soon())
        assert source.has_list("Person", Query())
        assert not source.has_list("Person", Query.of({"civicNo": ("1",)}))
        assert source.pace is not None
