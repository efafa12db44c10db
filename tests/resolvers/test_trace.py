"""What an operation did is noted where somebody wants to see it: counts, and the names of fields."""

from __future__ import annotations

import asyncio

from gateway.execution.batches import Batch
from resolvers.contracts import EntityId, Fetch, List, Lookup, Step
from resolvers.driver import run
from resolvers.federation import Federation
from resolvers.operation import Operation
from resolvers.trace import How, Trace, fetching_for
from sources.records import Answer
from sources.requests import Query
from sources.tally import counting
from tests.fakes import FakeSource

IDS = [EntityId(f"00000000-0000-4000-8000-00000000000{n}") for n in range(4)]


class Calling(FakeSource):
    """Tells the tally of its calls, as a real source does."""

    async def lookup(self, *args: object, **kwargs: object) -> Answer:
        self._told("lookup")
        await asyncio.sleep(0)
        return await super().lookup(*args, **kwargs)  # type: ignore[arg-type]

    async def walk(self, *args: object, **kwargs: object) -> Answer:
        self._told("list")
        return await super().walk(*args, **kwargs)  # type: ignore[arg-type]

    def _told(self, operation: str) -> None:
        tally = counting.get()
        if tally is not None:
            tally.called(self.name, operation)


def traced() -> Operation:
    source = Calling("sis", {"Person": [{"id": id} for id in IDS]})
    operation = Operation(Federation({"sis": source}))
    operation.trace = Trace()
    return operation


def lookup(*ids: EntityId) -> Fetch:
    return Fetch("sis", "Person", Lookup("ids", ids))


async def fetch(operation: Operation, *fetches: Fetch) -> None:
    def step() -> Step[None]:
        yield fetches

    await run(operation, step())


async def test_a_fetch_is_noted_with_its_calls_and_rows() -> None:
    operation = traced()
    with fetching_for([("persons", "nodes")]):
        await fetch(operation, lookup(*IDS[:3]))
    assert operation.trace is not None
    (done,) = operation.trace.done
    assert (done.source, done.resource, done.how) == ("sis", "Person", How.IDS)
    assert (done.calls, done.rows, done.failed) == ({"sis": 1}, 3, False)
    assert done.fields == {("persons", "nodes")}


async def test_what_waits_for_an_answer_goes_out_in_the_next_round() -> None:
    operation = traced()

    def step():  # type: ignore[no-untyped-def]
        yield [lookup(IDS[0]), Fetch("sis", "Person", List(Query()))]
        yield [lookup(IDS[1])]

    await run(operation, step())
    assert operation.trace is not None
    assert [done.round for done in operation.trace.done] == [1, 1, 2]
    assert operation.trace.rounds == 2


async def test_what_one_call_brings_for_two_fields_is_noted_once_and_for_both() -> None:
    operation = traced()

    async def ask(field: str, *ids: EntityId) -> None:
        with fetching_for([(field,)]):
            await fetch(operation, lookup(*ids))

    await asyncio.gather(ask("a", IDS[0]), ask("b", IDS[1]), ask("c", IDS[0]))
    assert operation.trace is not None
    (done,) = operation.trace.done
    assert done.fields == {("a",), ("b",), ("c",)}
    assert done.calls == {"sis": 1}


async def test_work_aside_is_noted_too() -> None:
    operation = traced()
    aside = operation.aside()
    await fetch(aside, lookup(IDS[0]))
    assert operation.trace is not None
    assert len(operation.trace.done) == 1


async def test_what_is_asked_together_is_for_all_who_asked() -> None:
    operation = traced()

    def step(ids: list[EntityId]):  # type: ignore[no-untyped-def]
        yield [lookup(*ids)]
        return ids

    batch = Batch(operation, step)

    async def ask(field: str, id: EntityId) -> None:
        with fetching_for([(field,)]):
            await operation.rounds.counted(batch.all([id]))

    await asyncio.gather(ask("a", IDS[0]), ask("b", IDS[1]))
    await ask("c", IDS[2])
    assert operation.trace is not None
    assert [done.fields for done in operation.trace.done] == [{("a",), ("b",)}, {("c",)}]
