"""The demonstration municipality and its six servers, started once for all tests that only read from them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterator
from datetime import date
from threading import Thread

import pytest
from hypothesis import settings

from sources.demo.configuration import gateway_config
from sources.demo.municipality import Municipality, build
from sources.demo.server import DemoServers, start

from .oracle import Oracle

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("random")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))  # a run is the same everywhere, unless asked

TODAY = date(2026, 3, 25)
"""A Wednesday; daylight saving time begins on the Sunday after."""
PUPILS = 240
DEADLINE = 60.0
"""Seconds for six servers to come up, or to go down, on a busy machine."""


def oracle_of(municipality: Municipality, servers: DemoServers, without: Collection[str] = ()) -> Oracle:
    """What a gateway over the servers must say; ``without`` names stopped ones."""
    return Oracle(municipality.sources, gateway_config(servers), without)


@pytest.fixture(scope="session")
def town() -> Municipality:
    """The municipality that ``demo`` serves."""
    return build(pupils=PUPILS, seed=1, today=TODAY)


@pytest.fixture(scope="session")
def demo(town: Municipality) -> Iterator[DemoServers]:
    """Its six servers, for every test alike: never stop one of these.

    They run in a thread of their own, since each test (or module) has its own event loop. Reset their calls before
    counting them.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="demonstration servers", daemon=True)
    thread.start()
    servers = asyncio.run_coroutine_threadsafe(start(town), loop).result(DEADLINE)
    yield servers
    asyncio.run_coroutine_threadsafe(servers.stop(), loop).result(DEADLINE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    loop.close()


@pytest.fixture(scope="session")
def oracle(town: Municipality, demo: DemoServers) -> Oracle:
    """What a gateway over ``demo`` must say."""
    return oracle_of(town, demo)
