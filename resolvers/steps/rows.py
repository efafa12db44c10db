"""The calls that bring the rows of known ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sources.requests import Query

from ..choose import UNKNOWN_PAGES
from ..columns import shape
from ..contracts import EntityId, Fetch, List, Lookup, Want
from ..operation import Operation

Ahead = Callable[[str, int], Sequence[EntityId]]
"""A source, and how many → ids that will be asked for next."""


def rows_by_id(
    operation: Operation,
    resource: str,
    asking: Mapping[str, Sequence[EntityId]],
    want: Want,
    ahead: Ahead | None = None,
) -> list[Fetch]:
    """The calls for the rows, per source, that are not yet in hand."""
    decoded = shape(operation.federation.rules[resource], want)
    fetches: list[Fetch] = []
    for source, ids in asking.items():
        seen = operation.rows(source, resource)
        missing = [found for found in ids if found not in seen]
        if not missing:
            continue
        if operation.walked(source, resource):
            operation.absent(source, resource, missing)
        elif by_id(operation, source, resource, len(missing)):
            chunk = operation.federation.sources[source].capabilities.chunk
            following = () if ahead is None or len(missing) >= chunk else ahead(source, chunk)
            more = tuple(found for found in following if found not in seen)
            fetches.append(Fetch(source, resource, Lookup("ids", tuple(missing), ahead=more), decoded))
        elif not operation.federation.rules[resource].resource.window:
            fetches.append(Fetch(source, resource, List(Query()), decoded))
    return fetches


def by_id(operation: Operation, source: str, resource: str, count: int) -> bool:
    """Whether to ask for records by their ids: that gives all of them, and in fewer calls than the whole list."""
    of = operation.federation.rules[resource].resource
    capabilities = operation.federation.sources[source].capabilities
    if not of.has_id or not of.get or resource in capabilities.list_only:
        return False
    if "ids" in capabilities.lookup_keys(resource) or of.window or resource in capabilities.list_lacks:
        return True
    return count <= operation.federation.pages_seen.get((source, resource), UNKNOWN_PAGES)  # a get each
