"""What sources say they deleted. Deleted at one source means gone from its part only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sources.records import DeletedAnswer
from sources.standard import RESOURCES

from .completeness import Gaps
from .contracts import EntityId, Gap
from .operation import Operation
from .trace import How


@dataclass(frozen=True, slots=True)
class Deleted:
    """One record that one source deleted."""

    source: str
    resource: str
    id: EntityId


async def deleted(
    operation: Operation, after: str | None, resources: Sequence[str] | None
) -> tuple[list[Deleted], tuple[Gap, ...]]:
    """The records that each source deleted after an instant, of some resources (None: of all that it serves)."""
    asked: list[tuple[str, tuple[str, ...]]] = []
    for name, source in operation.federation.sources.items():
        serves = tuple(
            each
            for each, resource in RESOURCES.items()
            if each in source.capabilities.resources
            and resource.deleted is not None
            and (resources is None or each in resources)
        )
        if serves:
            asked.append((name, serves))
    operation.asked |= bool(asked)
    operation.calls += len(asked)
    answers = await asyncio.gather(*(_read(operation, name, after, serves) for name, serves in asked))
    gaps = Gaps()
    found: list[Deleted] = []
    for (name, serves), answer in zip(asked, answers, strict=True):
        gaps.note(answer.faults)
        for resource in serves:
            known = await operation.known(resource)
            ids = [
                known.canonical(known.entity(name, each)) if known else EntityId(each)
                for each in sorted(answer.ids.get(resource, ()))
            ]
            found += (Deleted(name, resource, each) for each in dict.fromkeys(ids))
    operation.gaps.merge(gaps)
    return found, gaps.all()


async def _read(operation: Operation, name: str, after: str | None, serves: tuple[str, ...]) -> DeletedAnswer:
    source = operation.federation.sources[name]
    if operation.trace is None:
        return await source.deleted(after, serves, operation.deadline)
    with operation.trace.noting(name, "deletedEntities", How.DELETED) as done:
        answer = await source.deleted(after, serves, operation.deadline)
        done.rows, done.failed = sum(map(len, answer.ids.values())), bool(answer.faults)
    return answer
