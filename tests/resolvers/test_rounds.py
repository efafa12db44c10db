"""When fetches are sent: in rounds, each thing once, whatever asks for it and however long others take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from resolvers.contracts import Fetch, List, Lookup, Step
from resolvers.driver import run
from resolvers.federation import Federation
from resolvers.operation import Operation
from sources.errors import FaultCode
from sources.records import Answer
from sources.requests import Query
from tests.fakes import FakeSource

ONE, TWO, THREE = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
SECONDS = 5
"""The longest that a test waits for what never comes if the gateway is wrong."""


class Slow(FakeSource):
    """A source that answers when it is let."""

    def __init__(self, name: str) -> None:
        super().__init__(name, {"Person": [{"id": each} for each in (ONE, TWO, THREE)], "Room": []})
        self.gate = asyncio.Event()
        self.cancelled = 0

    async def lookup(self, *args: Any, **kwargs: Any) -> Answer:
        answer = await super().lookup(*args, **kwargs)
        await self._wait()
        return answer

    async def walk(self, *args: Any, **kwargs: Any) -> Answer:
        answer = await super().walk(*args, **kwargs)
        await self._wait()
        return answer

    async def _wait(self) -> None:
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    @property
    def asked(self) -> list[tuple[str, ...]]:
        return [call.values for call in self.calls if call.op == "lookup"]


def persons(source: str, *ids: str) -> Fetch:
    return Fetch(source, "Person", Lookup("ids", ids))


def chain(*rounds: Sequence[Fetch]) -> Step[int]:
    """Asks for one thing after the other; gives how many records came."""
    count = 0
    for fetches in rounds:
        count += sum(len(slab.ids) for answer in (yield fetches) for slab in answer.slabs)
    return count


async def turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_lookups_of_one_resource_go_together_and_ask_for_nobody_twice() -> None:
    source = Slow("a")
    source.gate.set()
    operation = Operation(Federation({"a": source}))
    steps = [chain([persons("a", ONE, TWO)]), chain([persons("a", TWO, THREE)]), chain([persons("a", ONE)])]
    async with asyncio.timeout(SECONDS):
        assert await asyncio.gather(*(run(operation, step) for step in steps)) == [3, 3, 3]
    assert source.asked == [(ONE, TWO, THREE)]
    assert operation.rounds.sent == 1


async def test_a_round_waits_for_the_one_before_so_that_what_comes_of_it_joins() -> None:
    slow, quick = Slow("slow"), Slow("quick")
    quick.gate.set()
    operation = Operation(Federation({"slow": slow, "quick": quick}))
    rooms = [Fetch("slow", "Room", List(Query()))]
    steps = [chain(rooms, [persons("quick", ONE)]), chain([persons("quick", TWO)], [persons("quick", THREE)])]
    work = asyncio.gather(*(run(operation, step) for step in steps))
    await turns()
    assert quick.asked == [(TWO,)]
    slow.gate.set()
    async with asyncio.timeout(SECONDS):
        await work
    assert quick.asked == [(TWO,), (THREE, ONE)] or quick.asked == [(TWO,), (ONE, THREE)]
    assert operation.rounds.sent == 2


async def test_a_list_that_is_asked_for_again_in_a_later_round_is_not_read_again() -> None:
    source = Slow("a")
    source.gate.set()
    operation = Operation(Federation({"a": source}))
    rooms = [Fetch("a", "Room", List(Query()))]
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(run(operation, chain(rooms)), run(operation, chain([persons("a", ONE)], rooms)))
    assert [call.op for call in source.calls if call.resource == "Room"] == ["walk"]


async def test_a_source_that_timed_out_once_holds_nobody_up_again() -> None:
    late, quick = Slow("late"), Slow("quick")
    late.gate.set()
    quick.gate.set()
    late.fail(FaultCode.SOURCE_TIMEOUT)
    operation = Operation(Federation({"late": late, "quick": quick}))
    await run(operation, chain([persons("late", ONE)]))
    late.gate.clear()
    waiting = asyncio.ensure_future(run(operation, chain([persons("late", TWO)])))
    await turns()
    async with asyncio.timeout(SECONDS):
        assert await run(operation, chain([persons("quick", ONE)], [persons("quick", TWO)])) == 2
    assert not waiting.done()
    late.gate.set()
    await waiting


async def test_who_leaves_ends_the_calls_that_only_he_needed() -> None:
    source = Slow("a")
    operation = Operation(Federation({"a": source}))
    leaving = asyncio.ensure_future(run(operation, chain([Fetch("a", "Room", List(Query())), persons("a", ONE)])))
    staying = asyncio.ensure_future(run(operation, chain([persons("a", ONE)])))
    await turns()
    leaving.cancel()
    await turns()
    assert source.cancelled == 1
    source.gate.set()
    async with asyncio.timeout(SECONDS):
        assert await staying == 1


async def test_a_step_that_fails_fails_whoever_waits_for_it_and_nobody_else() -> None:
    source = Slow("a")
    source.gate.set()
    operation = Operation(Federation({"a": source}))

    def failing() -> Step[int]:
        yield [persons("a", ONE)]
        raise LookupError("no")

    with pytest.raises(LookupError):
        await run(operation, failing())
    async with asyncio.timeout(SECONDS):
        assert await run(operation, chain([persons("a", TWO)])) == 1


async def test_at_the_deadline_nothing_is_held_back() -> None:
    stuck, quick = Slow("stuck"), Slow("quick")
    quick.gate.set()
    operation = Operation(Federation({"stuck": stuck, "quick": quick}), asyncio.get_running_loop().time() + 0.05)
    waiting = asyncio.ensure_future(run(operation, chain([persons("stuck", ONE)])))
    await turns()
    async with asyncio.timeout(SECONDS):
        assert await run(operation, chain([persons("quick", ONE)])) == 1
    waiting.cancel()
