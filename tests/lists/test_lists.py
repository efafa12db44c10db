"""Long lists over four overlapping sources: all records once, in order, in few calls, whatever happens on the way."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import orjson
import pytest

from resolvers.errors import Code, InvalidCursor
from resolvers.steps.listing import BATCH
from sources.errors import FaultCode

from .paging import memory, page, walk
from .world import CHUNK, NAMES, World

SMALL = 700
"""Records at each source; 1,556 in all."""

both = pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "unordered"])


@pytest.fixture
def world() -> World:
    return World(SMALL)


def expected(world: World, *, ordered: bool) -> list[str]:
    return world.ordered() if ordered else world.unordered()


def bound(world: World) -> float:
    return 1.2 * (world.pages + len(world.unordered()) / CHUNK)


@pytest.mark.slow
@pytest.mark.parametrize("first", [7, 100, 1000])
@both
async def test_a_large_list_page_by_page(ordered: bool, first: int) -> None:
    world = World(25_000)
    done = await walk(world.federation(), first, ordered=ordered)
    assert done.ids == expected(world, ordered=ordered)
    assert world.calls <= bound(world)


@pytest.mark.slow
async def test_what_a_sorted_list_takes_in_memory() -> None:
    peak, kept = await memory(World(25_000))
    print(f"\na sorted list takes {kept:.0f} bytes per record, {peak:.0f} at most while it is made")
    assert kept < 130
    assert peak < 400


@pytest.mark.parametrize("first", [pytest.param(1, marks=pytest.mark.slow), 100])
@both
async def test_two_thousand_records(ordered: bool, first: int) -> None:
    world = World(900)
    assert len(world.unordered()) == 2000
    done = await walk(world.federation(), first, ordered=ordered)
    assert done.ids == expected(world, ordered=ordered)
    assert world.calls <= bound(world)


async def test_the_first_page_of_an_unordered_list_reads_no_more_than_it_needs(world: World) -> None:
    over = world.federation()
    listed = await page(over, 1, None, ordered=False)
    assert [entity.id for entity in listed.entities] == world.unordered()[:1]
    assert [dict(server.calls) for server in world.servers] == [{"list": 1}, *[{"lookup": 1}] * 3]


@both
async def test_where_the_cache_is_too_small_records_are_looked_up_in_blocks(ordered: bool, world: World) -> None:
    """The pages are gone when records are shown: each source is asked for as many as a call takes, once."""
    over = world.federation(max_bytes=900_000, chunk=100)
    done = await walk(over, 50, ordered=ordered)
    assert done.ids == expected(world, ordered=ordered)
    assert world.calls <= 2 * world.pages + len(NAMES) * (SMALL / 100 + 2)


@both
async def test_a_list_goes_on_after_a_410(ordered: bool, world: World) -> None:
    """The list is published anew while it is walked: the walk begins again, and the client does not notice."""
    over = world.federation()
    for server in world.servers:
        server.gone_once = 1
    done = await walk(over, 100, ordered=ordered)
    assert done.ids == expected(world, ordered=ordered)
    assert [server.calls["gone"] for server in world.servers] == [1, 1, 1, 1]


async def test_an_ordered_list_goes_on_in_another_process_after_its_tokens_died(world: World) -> None:
    first = await walk(world.federation(), 100, ordered=True, most=5)
    after = (await page(world.federation(), 500, None, ordered=True)).cursors[-1]
    for server in world.servers:
        server.state += 1
    rest = await walk(world.federation(), 100, ordered=True, after=after)
    assert first.ids + rest.ids == world.ordered()


@pytest.mark.parametrize("first", [300, 900, 1500])
@both
async def test_a_list_goes_on_after_a_restart(ordered: bool, first: int, world: World) -> None:
    begun = await page(world.federation(), first, None, ordered=ordered)
    rest = await walk(world.federation(), 100, ordered=ordered, after=begun.cursors[-1])
    assert [entity.id for entity in begun.entities] + rest.ids == expected(world, ordered=ordered)


@pytest.mark.parametrize("first", [50, 450, 700, 1300])
async def test_an_unordered_list_whose_tokens_died_finds_its_place_or_says_that_it_cannot(
    first: int, world: World
) -> None:
    """The whole lists show where a client was that has read some hundreds of records; or it was on a first page."""
    begun = await page(world.federation(), first, None, ordered=False)
    for server in world.servers:
        server.state += 1
    rest = await walk(world.federation(), 100, ordered=False, after=begun.cursors[-1])
    assert [entity.id for entity in begun.entities] + rest.ids == world.unordered()


async def test_a_list_that_is_another_one_after_its_tokens_died_has_expired(world: World) -> None:
    begun = await page(world.federation(), 600, None, ordered=False)
    for server in world.servers:
        server.state += 1
        server.ids = server.ids[-20:]
    with pytest.raises(InvalidCursor) as refused:
        await page(world.federation(), 100, begun.cursors[-1], ordered=False)
    assert refused.value.code == Code.CURSOR_EXPIRED


@pytest.mark.parametrize("first", [100, 600])
async def test_an_unordered_list_waits_for_the_source_in_the_middle_of_which_it_is(first: int, world: World) -> None:
    """What that source gave before would come again from the others; so the cursor stays where it is."""
    over = world.federation(ttl=0.0)
    begun = await page(over, first, None, ordered=False)
    world.servers[0].down = True
    waiting = await page(over, 100, begun.cursors[-1], ordered=False)
    assert (waiting.entities, waiting.has_next) == ([], True)
    assert [gap.source for gap in waiting.gaps] == ["alfa"]
    world.servers[0].down = False
    rest = await walk(over, 400, ordered=False, after=begun.cursors[-1])
    assert [entity.id for entity in begun.entities] + rest.ids == world.unordered()


@both
async def test_a_list_goes_on_in_another_process(ordered: bool) -> None:
    world = World(600)
    begun = await page(world.federation(), 700, None, ordered=ordered)
    program = (
        "import asyncio, sys, orjson\n"
        "from tests.lists.paging import walk\n"
        "from tests.lists.world import World\n"
        f"done = asyncio.run(walk(World(600).federation(), 100, ordered={ordered}, after=sys.argv[1]))\n"
        "sys.stdout.buffer.write(orjson.dumps(done.ids))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, begun.cursors[-1], stdout=subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert [entity.id for entity in begun.entities] + orjson.loads(said) == expected(world, ordered=ordered)


@both
async def test_who_asks_at_the_same_time_shares_the_walk(ordered: bool, world: World) -> None:
    over = world.federation()
    done = await asyncio.gather(*(walk(over, 400, ordered=ordered) for _ in range(4)))
    assert all(each.ids == expected(world, ordered=ordered) for each in done)
    assert sum(server.calls["list"] for server in world.servers) == world.pages


@both
async def test_a_source_that_fails_in_the_middle_heals(ordered: bool, world: World) -> None:
    """The pages with a gap say so, and so do all after them; a walk from the same cursor later has everything."""
    over = world.federation(ttl=0.0)
    begun = await page(over, 600, None, ordered=ordered)
    world.servers[2].down = True
    broken = await page(over, 100, begun.cursors[-1], ordered=ordered)
    assert {(gap.source, gap.code) for gap in broken.gaps} == {("gamma", FaultCode.SOURCE_UNAVAILABLE)}
    world.servers[2].down = False
    later = await page(over, 100, broken.cursors[-1], ordered=ordered)
    assert later.gaps == broken.gaps
    healed = await walk(over, 400, ordered=ordered, after=begun.cursors[-1])
    assert [entity.id for entity in begun.entities] + healed.ids == expected(world, ordered=ordered)


async def test_other_work_goes_on_while_a_list_is_sorted(world: World) -> None:
    """No step holds the loop for longer than a page of one source, or a batch of candidates, takes."""
    turns = 0

    async def watch() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    watching = asyncio.ensure_future(watch())
    await page(world.federation(), 10, None, ordered=True)
    watching.cancel()
    batches = -(-len(world.unordered()) // BATCH)
    assert turns >= world.pages + batches
