"""The organisation tree: an organisation and everything below it, and what lies above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sources.requests import Query

from ..authority import Rules
from ..completeness import Gaps
from ..contracts import EntityId, Fetch, List, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..predicates import leaves
from .rows import rows_by_id

_WANT = Want(frozenset({"parentOrganisation", "organisationType"}))


def subtrees(operation: Operation, organisations: Iterable[str], gaps: Gaps | None = None) -> Step[None]:
    """See to it that ``operation.subtrees`` knows these organisations. Loops in the tree are survived."""
    wanted = [each for each in organisations if each not in operation.subtrees]
    if wanted:
        merged = yield from _merged(operation, gaps)
        operation.subtrees.update(_below(merged, wanted))


def extents(operation: Operation, organisations: Iterable[str], gaps: Gaps | None = None) -> Step[None]:
    """See to it that ``operation.extents`` knows these organisations."""
    wanted = [each for each in organisations if each not in operation.extents]
    if wanted:
        rules = operation.federation.rules["Organisation"].default
        told = yield from _organisations(operation, rules, gaps)
        operation.extents.update(_below(told, wanted))


def _below(entities: Iterable[Entity], roots: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Each root, with itself and all below it."""
    children: dict[str, list[str]] = {}
    for entity in entities:
        for parent in leaves(entity.value, "parentOrganisation"):
            children.setdefault(str(parent), []).append(entity.id)
    for root in roots:
        below: set[str] = set()
        pending: list[str] = [root]
        while pending:
            each = pending.pop()
            if each not in below:
                below.add(each)
                pending += children.get(each, ())
        yield root, frozenset(below)


def levels(
    operation: Operation, organisations: Iterable[str], kind: str, gaps: Gaps | None = None
) -> Step[dict[str, str]]:
    """Per organisation, the nearest of itself and those above it that is of a kind (an organisationType).

    Those that have none are left out. Loops are survived.
    """
    merged = yield from _merged(operation, gaps)
    parents = {entity.id: next(leaves(entity.value, "parentOrganisation"), None) for entity in merged}
    kinds = {entity.id: entity.value("organisationType") for entity in merged}
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


def _merged(operation: Operation, gaps: Gaps | None) -> Step[list[Entity]]:
    rules = operation.federation.rules["Organisation"]
    yield from extents(operation, rules.organisations, gaps)
    return (yield from _organisations(operation, rules, gaps))


def _organisations(operation: Operation, rules: Rules, gaps: Gaps | None) -> Step[list[Entity]]:
    """All organisations by some rules, with what the tree is made of."""
    if not rules.servers:
        operation.not_served["Organisation"] = None
    heard = rules.heard(_WANT.also(*rules.places.columns) if not rules.settled else _WANT)
    fetches = [
        Fetch(source, "Organisation", List(Query())) for source in heard if not operation.walked(source, "Organisation")
    ]
    listed = operation.absorb_all(fetches, (yield fetches), gaps) if fetches else []
    lacking = {
        fetch.source: ids
        for fetch, ids in zip(fetches, listed, strict=True)
        if "Organisation" in operation.federation.sources[fetch.source].capabilities.list_lacks
    }
    further = rows_by_id(operation, "Organisation", lacking, _WANT.also(*rules.places.columns))
    if further:
        operation.absorb_all(further, (yield further), gaps)
    ids = {each for source in heard for each in operation.rows(source, "Organisation")}
    return [Entity(operation, rules, each) for each in ids]
