"""Root fields by id."""

from __future__ import annotations

from collections.abc import Sequence

from ..completeness import Gaps
from ..contracts import EntityId, Step, Want
from ..entity import Entity
from ..operation import Operation
from .complete import complete, shown
from .identify import current


def by_ids(
    operation: Operation, resource: str, ids: Sequence[EntityId], want: Want, gaps: Gaps
) -> Step[list[Entity | None]]:
    """The records with these ids, in order; None where there is none or the policy hides it."""
    rules = operation.federation.rules[resource]
    if not rules.servers:
        operation.not_served[resource] = None
        return [None for _ in ids]
    ids = yield from current(operation, resource, ids)
    yield from complete(operation, resource, ids, want, gaps, also=rules.population)
    return shown(operation, resource, ids)
