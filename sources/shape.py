"""Which columns of a resource's records are to be decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType


@dataclass(frozen=True)
class Shape:
    """The columns that somebody will read. ``parts``: of a column that is an object or a list of objects, the only
    properties of these that will be read; a column that is not named there is read whole.

    ``tells_absence``: whether a property that was left out must be told from one that is null.
    """

    columns: frozenset[str] = frozenset()
    parts: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    tells_absence: bool = False

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return self.columns, frozenset(self.parts.items()), self.tells_absence

    @cached_property
    def _hash(self) -> int:
        return hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Shape) and self._key == other._key)

    def covers(self, other: Shape) -> bool:
        """Whether what was decoded in this shape can be read in the other."""
        return (
            self.tells_absence == other.tells_absence
            and other.columns <= self.columns
            and all((name in self.parts) == (name in other.parts) for name in other.columns)
            and all(names <= self.parts[name] for name, names in other.parts.items())
        )

    def __or__(self, other: Shape) -> Shape:
        """What covers both, but for columns of which one reads parts and the other all: these are read whole."""
        whole = {name for name in self.columns if name not in self.parts}
        whole |= {name for name in other.columns if name not in other.parts}
        parts = {
            name: self.parts.get(name, frozenset()) | other.parts.get(name, frozenset())
            for name in {*self.parts, *other.parts} - whole
        }
        return Shape(self.columns | other.columns, parts, self.tells_absence or other.tells_absence)
