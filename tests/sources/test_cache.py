"""What is kept of sources' answers, for how long, and how often a source is asked for the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from sources.cache import Cache, Flights, Stored
from sources.errors import CallError, FaultCode

from .conftest import Clock, soon

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def page(text: str) -> Stored:
    return Stored(text.encode(), NOW)


class TestRecords:
    async def test_they_are_kept_until_they_expire_with_the_time_of_fetching(self) -> None:
        clock = Clock()
        cache = Cache(clock=clock)
        await cache.put_records({"a": b"1", "b": b""}, NOW, ttl=10)
        clock.now = 9.9
        assert await cache.records(["b", "c", "a"]) == [Stored(b"", NOW), None, Stored(b"1", NOW)]
        clock.now = 10
        assert await cache.records(["a", "b"]) == [None, None]

    async def test_a_newer_value_is_not_ended_by_the_older_ones_time(self) -> None:
        clock = Clock()
        cache = Cache(clock=clock)
        await cache.put_records({"a": b"1"}, NOW, ttl=10)
        clock.now = 9
        await cache.put_records({"a": b"2"}, NOW, ttl=10)
        clock.now = 15
        assert await cache.records(["a"]) == [Stored(b"2", NOW)]

    async def test_no_time_to_live_keeps_nothing(self) -> None:
        cache = Cache()
        await cache.put_records({"a": b"1"}, NOW, ttl=0)
        assert await cache.put_page("w", None, None, page("1"), None, ttl=0) is None
        assert (await cache.records(["a"]), cache.bytes) == ([None], 0)

    async def test_what_was_used_longest_ago_makes_room(self) -> None:
        cache = Cache(max_bytes=3 * 1600)
        for key in "abc":
            await cache.put_records({key: b"x" * 1000}, NOW, ttl=60)
        await cache.records(["a"])
        await cache.put_records({"d": b"x" * 1000}, NOW, ttl=60)
        assert [found is not None for found in await cache.records(list("abcd"))] == [True, False, True, True]
        assert cache.bytes <= cache.max_bytes

    async def test_a_value_larger_than_the_cache_is_not_kept(self) -> None:
        cache = Cache(max_bytes=1000)
        await cache.put_records({"a": b"x" * 5000}, NOW, ttl=60)
        assert (await cache.records(["a"]), cache.bytes) == ([None], 0)

    async def test_overwriting_does_not_count_twice(self) -> None:
        cache = Cache()
        await cache.put_records({"a": b"x" * 1000}, NOW, ttl=60)
        before = cache.bytes
        await cache.put_records({"a": b"x" * 1000}, NOW, ttl=60)
        assert cache.bytes == before


class TestWalks:
    async def test_pages_of_a_generation_expire_together(self) -> None:
        clock = Clock()
        cache = Cache(clock=clock)
        generation = await cache.put_page("w", None, None, page("1"), "t", ttl=10)
        clock.now = 8
        await cache.put_page("w", generation, "t", page("2"), None, ttl=10)
        assert await cache.page(cache.generation("w", "t"), "t") == page("2")
        clock.now = 10
        assert cache.generation("w", None) is cache.generation("w", "t") is None
        assert await cache.page(generation, "t") is None

    async def test_a_page_is_never_added_to_another_generation(self) -> None:
        cache = Cache()
        first = await cache.put_page("w", None, None, page("old 1"), "500", ttl=10)
        second = await cache.put_page("w", None, None, page("new 1"), "500", ttl=10)
        assert await cache.put_page("w", first, "500", page("old 2"), None, ttl=10) is None
        assert await cache.page(second, "500") is None
        assert await cache.page(first, None) is None

    async def test_a_token_that_no_page_led_to_is_not_kept(self) -> None:
        cache = Cache()
        generation = await cache.put_page("w", None, None, page("1"), "t", ttl=10)
        assert await cache.put_page("w", generation, "other", page("x"), None, ttl=10) is None
        assert cache.generation("w", "other") is None

    async def test_what_does_not_fit_goes_as_a_whole(self) -> None:
        cache = Cache(max_bytes=2000)
        generation = await cache.put_page("w", None, None, page("x" * 1000), "t", ttl=10)
        await cache.put_page("w", generation, "t", page("x" * 1000), None, ttl=10)
        assert cache.generation("w", None) is None
        assert cache.bytes == 0

    async def test_a_changed_list_is_forgotten(self) -> None:
        cache = Cache()
        await cache.put_page("w", None, None, page("1"), None, ttl=10)
        await cache.forget("w")
        assert (cache.generation("w", None), cache.bytes) == (None, 0)


class TestKeys:
    def test_they_tell_nothing_and_differ_between_processes(self) -> None:
        cache = Cache()
        key = cache.digest("lookup", "199901011234")
        assert "199901011234" not in key
        assert key == cache.digest("lookup", "199901011234") != Cache().digest("lookup", "199901011234")

    def test_where_one_part_ends_matters(self) -> None:
        cache = Cache()
        assert cache.digest("ab", "c") != cache.digest("a", "bc") != cache.digest("abc")


class TestFlights:
    async def test_equal_requests_at_once_are_one(self) -> None:
        flights, made = Flights(), []

        async def make() -> str:
            made.append(1)
            await asyncio.sleep(0.01)
            return "x"

        assert await asyncio.gather(*(flights.share("k", soon(), make) for _ in range(5))) == ["x"] * 5
        assert len(made) == 1
        await flights.share("k", soon(), make)
        assert len(made) == 2

    async def test_one_who_leaves_does_not_end_it_for_the_others(self) -> None:
        flights = Flights()

        async def make() -> str:
            await asyncio.sleep(0.02)
            return "x"

        first, second = (asyncio.ensure_future(flights.share("k", soon(), make)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "x"
        assert first.cancelled()

    async def test_when_the_last_one_leaves_it_ends_and_is_not_joined(self) -> None:
        flights, ended = Flights(), []

        async def make() -> None:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                ended.append(1)
                raise

        waiters = [asyncio.ensure_future(flights.share("k", soon(), make)) for _ in range(2)]
        await asyncio.sleep(0.01)
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)
        await asyncio.sleep(0)
        assert ended == [1]

    async def test_a_failure_is_shared_but_not_kept(self) -> None:
        flights, made = Flights(), []

        async def make() -> str:
            made.append(1)
            await asyncio.sleep(0)
            if len(made) == 1:
                raise CallError(FaultCode.SOURCE_UNAVAILABLE, 500)
            return "x"

        outcomes = await asyncio.gather(*(flights.share("k", soon(), make) for _ in range(2)), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["SOURCE_UNAVAILABLE (500)"] * 2
        assert await flights.share("k", soon(), make) == "x"

    async def test_each_has_its_own_deadline(self) -> None:
        flights = Flights()

        async def make() -> str:
            await asyncio.sleep(0.05)
            return "x"

        patient = asyncio.ensure_future(flights.share("k", soon(), make))
        await asyncio.sleep(0)
        with pytest.raises(CallError, match="SOURCE_TIMEOUT"):
            await flights.share("k", soon(0.01), make)
        assert await patient == "x"

    async def test_one_with_more_time_does_not_fail_by_anothers_deadline(self) -> None:
        flights, made = Flights(), []

        async def make() -> str:
            made.append(1)
            await asyncio.sleep(0.01)
            if len(made) == 1:
                raise CallError(FaultCode.SOURCE_TIMEOUT)
            return "x"

        hurried = asyncio.ensure_future(flights.share("k", soon(1), make))
        await asyncio.sleep(0)
        assert await flights.share("k", soon(2), make) == "x"
        with pytest.raises(CallError):
            await hurried
