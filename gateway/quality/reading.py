"""Every list of every source, page by page, into surveys: nothing else is kept, and no page is asked for twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from resolvers.federation import Federation
from resolvers.quality import EXAMPLES, Judgement, judge
from resolvers.survey import Digests, Survey
from sources.check import window
from sources.errors import Fault, FaultCode
from sources.requests import Query
from sources.source import Source
from sources.standard import RESOURCES

from ..assemble import assemble
from ..config import Settings
from .progress import Progress

DAYS_BACK = 30
DAYS_AHEAD = 30
TIME_LIMIT = 1800.0
"""Seconds that one source may take in all; each of its calls ends after the source's own ``timeout``."""
MAX_RECORDS = 1_000_000
"""The most records of one list. Each takes a few hundred bytes of memory."""

_NO_USE = frozenset({FaultCode.SOURCE_UNREACHABLE, FaultCode.SOURCE_CREDENTIALS_REFUSED})
"""Failures that the source's other lists would meet too."""
TOO_MANY_RECORDS = "TOO_MANY_RECORDS"
"""Why a list was not read to its end, where that was nobody's fault."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the report is about: lists that require a period are read from ``first`` to ``last``, local days."""

    first: date
    last: date
    examples: int = EXAMPLES
    time_limit: float = TIME_LIMIT
    max_records: int = MAX_RECORDS


@dataclass(frozen=True, slots=True)
class Listed:
    """One list of a source, and how it went; ``code`` says why it is not whole."""

    source: str
    resource: str
    records: int
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, when, and what is wrong in it. ``lists`` and findings stand in configured order of the sources."""

    asked: Asked
    read_at: datetime
    timezone: str
    sources: tuple[str, ...]
    lists: tuple[Listed, ...]
    judgement: Judgement

    @property
    def ok(self) -> bool:
        return not self.judgement.findings


async def read(settings: Settings, asked: Asked, progress: Progress) -> Report:
    """Read all that the configured sources have, all sources at the same time. Raises nothing for what they do."""
    # Every page is read once, so that none is worth keeping.
    uncached = tuple(replace(source, ttl={"default": 0.0}) for source in settings.sources)
    # Ids are compared as the sources have them: the map of a gateway that runs is not touched.
    assembled = assemble(replace(settings, sources=uncached, identity=replace(settings.identity, store=None)))
    federation, digests = assembled.federation, Digests()
    read_at = federation.clock().astimezone(federation.timezone)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_Reader(source, federation, digests, asked, progress).lists())
                for source in assembled.sources
            ]
    finally:
        progress.end()
        await assembled.aclose()
    found = [survey for task in tasks for survey in task.result()]
    surveys: dict[str, dict[str, Survey]] = {}
    for survey in found:
        surveys.setdefault(survey.resource, {})[survey.source] = survey
    return Report(
        asked,
        read_at,
        settings.server.timezone,
        tuple(source.name for source in assembled.sources),
        tuple(Listed(each.source, each.resource, each.records, each.code) for each in found),
        judge(federation, surveys, digests, asked.examples),
    )


class _Reader:
    """Reads the lists of one source, one after the other."""

    def __init__(
        self, source: Source, federation: Federation, digests: Digests, asked: Asked, progress: Progress
    ) -> None:
        self._source = source
        self._federation = federation
        self._digests = digests
        self._asked = asked
        self._progress = progress
        self._deadline = asyncio.get_running_loop().time() + asked.time_limit

    async def lists(self) -> list[Survey]:
        found: list[Survey] = []
        given_up: Fault | None = None
        for resource in RESOURCES:
            if resource not in self._source.capabilities.resources:
                continue
            survey = self._survey(resource)
            if given_up is None:
                survey, fault = await self._list(resource)
                given_up = fault if fault is not None and fault.code in _NO_USE else None
            else:
                survey.fail(str(given_up.code), given_up.status)
            self._progress.done(self._source.name, resource, survey.records, survey.code)
            found.append(survey)
        return found

    def _survey(self, resource: str) -> Survey:
        return Survey(self._source.name, self._federation.rules[resource], self._digests, self._asked.examples)

    async def _list(self, resource: str) -> tuple[Survey, Fault | None]:
        """A list's survey, and what it failed for. A 410 says that it changed meanwhile: then it is read anew."""
        restarts = self._source.settings.restarts
        while True:
            survey = self._survey(resource)
            fault = await self._parts(survey)
            if fault is None:
                return survey, None
            if fault.code is not FaultCode.SOURCE_LIST_CHANGED or restarts <= 0:
                survey.fail(str(fault.code), fault.status)
                return survey, fault
            restarts -= 1

    async def _parts(self, survey: Survey) -> Fault | None:
        for query in self._queries(survey.resource):
            survey.begin_part()
            fault = await self._pages(survey, query)
            if fault is not None or survey.code is not None:
                return fault
        return None

    def _queries(self, resource: str) -> Iterator[Query]:
        """The list, or the parts of its period that the source takes at once."""
        asked, zone = self._asked, self._federation.timezone
        days = (asked.last - asked.first).days + 1
        size = self._source.capabilities.window_days or days
        for start in range(0, days, size) if RESOURCES[resource].window else (0,):
            first = asked.first + timedelta(days=start)
            yield window(resource, first, min(asked.last, first + timedelta(days=size - 1)), zone)

    async def _pages(self, survey: Survey, query: Query) -> Fault | None:
        """All pages of one query. Not through ``walk``, which leaves out what came twice and holds all at once."""
        token: str | None = None
        seen: set[str] = set()
        while True:
            answer = await self._source.page(survey.resource, query, token, self._deadline)
            for slab in answer.slabs:
                survey.add(slab)
            self._progress.update(self._source.name, survey.resource, survey.records)
            failures = [fault for fault in answer.faults if fault.code is not FaultCode.SOURCE_RECORD_INVALID]
            if failures:
                return failures[0]
            token = answer.next
            if token is None:
                return None
            if token in seen or len(seen) >= self._source.settings.max_pages:
                return Fault(self._source.name, survey.resource, FaultCode.SOURCE_PAGING_LOOP)
            seen.add(token)
            if survey.records >= self._asked.max_records:
                survey.fail(TOO_MANY_RECORDS)
                return None
