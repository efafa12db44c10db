"""Lists of a source: requests, pages, walks, faults, the cache."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.cache import Cache
from sources.errors import ConfigurationError
from sources.records import View
from sources.requests import Query
from sources.source import Source

from .conftest import Clock, Handler, asked, codes, ids, settings, soon, source_of

ALL = Query.of()


def pages_of(groups: Sequence[Sequence[object]], **more: Any) -> Handler:
    """A list in these pages; tokens are ``t1``, ``t2`` …"""

    def handle(request: httpx.Request) -> httpx.Response:
        number = int(asked(request).get("pageToken", ["t0"])[0][1:])
        following = f"t{number + 1}" if number + 1 < len(groups) else None
        return httpx.Response(200, json={"data": list(groups[number]), "pageToken": following, **more})

    return handle


def records(*names: str) -> list[dict[str, str]]:
    return [{"id": name} for name in names]


class Recorder:
    """Answers like another handler and keeps the requests."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[httpx.Request] = []
        self._handler = handler

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._handler(request)
        assert isinstance(answer, httpx.Response)
        return answer


class TestRequests:
    async def asked(self, query: Query, page: int = 0, resource: str = "Person", **changes: Any) -> str:
        """The URL of a page, counted from 0."""
        recorder = Recorder(pages_of([[], []]))
        source = source_of(recorder, **changes)
        token = None
        for _ in range(page + 1):
            token = (await source.page(resource, query, token, soon())).next
        assert len(recorder.requests) == page + 1
        return str(recorder.requests[page].url)

    async def test_the_path_is_put_after_the_url_as_text(self) -> None:
        for url in ("https://h.example/x/v2.0", "https://h.example/x/v2.0/"):
            assert await self.asked(ALL, url=url, page_size=None) == "https://h.example/x/v2.0/persons"

    @pytest.mark.parametrize(
        ("override", "expected"),
        [
            ("/Grades.Api/grades/", "https://sis.example/ss12000/v2.0/Grades.Api/grades/"),
            ("grades", "https://sis.example/ss12000/v2.0/grades"),
            ("//evil.example/x", "https://sis.example/ss12000/v2.0/evil.example/x"),
            ("https://other.example/v1/grades", "https://other.example/v1/grades"),
        ],
    )
    async def test_single_endpoints_may_be_elsewhere(self, override: str, expected: str) -> None:
        assert await self.asked(ALL, resource="Grade", endpoints={"Grade": override}, page_size=None) == expected

    async def test_several_values_repeat_the_parameter_in_utf_8(self) -> None:
        query = Query.of(
            {"type": ("Förvaltning", "Övrigt & mer"), "meta.modified.after": ("2026-01-01T00:00:00+01:00",)}
        )
        url = await self.asked(query, resource="Organisation")
        assert url.endswith(
            "?meta.modified.after=2026-01-01T00%3A00%3A00%2B01%3A00"
            "&type=F%C3%B6rvaltning&type=%C3%96vrigt%20%26%20mer&limit=500"
        )

    async def test_expand_sortkey_and_limit(self) -> None:
        url = await self.asked(Query.of({}, ("placements", "duties"), "ModifiedDesc"), page_size=7)
        assert url.endswith("?expand=duties&expand=placements&sortkey=ModifiedDesc&limit=7")

    async def test_a_token_goes_with_limit_alone(self) -> None:
        assert (await self.asked(Query.of({"nameContains": ("a",)}), 1)).endswith("/persons?limit=500&pageToken=t1")

    async def test_filters_that_are_ignored_are_not_sent_but_the_window_is(self) -> None:
        query = Query.of({"startDate": ("2026-01-01",), "endDate": ("2026-01-31",), "student": ("s",)})
        url = await self.asked(
            query, resource="AggregatedAttendance", filters_ignored=frozenset({"AggregatedAttendance"}), page_size=None
        )
        assert url.endswith("?endDate=2026-01-31&startDate=2026-01-01")

    async def test_a_civic_number_never_gets_into_a_url(self) -> None:
        source = source_of(pages_of([[]]))
        query = Query.of({"civicNo": ("199901011234",)})
        assert codes(await source.page("Person", query, None, soon())) == ["SOURCE_REQUEST_REFUSED"]
        assert codes(await source.walk("Person", query, soon())) == ["SOURCE_REQUEST_REFUSED"]
        assert source.calls == 0
        assert "civicNo=199901011234" in await self.asked(query, allow_civicno_in_url=True)

    async def test_a_resource_that_is_not_served_is_not_asked_for(self) -> None:
        source = source_of(pages_of([[]]), endpoints={})
        assert codes(await source.page("Nothing", ALL, None, soon())) == ["SOURCE_ENDPOINT_MISSING"]
        assert source.calls == 0


class TestPages:
    async def test_a_page_has_its_records_and_the_next_token(self) -> None:
        answer = await source_of(pages_of([records("A", "b"), []])).page("Person", ALL, None, soon())
        slab = answer.slabs[0]
        assert (list(slab.ids), answer.next is None, answer.faults) == (["a", "b"], False, ())
        assert (slab.source, slab.resource, slab.view, slab.from_cache) == ("sis", "Person", View.LIST, False)
        assert slab.raw(0) == {"id": "A"}

    @pytest.mark.parametrize("end", [{"pageToken": None}, {"pageToken": ""}, {}])
    async def test_the_end_is_null_empty_or_absent(self, end: dict[str, Any]) -> None:
        source = source_of(lambda _: httpx.Response(200, json={"data": records("a"), **end}))
        assert (await source.page("Person", ALL, None, soon())).next is None

    @pytest.mark.parametrize("shape", [{"data": records("a")}, records("a"), {"persons": records("a")}])
    async def test_three_shapes_of_a_list(self, shape: Any) -> None:
        assert ids(await source_of(lambda _: httpx.Response(200, json=shape)).page("Person", ALL, None, soon())) == [
            "a"
        ]

    async def test_a_byte_order_mark_is_no_obstacle(self) -> None:
        source = source_of(lambda _: httpx.Response(200, content=b'\xef\xbb\xbf{"data": [{"id": "a"}]}'))
        assert ids(await source.page("Person", ALL, None, soon())) == ["a"]

    async def test_records_that_are_none_cost_only_themselves(self) -> None:
        sent = [{"id": "a"}, {"givenName": "x"}, "b", None, {"id": {}}, {"id": "c"}]
        answer = await source_of(pages_of([sent])).page("Person", ALL, None, soon())
        assert ids(answer) == ["a", "c"]
        assert codes(answer) == ["SOURCE_RECORD_INVALID"]
        assert [answer.slabs[0].raw(index) for index in range(2)] == [{"id": "a"}, {"id": "c"}]


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (204, "SOURCE_ANSWER_INVALID"), (302, "SOURCE_ANSWER_INVALID"), (400, "SOURCE_REQUEST_REFUSED"),
            (401, "SOURCE_CREDENTIALS_REFUSED"), (403, "SOURCE_FORBIDDEN"), (404, "SOURCE_ENDPOINT_MISSING"),
            (405, "SOURCE_ENDPOINT_MISSING"), (410, "SOURCE_LIST_CHANGED"), (413, "SOURCE_REQUEST_REFUSED"),
            (422, "SOURCE_REQUEST_REFUSED"), (429, "SOURCE_RATE_LIMITED"), (500, "SOURCE_UNAVAILABLE"),
            (501, "SOURCE_ENDPOINT_MISSING"), (503, "SOURCE_UNAVAILABLE"),
        ],
    )  # fmt: skip
    async def test_by_status(self, status: int, code: str) -> None:
        recorder = Recorder(lambda _: httpx.Response(status, text="canary", headers={"location": "https://h.example/"}))
        for ask in (lambda s: s.page("Person", ALL, None, soon()), lambda s: s.walk("Person", ALL, soon())):
            source = source_of(recorder)
            answer = await ask(source)
            assert codes(answer) == [code]
            assert answer.slabs == ()
            assert "canary" not in repr(answer)
            assert answer.faults[0].status == (None if status == 204 else status)
        assert {request.url.host for request in recorder.requests} == {"sis.example"}

    @pytest.mark.parametrize(
        "content",
        [b"", b"<html>canary</html>", b'{"data": [{"id": "a"', b'{"data": {}}', b'{"data": null}', b"3", b'"canary"',
         b'{"other": []}', b'{"data": [], "pageToken": {}}', b'{"data": [], "pageToken": true}', b"\xff\xfe", b"NaN"],
    )  # fmt: skip
    async def test_what_is_no_list(self, content: bytes) -> None:
        answer = await source_of(lambda _: httpx.Response(200, content=content)).page("Person", ALL, None, soon())
        assert codes(answer) == ["SOURCE_ANSWER_INVALID"]
        assert "canary" not in repr(answer)

    async def test_an_answer_that_is_too_large(self) -> None:
        source = source_of(lambda _: httpx.Response(200, content=b" " * 2001), max_body=2000)
        assert codes(await source.page("Person", ALL, None, soon())) == ["SOURCE_ANSWER_TOO_LARGE"]

    async def test_size_is_that_of_the_decompressed_body(self) -> None:
        packed = gzip.compress(b"[" + b" " * 5000 + b"]")
        source = source_of(
            lambda _: httpx.Response(200, content=packed, headers={"content-encoding": "gzip"}), max_body=2000
        )
        assert codes(await source.page("Person", ALL, None, soon())) == ["SOURCE_ANSWER_TOO_LARGE"]

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (httpx.ConnectError("canary"), "SOURCE_UNREACHABLE"),
            (httpx.ReadTimeout("canary"), "SOURCE_TIMEOUT"),
            (httpx.RemoteProtocolError("canary"), "SOURCE_ANSWER_INVALID"),
            (OSError("canary"), "SOURCE_UNREACHABLE"),
        ],
    )
    async def test_by_what_happens_to_the_connection(self, error: Exception, code: str) -> None:
        def fail(_: httpx.Request) -> httpx.Response:
            raise error

        answer = await source_of(fail).page("Person", ALL, None, soon())
        assert codes(answer) == [code]
        assert answer.faults[0].status is None
        assert "canary" not in repr(answer)

    async def test_each_call_has_its_timeout_and_all_have_the_deadline(self) -> None:
        async def never(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(30)
            raise AssertionError

        started = asyncio.get_running_loop().time()
        assert codes(await source_of(never, timeout=0.02).page("Person", ALL, None, soon(20))) == ["SOURCE_TIMEOUT"]
        assert codes(await source_of(never).page("Person", ALL, None, soon(0.02))) == ["SOURCE_TIMEOUT"]
        assert asyncio.get_running_loop().time() - started < 1

    async def test_after_the_deadline_nothing_is_asked(self) -> None:
        source = source_of(pages_of([[]]))
        assert codes(await source.walk("Person", ALL, soon(-1))) == ["SOURCE_TIMEOUT"]
        assert source.calls == 0

    async def test_cancelling_is_not_a_fault(self) -> None:
        async def never(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(30)
            raise AssertionError

        task = asyncio.ensure_future(source_of(never).walk("Person", ALL, soon()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


class TestWalks:
    @given(
        names=st.lists(st.integers(0, 10_000).map(str), unique=True, max_size=30),
        cuts=st.lists(st.integers(0, 30), max_size=6),
    )
    def test_any_split_into_pages_gives_all_records_once(self, names: list[str], cuts: list[int]) -> None:
        bounds = [0, *sorted(min(cut, len(names)) for cut in cuts), len(names)]
        split = [records(*names[a:b]) for a, b in pairwise(bounds)]
        answer = asyncio.run(self._walk(split))
        assert ids(answer) == names
        assert answer.faults == ()

    async def _walk(self, split: list[list[dict[str, str]]]) -> Any:
        return await source_of(pages_of(split)).walk("Person", ALL, soon())

    async def test_an_empty_last_page_is_fine(self) -> None:
        answer = await source_of(pages_of([records("a"), []])).walk("Person", ALL, soon())
        assert (ids(answer), answer.faults) == (["a"], ())

    async def test_a_record_that_comes_twice_is_given_once(self) -> None:
        split = [records("a", "b", "a"), [{"id": "B"}, {"id": "c", "emails": 1}]]
        answer = await source_of(pages_of(split)).walk("Person", ALL, soon())
        assert ids(answer) == ["a", "b", "c"]
        assert answer.slabs[1].raw(0) == {"id": "c", "emails": 1}
        assert answer.slabs[1].issues == {0: ("emails: expected a list",)}

    async def test_a_failure_keeps_what_came(self) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            if "pageToken" in asked(request):
                return httpx.Response(500)
            return httpx.Response(200, json={"data": records("a"), "pageToken": "t1"})

        source = source_of(handle)
        answer = await source.walk("Person", ALL, soon())
        assert (ids(answer), codes(answer), source.calls) == (["a"], ["SOURCE_UNAVAILABLE"], 2)

    async def test_a_token_that_comes_again_ends_the_walk(self) -> None:
        source = source_of(
            lambda _: httpx.Response(200, json={"data": records("a"), "pageToken": "t"}), ttl={"default": 0}
        )
        answer = await source.walk("Person", ALL, soon())
        assert (ids(answer), codes(answer), source.calls) == (["a"], ["SOURCE_PAGING_LOOP"], 2)

    async def test_so_does_the_bound_on_pages(self) -> None:
        split = [records(str(number)) for number in range(10)]
        source = source_of(pages_of(split), max_pages=3)
        answer = await source.walk("Person", ALL, soon())
        assert (ids(answer), codes(answer), source.calls) == (["0", "1", "2"], ["SOURCE_PAGING_LOOP"], 3)
        assert codes(await source_of(pages_of(split), max_pages=10).walk("Person", ALL, soon())) == []

    @pytest.mark.parametrize(("changes", "calls"), [(0, 2), (1, 4), (2, 6)])
    async def test_a_list_that_changes_is_read_anew(self, changes: int, calls: int) -> None:
        gone = 0

        def handle(request: httpx.Request) -> httpx.Response:
            nonlocal gone
            if "pageToken" not in asked(request):
                return httpx.Response(200, json={"data": records(f"first {gone}"), "pageToken": f"g{gone}"})
            if gone < changes:
                gone += 1
                return httpx.Response(410)
            return httpx.Response(200, json={"data": records("second")})

        source = source_of(handle, restarts=2)
        answer = await source.walk("Person", ALL, soon())
        assert (ids(answer), answer.faults) == ([f"first {changes}", "second"], ())
        assert source.calls == calls

    async def test_but_not_for_ever(self) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            if "pageToken" in asked(request):
                return httpx.Response(410)
            return httpx.Response(200, json={"data": records("a"), "pageToken": "t"})

        source = source_of(handle, restarts=2)
        answer = await source.walk("Person", ALL, soon())
        assert (ids(answer), codes(answer), source.calls) == (["a"], ["SOURCE_LIST_CHANGED"], 6)
        assert answer.faults[0].retryable

    async def test_one_fault_per_code_whatever_the_number_of_pages(self) -> None:
        answer = await source_of(pages_of([[{}], [{}], records("a")])).walk("Person", ALL, soon())
        assert (ids(answer), codes(answer)) == (["a"], ["SOURCE_RECORD_INVALID"])


class TestCache:
    async def test_a_list_is_read_once_while_it_lasts(self) -> None:
        clock, now = Clock(), datetime(2026, 11, 23, tzinfo=UTC)
        times = iter(now + timedelta(seconds=n) for n in range(10))
        source = source_of(
            pages_of([records("a"), records("b")]), Cache(clock=clock), lambda: next(times), ttl={"Person": 10}
        )
        first = await source.walk("Person", ALL, soon())
        clock.now = 9
        second = await source.walk("Person", ALL, soon())
        page = await source.page("Person", ALL, (await source.page("Person", ALL, None, soon())).next, soon())
        assert (ids(second), source.calls) == (["a", "b"], 2)
        assert ids(page) == ["b"]
        assert [slab.from_cache for slab in (*first.slabs, *second.slabs, *page.slabs)] == [False] * 2 + [True] * 3
        assert (
            [s.fetched_at for s in first.slabs]
            == [s.fetched_at for s in second.slabs]
            == [now, now + timedelta(seconds=1)]
        )
        assert second.slabs[0].raw(0) == {"id": "a"}
        clock.now = 10
        await source.walk("Person", ALL, soon())
        assert source.calls == 4

    async def test_pages_of_two_states_of_a_list_are_not_mixed(self) -> None:
        clock, state = Clock(), ["old"]

        def handle(request: httpx.Request) -> httpx.Response:
            number = asked(request).get("pageToken", ["0"])[0]
            following = "1" if number == "0" else None
            return httpx.Response(200, json={"data": records(f"{state[0]} {number}"), "pageToken": following})

        source = source_of(handle, Cache(clock=clock), ttl={"default": 10})
        token = (await source.page("Person", ALL, None, soon())).next
        clock.now, state[0] = 11, "new"
        assert ids(await source.page("Person", ALL, token, soon())) == ["new 1"]
        state[0] = "newer"
        assert ids(await source.walk("Person", ALL, soon())) == ["newer 0", "newer 1"]

    async def test_other_parameters_are_another_list(self) -> None:
        source = source_of(pages_of([records("a")]))
        for query in (
            ALL,
            Query.of({"nameContains": ("a",)}),
            Query.of({}, ("duties",)),
            Query.of({}, (), "ModifiedDesc"),
        ):
            await source.page("Person", query, None, soon())
        await source.page("Group", ALL, None, soon())
        assert source.calls == 5
        await source.page("Person", Query.of({"nameContains": ("a",)}), None, soon())
        assert source.calls == 5

    async def test_two_sources_may_share_a_cache(self) -> None:
        cache = Cache()
        one = source_of(pages_of([records("a")]), cache)
        two = source_of(pages_of([records("b")]), cache, name="other")
        assert ids(await one.walk("Person", ALL, soon())) == ["a"]
        assert ids(await two.walk("Person", ALL, soon())) == ["b"]

    async def test_no_time_to_live_asks_every_time(self) -> None:
        source = source_of(pages_of([records("a"), records("b")]), ttl={"Person": 0})
        for _ in range(2):
            assert ids(await source.walk("Person", ALL, soon())) == ["a", "b"]
        assert source.calls == 4

    async def test_what_embeds_a_shorter_lived_resource_lives_as_short(self) -> None:
        source = source_of(pages_of([records("a")]), ttl={"Duty": 0})
        for _ in range(2):
            await source.page("Person", Query.of({}, ("duties",)), None, soon())
            await source.page("Person", ALL, None, soon())
        assert source.calls == 3

    async def test_failures_are_not_kept(self) -> None:
        answers = iter([httpx.Response(500), httpx.Response(200, json=records("a"))])
        source = source_of(lambda _: next(answers))
        assert codes(await source.walk("Person", ALL, soon())) == ["SOURCE_UNAVAILABLE"]
        assert ids(await source.walk("Person", ALL, soon())) == ["a"]

    async def test_equal_walks_at_once_are_one(self) -> None:
        async def handle(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.01)
            answer = pages_of([records("a"), records("b")])(request)
            assert isinstance(answer, httpx.Response)
            return answer

        source = source_of(handle)
        answers = await asyncio.gather(*(source.walk("Person", ALL, soon()) for _ in range(5)))
        assert [ids(answer) for answer in answers] == [["a", "b"]] * 5
        assert source.calls == 2


class TestBounds:
    async def test_no_more_calls_at_once_than_allowed(self) -> None:
        now, most = 0, 0

        async def handle(_: httpx.Request) -> httpx.Response:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.005)
            now -= 1
            return httpx.Response(200, json=[])

        source = source_of(handle, concurrency=3)
        queries = [Query.of({"nameContains": (str(number),)}) for number in range(12)]
        await asyncio.gather(*(source.page("Person", query, None, soon()) for query in queries))
        assert most == 3

    async def test_waiting_for_a_place_ends_at_the_deadline(self) -> None:
        async def handle(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.1)
            return httpx.Response(200, json=[])

        source = source_of(handle, concurrency=1)
        first = asyncio.ensure_future(source.page("Person", ALL, None, soon()))
        await asyncio.sleep(0)
        assert codes(await source.page("Group", ALL, None, soon(0.02))) == ["SOURCE_TIMEOUT"]
        assert codes(await first) == []

    async def test_calls_are_counted_and_told(self) -> None:
        told: list[tuple[str, str, int | None]] = []
        source = source_of(pages_of([records("a"), []]))
        source.on_call = lambda resource, operation, status, seconds: told.append((resource, operation, status))
        await source.walk("Person", ALL, soon())
        assert (source.calls, told) == (2, [("Person", "list", 200)] * 2)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"url": "sis.example"}, "sources.sis.url"),
            ({"url": "ftp://sis.example"}, "sources.sis.url"),
            ({"url": "https://user:canary@sis.example"}, "sources.sis.url"),
            ({"url": "https://sis.example/?key=canary"}, "sources.sis.url"),
            ({"url": "https://sis.example:99999/"}, "sources.sis.url"),
            ({"endpoints": {"Persons": "/x"}}, "sources.sis.endpoints.Persons"),
            ({"endpoints": {"Person": "http://"}}, "sources.sis.endpoints.Person"),
            ({"timezone": "Europe/Nowhere"}, "sources.sis.timezone"),
            ({"timezone": "../../etc"}, "sources.sis.timezone"),
            ({"concurrency": 0}, "sources.sis.concurrency"),
            ({"timeout": 0}, "sources.sis.timeout"),
            ({"max_gets": -1}, "sources.sis.max_gets"),
            ({"chunk": 0}, "sources.sis.capabilities.chunk"),
            ({"window_days": 0}, "sources.sis.capabilities.window_days"),
        ],
    )
    def test_what_cannot_work_is_refused_with_its_key(self, changes: dict[str, Any], key: str) -> None:
        with pytest.raises(ConfigurationError) as refused:
            Source(settings(**changes), Cache())
        assert refused.value.key == key
        assert "canary" not in str(refused.value)
