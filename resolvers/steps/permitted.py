"""What a client names in a filter: by ids of now, and never to find out about somebody who is not shown."""

from __future__ import annotations

from dataclasses import replace

from sources.standard.values import refers_to

from ..completeness import Gaps
from ..contracts import EntityId, Selector, Step, Want
from ..operation import Operation
from .forward import references
from .identify import current_selector


def permitted(operation: Operation, selector: Selector, gaps: Gaps | None = None) -> Step[Selector]:
    """The selector in ids of now, without hidden persons: filtering by one selects nothing, as for an unknown id."""
    selector = yield from current_selector(operation, selector)
    if not operation.federation.policy.columns("Person"):
        return selector
    asked = [
        EntityId(value)
        for condition in selector.conditions
        if refers_to(condition.parameter) == "Person"
        for value in condition.values
    ]
    if not asked:
        return selector
    people = yield from references(operation, "Person", asked, Want(), gaps)
    hidden = {each for each, person in zip(asked, people, strict=True) if person is None}
    conditions = tuple(
        replace(condition, values=tuple(value for value in condition.values if EntityId(value) not in hidden))
        if refers_to(condition.parameter) == "Person"
        else condition
        for condition in selector.conditions
    )
    return replace(selector, conditions=conditions)
