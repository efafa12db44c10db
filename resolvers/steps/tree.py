"""The organisation tree: an organisation and everything below it, and what lies above."""

from __future__ import annotations

from collections.abc import Iterable

from sources.requests import Query

from ..completeness import Gaps
from ..contracts import EntityId, Fetch, List, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..predicates import leaves
from .rows import rows_by_id

_WANT = Want(frozenset({"parentOrganisation", "organisationType"}))


def subtrees(operation: Operation, organisations: Iterable[str], gaps: Gaps | None = None) -> Step[None]:
    """See to it that ``operation.subtrees`` knows these organisations. Loops in the tree are survived.

    What depends on the tree (``when``, a source's scope) cannot decide over it: it is what all sources say.
    """
    wanted = [EntityId(each) for each in organisations if EntityId(each) not in operation.subtrees]
    if not wanted:
        return
    yield from _read(operation, gaps)
    children: dict[str, list[str]] = {}
    for entity in _known(operation):
        for parent in leaves(entity.value, "parentOrganisation"):
            children.setdefault(str(parent), []).append(entity.id)
    for root in wanted:
        below: set[str] = set()
        pending: list[str] = [root]
        while pending:
            each = pending.pop()
            if each not in below:
                below.add(each)
                pending += children.get(each, ())
        operation.subtrees[root] = frozenset(below)


def levels(
    operation: Operation, organisations: Iterable[str], kind: str, gaps: Gaps | None = None
) -> Step[dict[str, str]]:
    """Per organisation, the nearest of itself and those above it that is of a kind (an organisationType).

    Those that have none are left out. Loops are survived.
    """
    yield from _read(operation, gaps)
    parents = {entity.id: next(leaves(entity.value, "parentOrganisation"), None) for entity in _known(operation)}
    kinds = {entity.id: entity.value("organisationType") for entity in _known(operation)}
    found: dict[str, str] = {}
    for organisation in organisations:
        here: object = organisation
        seen: set[object] = set()
        while here is not None and here not in seen:
            seen.add(here)
            each = EntityId(str(here))
            if kinds.get(each) == kind:
                found[organisation] = each
                break
            here = parents.get(each)
    return found


def _read(operation: Operation, gaps: Gaps | None) -> Step[None]:
    """Read all organisations of every source that is heard for the tree."""
    rules = operation.federation.rules["Organisation"].default
    if not rules.servers:
        operation.not_served["Organisation"] = None
    fetches = [
        Fetch(source, "Organisation", List(Query()))
        for source in rules.heard(_WANT)
        if not operation.walked(source, "Organisation")
    ]
    if not fetches:
        return
    listed = operation.absorb_all(fetches, (yield fetches), gaps)
    lacking = {
        fetch.source: ids
        for fetch, ids in zip(fetches, listed, strict=True)
        if "Organisation" in operation.federation.sources[fetch.source].capabilities.list_lacks
    }
    further = rows_by_id(operation, "Organisation", lacking)
    if further:
        operation.absorb_all(further, (yield further), gaps)


def _known(operation: Operation) -> list[Entity]:
    rules = operation.federation.rules["Organisation"].default
    ids = {each for source in rules.heard(_WANT) for each in operation.rows(source, "Organisation")}
    return [Entity(operation, rules, found) for found in ids]
