"""Skolverket's reference implementation (skolverket/dnp-ss12000-reference-api), which many systems started from."""

from __future__ import annotations

from ..capabilities import Arrays, Capabilities, Filter
from .model import META, Profile, none, only

RESOURCES = frozenset({"Organisation", "Person", "Group", "Activity", "Duty"})

SKOLVERKET_REFERENCE = Profile(
    "skolverket-reference",
    "Skolverket's reference API and what was built from it. It knows no filter but `meta.*`, takes no notice of the "
    "others, and has no lookup, expand or sort key. It splits `entities` of /deletedEntities at commas.",
    Capabilities(
        resources=RESOURCES,
        filters=only(RESOURCES, Filter.IGNORED, *META),
        no_lookup=RESOURCES,
        expand=none(RESOURCES),
        arrays=Arrays.COMMA,
    ),
)
"""The page token holds the whole first request, and is refused together with a filter: the standard's own paging."""
