"""The third party's server, and gateways over it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.assemble import Assembled, assemble
from gateway.config import parse

from .oracle import Oracle
from .server import PREFIX, RESOURCES, Records, ThirdParty, read, serving

VARIABLE = "SS12000_THIRD_PARTY"


@pytest.fixture(scope="session")
def records() -> Records:
    directory = os.environ.get(VARIABLE)
    if not directory:
        pytest.skip(f"{VARIABLE} is unset: it names a directory with {', '.join(RESOURCES)} as JSON arrays")
    return read(Path(directory))


@pytest.fixture(scope="session")
def oracle(records: Records) -> Oracle:
    return Oracle(records)


@pytest.fixture(scope="session")
def third_party(records: Records) -> Iterator[ThirdParty]:
    with serving(ThirdParty(records)) as api:
        yield api


@pytest.fixture(scope="session")
def small_pages(records: Records) -> Iterator[ThirdParty]:
    """The same with pages so small that every list has several."""
    with serving(ThirdParty(records, page_size=2)) as api:
        yield api


def configuration(api: ThirdParty, **changes: Any) -> dict[str, Any]:
    """gateway.yaml for the source; ``changes`` replace keys of it."""
    return {
        "sources": {
            "sis": {
                "url": api.url + PREFIX,
                "auth": {"type": "bearer", "token": api.token},
                "resources": list(RESOURCES),
                "timezone": "UTC",
                "paging": "token_with_filters",
                "filters_ignored": True,
                "no_lookup": True,
                "list_only": {"Person": ["enrolments", "responsibles"]},
                **changes,
            }
        },
        "raw": True,
    }


@asynccontextmanager
async def gateway(api: ThirdParty, **changes: Any) -> AsyncIterator[Assembled]:
    """A gateway over the source, with nothing in its cache."""
    assembled = assemble(parse(configuration(api, **changes), Path.cwd(), {}))
    try:
        yield assembled
    finally:
        await assembled.aclose()
