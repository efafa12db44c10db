"""From a selection to what must be asked: the columns of a resource that the selected fields read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sources.decoding import plain
from sources.standard import RESOURCES
from sources.standard.model import Resource, Structure

from .contracts import Want

EVERYTHING_FIELDS = frozenset({"meta", "provenance", "raw"})
"""Fields that make every server of the resource a speaker."""
TEXT = "Text"
"""What is appended to an enumeration's name for its spelling as text."""


def want(
    resource: str,
    fields: Iterable[str],
    derived: Mapping[str, frozenset[str]] | None = None,
    below: Mapping[str, Collection[str]] | None = None,
) -> Want:
    """What the selected GraphQL fields of a type read. ``derived``: the columns that further fields read.

    ``below``: of fields without arguments, the fields that are selected below them.
    """
    of = RESOURCES[resource]
    columns: set[str] = set()
    further: set[str] = set()
    everything = False
    for name in fields:
        if name in EVERYTHING_FIELDS:
            everything = True
        columns.update(_columns(of, name))
        further.update((derived or {}).get(name, ()))
    columns |= further
    parts = {name: _plain(of, name, inner) for name, inner in (below or {}).items() if name not in further}
    return Want(
        frozenset(columns), everything, frozenset((name, inner) for name, inner in parts.items() if inner is not None)
    )


def _plain(resource: Resource, name: str, below: Collection[str]) -> frozenset[str] | None:
    """The properties of a column's objects that the fields below it read; None where they must be whole."""
    declared = resource.columns.get(name)
    if declared is None or not isinstance(declared.type, Structure):
        return None
    known = {each.name for each in declared.type.properties}
    names = {each if each in known else each.removesuffix(TEXT) for each in below if each != "__typename"}
    return frozenset(names) if plain(declared.type, names) else None


def _columns(resource: Resource, name: str) -> tuple[str, ...]:
    if name == "displayName":
        return resource.display_name
    if name in resource.columns:
        return () if name == "id" else (name,)
    base = name.removesuffix(TEXT)
    return (base,) if base in resource.columns else ()
