"""Which way leads from parents to what refers to them, at one source: the way with the fewest estimated calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sources.capabilities import Capabilities

from .contracts import Limits
from .relations import Relation

ARRAY_CHUNK = 40
"""Ids in one URL: 40 of 36 characters stay well below the 8 KB that servers accept."""
MOST_EXPANDED = 100
"""Parents that are looked up once more for what is embedded in them: a class or two. For more the list is read, so that
no source is asked for many records twice."""
UNKNOWN_PAGES = 8
"""How many pages a list is taken to have before it has been walked."""


class Path(StrEnum):
    """An access path: it yields candidates, never answers."""

    LOOKUP = "lookup"
    """The lookup by foreign key."""
    FILTER = "filter"
    """The list with the relation's query parameter."""
    EXPAND = "expand"
    """The lookup of the parents, with the owners embedded. Parents that the source does not have need another path."""
    SCAN = "scan"
    """The whole list (of the period, where there is one)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The path chosen for one source, and its estimated calls."""

    path: Path
    calls: int


def choose(
    relation: Relation,
    parents: int,
    capabilities: Capabilities,
    pages_seen: int | None,
    limits: Limits,
    *,
    expand: bool = True,
) -> Choice:
    """The access path for one source; without ``expand``, one that finds owners of parents it does not have. Pure."""
    choices = []
    lookup = relation.lookup
    owner = relation.owner
    if owner in capabilities.list_only:  # only the whole list shows all of a record
        return Choice(Path.SCAN, pages_seen or UNKNOWN_PAGES)
    if lookup is not None and lookup.name in capabilities.lookup_keys(owner):
        choices.append(Choice(Path.LOOKUP, -(-parents // capabilities.chunk)))
    parameter = relation.parameter
    asked = [] if parameter is None else [parameter.name, *(extra.partition("=")[0] for extra in relation.filter[1:])]
    if parameter is not None and capabilities.honoured(owner, asked).issuperset(asked):
        calls = -(-parents // ARRAY_CHUNK) if parameter.many else parents
        if calls <= limits.max_filter_calls:
            choices.append(Choice(Path.FILTER, calls))
    # Of equal cost: the list, which serves the next question too and finds owners of parents the source lacks.
    choices.append(Choice(Path.SCAN, pages_seen or UNKNOWN_PAGES))
    known = relation.expand is not None and relation.expand.name in capabilities.expands(relation.target)
    if expand and known and parents <= MOST_EXPANDED and "ids" in capabilities.lookup_keys(relation.target):
        choices.append(Choice(Path.EXPAND, -(-parents // capabilities.chunk)))
    return min(choices, key=lambda choice: choice.calls)
