"""A plan in words that need no knowledge of the code."""

from __future__ import annotations

from collections.abc import Mapping

from resolvers.cost import ByIds, Foreseen, Forward, Inverse, Level, ListPage
from resolvers.trace import How
from sources.standard import RESOURCES

HOW: Mapping[How, str] = {
    How.PAGE: "for the first records of its list",
    How.LIST: "for its whole list",
    How.FILTER: "for its list, filtered there",
    How.SCAN: "for its whole list, in order to sort it here",
    How.IDS: "for records by their ids, many in one call",
    How.FOREIGN_KEY: "for records by what they refer to, many in one call",
    How.EXPAND: "for the records before, with what refers to them embedded",
    How.GET: "for records by their ids, one call each",
    How.IDENTIFY: "for its whole list, in order to recognise records",
    How.DELETED: "for what it deleted",
}
"""What a source is asked."""

WHY: Mapping[str, str] = {
    "firstPage": "this list comes first, and a page of it is enough",
    "filtered": "the source can be relied on for this filter ({by})",
    "sortsItself": "the source sorts as it is asked for, so a page is enough",
    "ordered": "the gateway sorts, and so must see all records",
    "orderedFiltered": "the gateway sorts, and so must see all that pass the filter ({by})",
    "united": "lists of several sources must be united before a page is cut",
    "unitedFiltered": "lists of several sources must be united before a page is cut (filter: {by})",
    "orderedToo": "it has a say in what the records are filtered and sorted by",
    "lookedUp": "the value must not stand in a URL ({by})",
    "speaks": "some of the fields that are wanted may be known there",
    "protected": "it may be known there that a person is protected, and must not be shown",
    "exists": "whether a record exists is decided there",
    "provenance": "all sources are heard where provenance or meta is selected",
    "noLookup": "records cannot be asked for by id there",
    "decides": "these records decide what the filter selects",
    "identify": "sources have ids of their own",
    "tree": "it must be known what lies below an organisation",
    "when": "that is where it stands when the others happened",
    "period": "all events of the period are needed",
    "window": "the period narrows the list, and no other way takes fewer calls",
    "wholeList": "that takes fewer calls than asking for each",
    "foreignKey": "the source has a lookup for that ({by})",
    "embedded": "one call then gives both ({by})",
    "perParent": "the source can be relied on for this filter ({by})",
    "deleted": "every source says for itself what it deleted",
    "unforeseen": "what was found made it necessary; it was not foreseen",
}
"""Why it is asked that."""


def way(fetch: Foreseen) -> str:
    if fetch.how is How.SCAN and fetch.by is not None:
        return "for its list, filtered there, in order to sort it here"
    return HOW[fetch.how]


def why(fetch: Foreseen) -> str:
    return WHY[fetch.why].format(by=fetch.by or "it")


def plural(resource: str, count: float = 2) -> str:
    """``12 persons``'s second word."""
    known = RESOURCES.get(resource)
    if known is None:
        return "records"
    return known.plural if count != 1 else known.name[:1].lower() + known.name[1:]


def title(level: Level) -> str:
    """What a step is about."""
    if level.resource is None:
        return "what sources deleted"
    several = plural(level.resource)
    match level.leads[-1]:
        case ByIds(count=count):
            return f"{plural(level.resource, count)} by id"
        case ListPage(selector=selector):
            how = [*(["filtered"] if selector.conditions else []), *(["sorted"] if selector.order else [])]
            return f"a page of {several}" + (f", {' and '.join(how)}" if how else "")
        case Forward():
            return f"{several} that “{level.path[-1]}” refers to"
        case Inverse(relation=relation) if len(level.leads) == 1:
            return f"{several} that refer to these {plural(relation.target)}"
    return f"{several}, found through other records"
