"""From a selection to what must be asked: the columns of a resource that the selected fields read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sources.standard import RESOURCES
from sources.standard.model import Resource

from .contracts import Want

EVERYTHING_FIELDS = frozenset({"meta", "provenance", "raw"})
"""Fields that make every server of the resource a speaker."""
TEXT = "Text"
"""What is appended to an enumeration's name for its spelling as text."""


def want(resource: str, fields: Iterable[str], derived: Mapping[str, frozenset[str]] | None = None) -> Want:
    """What the selected GraphQL fields of a type read. ``derived``: the columns that further fields read."""
    of = RESOURCES[resource]
    columns: set[str] = set()
    everything = False
    for name in fields:
        if name in EVERYTHING_FIELDS:
            everything = True
        columns.update(_columns(of, name))
        columns.update((derived or {}).get(name, ()))
    return Want(frozenset(columns), everything)


def _columns(resource: Resource, name: str) -> tuple[str, ...]:
    if name == "displayName":
        return resource.display_name
    if name in resource.columns:
        return () if name == "id" else (name,)
    base = name.removesuffix(TEXT)
    return (base,) if base in resource.columns else ()
