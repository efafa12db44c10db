"""What a source really does. So far there is one profile, ``conformant``: the standard, to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .standard import RESOURCES


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What may be relied on for one source.

    ``resources`` are the resource names it serves. ``holds`` names, per resource, the properties the source knows; a
    resource that is left out is undeclared: then null speaks and absent does not. ``chunk`` is the most ids per lookup,
    ``page_size`` the ``limit`` of a list call (None: leave it to the source), ``gets`` the most gets that stand in for
    a lookup.
    """

    resources: frozenset[str]
    holds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    filters_ignored: frozenset[str] = frozenset()
    """Resources whose list filters must not be relied on (nor sent)."""
    no_lookup: frozenset[str] = frozenset()
    """Resources without a lookup endpoint."""
    list_only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per resource, properties that only the list view carries."""
    chunk: int = 500
    page_size: int | None = 500

    def lookup_keys(self, resource: str) -> frozenset[str]:
        """The body arrays that the resource's lookup takes; empty where there is no lookup."""
        if resource not in self.resources or resource in self.no_lookup:
            return frozenset()
        return frozenset(RESOURCES[resource].lookup_key)

    def expands(self, resource: str) -> frozenset[str]:
        if resource not in self.resources:
            return frozenset()
        return frozenset(RESOURCES[resource].expand)
