"""Ids that come from outside: one that the gateway gave before may have become another name of a thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sources.standard.values import refers_to

from ..contracts import EntityId, Fetch, Identify, Selector, Step
from ..operation import Operation


def current(operation: Operation, resource: str, ids: Sequence[EntityId]) -> Step[list[EntityId]]:
    """The ids by which the gateway knows the things now, in order."""
    if not operation.federation.identities.rules(resource):
        return list(ids)
    yield [Fetch("", resource, Identify())]
    known = operation.identified(resource)
    return list(ids) if known is None else [known.canonical(each) for each in ids]


def current_selector(operation: Operation, selector: Selector) -> Step[Selector]:
    """The selector with the ids in its conditions as the gateway knows them now."""
    conditions = []
    for condition in selector.conditions:
        target = refers_to(condition.parameter)
        if target is not None and operation.federation.identities.rules(target):
            ids = yield from current(operation, target, [EntityId(value) for value in condition.values])
            condition = replace(condition, values=tuple(ids))
        conditions.append(condition)
    return replace(selector, conditions=tuple(conditions))
