"""The organisation tree: an organisation and everything below it."""

from __future__ import annotations

from collections.abc import Iterable

from sources.requests import Query

from ..completeness import Gaps
from ..contracts import EntityId, Fetch, List, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..predicates import leaves
from .rows import rows_by_id


def subtrees(operation: Operation, organisations: Iterable[str], gaps: Gaps | None = None) -> Step[None]:
    """See to it that ``operation.subtrees`` knows these organisations. Loops in the tree are survived.

    What depends on the tree (``when``, a source's scope) cannot decide over it: it is what all sources say.
    """
    wanted = [EntityId(each) for each in organisations if EntityId(each) not in operation.subtrees]
    if not wanted:
        return
    rules = operation.federation.rules["Organisation"].default
    sources = rules.heard(Want(frozenset({"parentOrganisation"})))
    fetches = [
        Fetch(source, "Organisation", List(Query()))
        for source in sources
        if not operation.walked(source, "Organisation")
    ]
    if fetches:
        listed = operation.absorb_all(fetches, (yield fetches), gaps)
        lacking = {
            fetch.source: ids
            for fetch, ids in zip(fetches, listed, strict=True)
            if "Organisation" in operation.federation.sources[fetch.source].capabilities.list_lacks
        }
        further = rows_by_id(operation, "Organisation", lacking)
        if further:
            operation.absorb_all(further, (yield further), gaps)
    children: dict[str, list[str]] = {}
    for found in {each for source in sources for each in operation.rows(source, "Organisation")}:
        entity = Entity(operation, rules, found)
        for parent in leaves(entity.value, "parentOrganisation"):
            children.setdefault(str(parent), []).append(found)
    for root in wanted:
        below: set[str] = set()
        pending: list[str] = [root]
        while pending:
            each = pending.pop()
            if each not in below:
                below.add(each)
                pending += children.get(each, ())
        operation.subtrees[root] = frozenset(below)
