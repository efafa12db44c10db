"""Completing records: every source that must be heard for them is asked, at once, for what is not yet in hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sources.requests import Query

from ..choose import UNKNOWN_PAGES
from ..completeness import Gaps
from ..contracts import EntityId, Fetch, List, Lookup, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..policy import Verdict


def complete(
    operation: Operation,
    resource: str,
    ids: Iterable[EntityId],
    want: Want,
    gaps: Gaps | None = None,
    also: Iterable[str] = (),
) -> Step[None]:
    """See to it that the rows needed for ``want`` are in hand, for each id; ``also`` names further sources to ask."""
    rules = operation.federation.rules[resource]
    want = want.also(*operation.federation.policy.columns(resource))
    further = set(also)
    sources = [source for source in rules.servers if source in further or source in rules.heard(want)]
    unique = list(dict.fromkeys(ids))
    fetches: list[Fetch] = []
    for source in sources:
        seen = operation.rows(source, resource)
        missing = [found for found in unique if found not in seen]
        if not missing:
            continue
        if operation.walked(source, resource):
            operation.absent(source, resource, missing)
        elif _by_id(operation, source, resource, len(missing)):
            fetches.append(Fetch(source, resource, Lookup("ids", tuple(missing))))
        elif not rules.resource.window:
            fetches.append(Fetch(source, resource, List(Query())))
    if fetches:
        operation.absorb_all(fetches, (yield fetches), gaps)


def _by_id(operation: Operation, source: str, resource: str, count: int) -> bool:
    """Whether to ask for records by their ids: that gives all of them, and in fewer calls than the whole list."""
    of = operation.federation.rules[resource].resource
    capabilities = operation.federation.sources[source].capabilities
    if not of.has_id or not of.get or resource in capabilities.list_only:
        return False
    if "ids" in capabilities.lookup_keys(resource) or of.window or resource in capabilities.list_lacks:
        return True
    return count <= operation.federation.pages_seen.get((source, resource), UNKNOWN_PAGES)  # a get each


def shown(operation: Operation, resource: str, ids: Sequence[EntityId]) -> list[Entity | None]:
    """The completed records, in order; None where one does not exist or the policy hides it."""
    rules = operation.federation.rules[resource]
    policy = operation.federation.policy
    found: list[Entity | None] = []
    for each in ids:
        entity = Entity(operation, rules, each)
        found.append(entity if entity.exists and policy.verdict(entity) is not Verdict.HIDE else None)
    return found
