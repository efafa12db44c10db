"""One small municipality for all tests of the demonstration, and its sources without sockets or credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import httpx
import pytest

from sources.demo.api import PREFIX, Api
from sources.demo.credentials import Open
from sources.demo.municipality import Municipality, build
from sources.demo.store import Store, Table

TODAY = date(2026, 3, 25)
"""A Wednesday; daylight saving time begins on the Sunday after."""

MAX_PAGES = 2000

WINDOW = {
    "CalendarEvent": {
        "startTime.onOrAfter": "2026-03-16T00:00:00+01:00",
        "startTime.onOrBefore": "2026-04-12T00:00:00+02:00",
    },
    "AggregatedAttendance": {"startDate": "2026-02-01", "endDate": "2026-03-25"},
}
"""The window of everything, where a list demands one."""


class Asked:
    """A source, asked in the way of the standard."""

    def __init__(self, name: str, api: Api) -> None:
        self.name = name
        self.api = api
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app()), base_url=f"http://demo{PREFIX}")

    async def raw(self, path: str, params: Any = None, body: Any = None) -> httpx.Response:
        """POST where there is a body, else GET."""
        if body is not None:
            return await self._client.post(path, params=params, json=body)
        return await self._client.get(path, params=params)

    async def one(self, path: str, params: Any = None, body: Any = None) -> Any:
        """The decoded body of an answer that must be 200."""
        response = await self.raw(path, params, body)
        assert response.status_code == 200, (self.name, path, response.status_code, response.text[:200])
        return response.json()

    async def walk(self, path: str, params: Sequence[tuple[str, str]] = (), limit: int | None = None) -> list[Any]:
        """All records of a list, page by page."""
        size = [] if limit is None else [("limit", str(limit))]
        page = await self.one(path, [*params, *size])
        found = list(page["data"])
        for _ in range(MAX_PAGES):
            if page["pageToken"] is None:
                return found
            page = await self.one(path, [("pageToken", page["pageToken"]), *size])
            found += page["data"]
        raise AssertionError("the list does not end")


@pytest.fixture(scope="session")
def municipality() -> Municipality:
    return build(pupils=120, seed=1, today=TODAY)


@pytest.fixture(scope="session")
def asked(municipality: Municipality) -> Mapping[str, Asked]:
    """The six sources by name."""
    background = {name: Table(records) for name, records in municipality.background.items()}
    return {
        name: Asked(name, Api(Store(records, background), municipality.deleted[name], Open(), page_size=1000))
        for name, records in municipality.sources.items()
    }
