"""Paging through a list by the steps, as a client would by GraphQL. By hand it prints what it takes:

python -m tests.lists.paging [records per source] [page size ...]
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from dataclasses import dataclass

from resolvers.contracts import Selector, Want
from resolvers.driver import run
from resolvers.federation import Federation
from resolvers.operation import Operation
from resolvers.steps.connection import Listed, connection
from sources.requests import Query
from sources.standard import RESOURCES

from .world import CHUNK, World

ORDER = (RESOURCES["Person"].sort_key["DisplayNameAsc"],)
WANT = Want(frozenset({"givenName", "familyName", "emails"}))


async def page(over: Federation, first: int, after: str | None, *, ordered: bool) -> Listed:
    """One page, asked for by an operation of its own."""
    selector = Selector(order=ORDER if ordered else (), first=first)
    operation = Operation(over, asyncio.get_running_loop().time() + 300)
    listed = await run(operation, connection(operation, "Person", selector, after, WANT))
    assert listed is not None
    for entity in listed.entities:
        assert entity.value("emails")
    return listed


@dataclass
class Walked:
    ids: list[str]
    pages: int
    first_page: float
    """Seconds."""
    slowest: float
    seconds: float


async def walk(over: Federation, first: int, *, ordered: bool, after: str | None = None, most: int = 10**9) -> Walked:
    """The list from a cursor to its end, or ``most`` pages of it."""
    ids: list[str] = []
    times: list[float] = []
    while len(times) < most:
        began = time.perf_counter()
        listed = await page(over, first, after, ordered=ordered)
        times.append(time.perf_counter() - began)
        assert not listed.gaps
        ids += [entity.id for entity in listed.entities]
        if not listed.has_next:
            break
        after = listed.cursors[-1]
    return Walked(ids, len(times), times[0], max(times[1:], default=0.0), sum(times))


async def memory(world: World) -> tuple[float, float]:
    """Bytes per record of a sorted list, beside the cached pages: while its listing is made at most, and after."""
    over = world.federation()
    for _ in range(2):  # the pages into the cache, and everything that is made once
        for server in world.servers:
            source = over.sources[server.name]
            token = None
            while True:
                answer = await source.page("Person", Query(), token, asyncio.get_running_loop().time() + 60)
                token = answer.next
                if token is None:
                    break
    del answer
    gc.collect()
    tracemalloc.start()
    listed = await page(over, 1, None, ordered=True)
    del listed
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    count = len(world.unordered())
    return peak / count, kept / count


async def table(size: int, firsts: list[int]) -> None:
    world = World(size)
    count = len(world.unordered())
    print(f"4 sources of {size} records, {count} in all; {world.pages} pages of sources, {count / CHUNK:.0f} blocks")
    print("order      first   pages  calls  bound   first s  slowest s   total s")
    for ordered in (True, False):
        for first in firsts:
            world.reset()
            done = await walk(world.federation(), first, ordered=ordered)
            assert done.ids == (world.ordered() if ordered else world.unordered())
            bound = 1.2 * (world.pages + count / CHUNK)
            print(
                f"{'ordered' if ordered else 'unordered':9} {first:6} {done.pages:7} {world.calls:6} {bound:6.0f}"
                f" {done.first_page:9.3f} {done.slowest:10.3f} {done.seconds:9.2f}",
                flush=True,
            )
    peak, kept = await memory(world)
    print(f"memory of a sorted list per record: {kept:.0f} bytes kept, {peak:.0f} at most while it is made")


if __name__ == "__main__":
    arguments = [int(each) for each in sys.argv[1:]]
    asyncio.run(table(arguments[0] if arguments else 25_000, arguments[1:] or [7, 100, 1000]))
