"""One operation: its deadline, clock, gaps, and the one version of every row that it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sources.records import Answer, Row, View
from sources.standard.model import Expand
from sources.standard.model import View as Whole

from .completeness import Gaps
from .contracts import EntityId, Fetch, List, Lookup
from .federation import Federation
from .identity import entity as entity_id


class Operation:
    """The state of answering one GraphQL operation over a federation.

    ``deadline`` is a time of the running loop; ``now`` and ``today`` are read once.
    """

    def __init__(self, federation: Federation, deadline: float | None = None) -> None:
        self.federation = federation
        self.deadline = (
            asyncio.get_running_loop().time() + federation.limits.operation_timeout if deadline is None else deadline
        )
        self.now: datetime = federation.clock()
        self.today: date = self.now.astimezone(federation.timezone).date()
        self.gaps = Gaps()
        self.not_served: dict[str, None] = {}
        self.calls = 0
        """How many fetches were asked of sources; one may be several HTTP calls."""
        self.subtrees: dict[str, frozenset[str]] = {}
        self._rows: dict[tuple[str, str], dict[EntityId, Row | None]] = {}
        self._walked: set[tuple[str, str]] = set()

    def rows(self, source: str, resource: str) -> dict[EntityId, Row | None]:
        """The rows seen of a source's resource, by id; None: the source said that it has no such record."""
        return self._rows.setdefault((source, resource), {})

    def walked(self, source: str, resource: str) -> bool:
        """Whether all of the source's records of the resource were read, so that a missing one is not there."""
        return (source, resource) in self._walked

    def absorb(self, fetch: Fetch, answer: Answer, gaps: Gaps | None = None) -> list[EntityId]:
        """Take in an answer: keep the first version of each row, note what is missing. Gives the ids, in order."""
        self.gaps.note(answer.faults)
        if gaps is not None:
            gaps.note(answer.faults)
        source, resource = fetch.source, fetch.resource
        seen = self.rows(source, resource)
        list_only = resource in self.federation.sources[source].capabilities.list_only
        ids: list[EntityId] = []
        for slab in answer.slabs:
            keep = slab.view is View.LIST or not list_only
            for index, local_id in enumerate(slab.ids):
                found = entity_id(source, resource, local_id)
                ids.append(found)
                if keep and seen.get(found) is None:
                    seen[found] = Row(slab, index)
        if answer.faults:
            return ids
        if isinstance(fetch.op, Lookup) and fetch.op.key == "ids":
            self.absent(source, resource, (entity_id(source, resource, value) for value in fetch.op.values))
        elif isinstance(fetch.op, List) and not fetch.op.query.parameters:
            self._walked.add((source, resource))
            self.federation.pages_seen[source, resource] = max(1, len(answer.slabs))
        return ids

    def absorb_embedded(self, answer: Answer, expand: Expand, found: dict[EntityId, None]) -> set[EntityId]:
        """Take in what an expand put into an answer's records: their ids into ``found``, and whole records as rows.

        Gives the parents that the source told of. A fragment or a reference is no row: it lacks columns.
        """
        told: set[EntityId] = set()
        for slab in answer.slabs:
            embedded = slab.embedded.get(expand.name)
            if embedded is None:
                continue
            for index, parent in enumerate(slab.ids):
                rows = embedded.of(index)
                if rows is None:
                    continue
                told.add(entity_id(slab.source, slab.resource, parent))
                for row, _ in rows:
                    child = entity_id(slab.source, expand.resource, row.id)
                    found[child] = None
                    seen = self.rows(slab.source, expand.resource)
                    if expand.view is Whole.FULL and seen.get(child) is None:
                        seen[child] = row
        return told

    def absent(self, source: str, resource: str, ids: Iterable[EntityId]) -> None:
        """Remember that the source has none of these, unless a row was seen."""
        seen = self.rows(source, resource)
        for found in ids:
            seen.setdefault(found, None)

    def absorb_all(
        self, fetches: Sequence[Fetch], answers: Sequence[Answer], gaps: Gaps | None = None
    ) -> list[list[EntityId]]:
        return [self.absorb(fetch, answer, gaps) for fetch, answer in zip(fetches, answers, strict=True)]

    async def fetch(self, fetch: Fetch) -> Answer:
        """Ask the source."""
        self.calls += 1
        source = self.federation.sources[fetch.source]
        op = fetch.op
        if isinstance(op, List):
            return await source.walk(fetch.resource, op.query, self.deadline)
        if isinstance(op, Lookup):
            return await source.lookup(fetch.resource, op.key, op.values, op.expand, self.deadline)
        return await source.page(fetch.resource, op.query, op.token, self.deadline)
