"""Many clients at the same time, over real sockets: who waits, who is refused, and what becomes of who goes away."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.app import create_app
from gateway.assemble import assemble
from gateway.config import parse
from gateway.execution.admission import Admission
from resolvers.contracts import Limits
from resolvers.errors import Refused
from tests.sources.conftest import serving

ONE = "6c2bc5c9-61a7-4a0c-9b40-7a1e0e1b0a11"
TWO = "6c2bc5c9-61a7-4a0c-9b40-7a1e0e1b0a12"


class Slow:
    """A source that answers when it is told to, or at once where the path does not begin with ``held``.

    ``calls``: what each lookup that was held asks for; ``aborted``: those that were.
    """

    def __init__(self, held: str) -> None:
        self.held = held
        self.calls: list[Any] = []
        self.aborted: list[Any] = []
        self.told = asyncio.Event()
        self._changed = asyncio.Condition()

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        asked = next(iter(json.loads(body).values())) if body else []
        if not request.url.path.startswith(self.held):
            return JSONResponse({"data": [{"id": id, "givenName": "Ada"} for id in asked], "pageToken": None})
        await self._note(self.calls, asked)
        told, gone = asyncio.ensure_future(self.told.wait()), asyncio.ensure_future(request.receive())
        await asyncio.wait((told, gone), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        gone.cancel()
        if not self.told.is_set():
            await self._note(self.aborted, asked)
        return JSONResponse({"data": [{"id": id, "givenName": "Ada"} for id in asked], "pageToken": None})

    async def _note(self, where: list[Any], what: object) -> None:
        async with self._changed:
            where.append(what)
            self._changed.notify_all()

    async def until(self, where: list[Any], count: int) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(where) >= count)


@asynccontextmanager
async def gateway(held: str = "/", executor: str = "planned", **limits: object) -> AsyncIterator[tuple[Slow, str]]:
    """A gateway over a slow source, and its address."""
    slow = Slow(held)
    source = Starlette(routes=[Route("/{path:path}", slow.answer, methods=["GET", "POST"])])
    async with serving(source) as url:
        settings = {"sources": {"sis": {"url": url, "resources": ["persons", "duties"], "timeout": "60s"}}}
        settings |= {"limits": {"operation_timeout": "60s", **limits}, "executor": executor}
        assembled = assemble(parse(settings, Path.cwd(), {}))
        async with serving(create_app(assembled), lifespan="on", log_config=None) as address:
            yield slow, address
            slow.told.set()


async def ask(address: str, id: str = ONE, query: str | None = None) -> httpx.Response:
    """Over a connection of its own, which ends if the task is cancelled."""
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.post(
            f"{address}/graphql", json={"query": query or f'{{ person(id: "{id}") {{ givenName }} }}'}
        )


async def gone(asking: asyncio.Task[httpx.Response]) -> None:
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking


PERSON = {"data": {"person": {"givenName": "Ada"}}}
QUERIES = {
    "by id": f'{{ person(id: "{ONE}") {{ givenName }} }}',
    "by ids": f'{{ a: personsByIds(ids: ["{ONE}"]) {{ givenName }} b: __typename }}',
    "a list": "{ persons(first: 2) { nodes { givenName } } }",
    "a sorted list": "{ persons(first: 2, orderBy: [GIVEN_NAME_ASC]) { nodes { givenName } } }",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_a_client_that_goes_away_ends_its_calls(query: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with gateway() as (slow, address):
            asking = asyncio.ensure_future(ask(address, query=query))
            await slow.until(slow.calls, 1)
            await gone(asking)
            await slow.until(slow.aborted, 1)
            assert slow.aborted == slow.calls[:1]
            slow.told.set()
            assert (await ask(address, TWO)).json()["data"] == PERSON["data"]
    requests = [vars(record) for record in caplog.records if record.name == "gateway.access"]
    assert [each["status"] for each in requests] == [499, 200]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("executor", ["planned", "core"])
async def test_so_do_the_calls_for_what_is_below(executor: str, caplog: pytest.LogCaptureFixture) -> None:
    async with gateway("/duties", executor) as (slow, address):
        query = f'{{ person(id: "{ONE}") {{ duties {{ dutyRole }} provenance {{ issues }} }} }}'
        asking = asyncio.ensure_future(ask(address, query=query))
        await slow.until(slow.calls, 1)
        await gone(asking)
        await slow.until(slow.aborted, 1)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]  # no task is left to its fate


async def test_calls_that_another_client_waits_for_go_on() -> None:
    async with gateway() as (slow, address):
        first = asyncio.ensure_future(ask(address))
        await slow.until(slow.calls, 1)
        second = asyncio.ensure_future(ask(address))
        other = asyncio.ensure_future(ask(address, TWO))
        await slow.until(slow.calls, 2)  # the second has joined by then: it came before
        await gone(first)
        await gone(other)
        await slow.until(slow.aborted, 1)
        slow.told.set()
        assert (await second).json()["data"] == PERSON["data"]
        assert slow.calls == [[ONE], [TWO]]
        assert slow.aborted == [[TWO]]


async def test_operations_beyond_the_bound_wait_for_their_turn() -> None:
    async with gateway(concurrency=1, queue_timeout="20s") as (slow, address):
        running = asyncio.ensure_future(ask(address))
        await slow.until(slow.calls, 1)
        waiting = [asyncio.ensure_future(ask(address, TWO)) for _ in range(3)]
        slow.told.set()
        for each in (running, *waiting):
            assert (await each).json()["data"] == PERSON["data"]


async def test_those_that_find_no_room_to_wait_are_refused() -> None:
    async with gateway(concurrency=1, queue=0) as (slow, address):
        running = asyncio.ensure_future(ask(address))
        await slow.until(slow.calls, 1)
        answer = await ask(address, TWO)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["cache-control"] == "private, no-store"
        (error,) = answer.json()["errors"]
        assert error["extensions"] == {"code": "OVERLOADED"}
        assert slow.calls == [[ONE]]
        slow.told.set()
        assert (await running).json()["data"] == PERSON["data"]


async def test_who_waits_too_long_is_refused() -> None:
    async with gateway(concurrency=1, queue_timeout="50ms") as (slow, address):
        running = asyncio.ensure_future(ask(address))
        await slow.until(slow.calls, 1)
        answer = await ask(address, TWO)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "OVERLOADED")
        slow.told.set()
        assert (await running).status_code == 200
        assert (await ask(address, TWO)).status_code == 200


async def test_who_goes_away_leaves_the_place_to_others() -> None:
    async with gateway(concurrency=1, queue_timeout="20s") as (slow, address):
        running = asyncio.ensure_future(ask(address))
        await slow.until(slow.calls, 1)
        waiting = asyncio.ensure_future(ask(address, TWO))
        await gone(running)
        await slow.until(slow.calls, 2)
        slow.told.set()
        assert (await waiting).json()["data"] == PERSON["data"]
        assert slow.aborted == [[ONE]]


async def refused(waiting: asyncio.Future[None]) -> str:
    with pytest.raises(Refused) as told:
        await waiting
    return str(told.value.code)


async def test_places_are_given_in_the_order_of_coming() -> None:
    admission = Admission(Limits(concurrency=2, queue=3, queue_timeout=60.0))
    came: list[int] = []

    async def operation(number: int, end: asyncio.Event) -> None:
        await admission.enter()
        came.append(number)
        await end.wait()
        admission.leave()

    ends = [asyncio.Event() for _ in range(5)]
    tasks = []
    for number, end in enumerate(ends):
        tasks.append(asyncio.ensure_future(operation(number, end)))
        await asyncio.sleep(0)
    assert await refused(asyncio.ensure_future(admission.enter())) == "OVERLOADED"
    assert came == [0, 1]
    tasks[2].cancel()  # leaves the queue
    await asyncio.sleep(0)
    ends[1].set()
    await tasks[1]
    await asyncio.sleep(0)
    assert came == [0, 1, 3]
    for end in ends:
        end.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert came == [0, 1, 3, 4]
    assert (admission._running, len(admission._waiting)) == (0, 0)


async def test_a_place_that_comes_to_one_who_is_leaving_goes_to_the_next() -> None:
    admission = Admission(Limits(concurrency=1, queue=2, queue_timeout=60.0))
    await admission.enter()
    first, second = (asyncio.ensure_future(admission.enter()) for _ in range(2))
    await asyncio.sleep(0)
    admission.leave()
    first.cancel()
    await second
    assert first.cancelled()
    admission.leave()
    assert (admission._running, len(admission._waiting)) == (0, 0)


async def test_health_is_answered_however_many_wait() -> None:
    async with gateway(concurrency=1, queue=0) as (slow, address):
        running = asyncio.ensure_future(ask(address))
        await slow.until(slow.calls, 1)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{address}/ready")).status_code == 200
        slow.told.set()
        assert (await running).status_code == 200


async def test_a_place_does_not_go_to_one_who_is_just_leaving_the_queue() -> None:
    admission = Admission(Limits(concurrency=1, queue=2, queue_timeout=1.0))
    await admission.enter()
    leaving, waiting = (asyncio.ensure_future(admission.enter()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    admission.leave()
    await waiting
    with suppress(asyncio.CancelledError):
        await leaving
    admission.leave()
    await admission.enter()  # nothing was lost: there is one place
