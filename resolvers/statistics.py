"""What was seen of sources' sizes: from it the cost of an operation is estimated. Counts and names, nothing else."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from sources.requests import Query

Shape = tuple[str, ...]
"""The names of the parameters that narrow a list."""

MOST_SHAPES = 2_000
"""How many lists are remembered, by source, resource and the names of their parameters."""
FEW = 10
"""Records that one record leads to, where that was never seen: entries of a list, or what refers to it."""
OVER = 4
"""Numbers that are seen are averaged over about so many."""
FILTERED = 10
"""A list that is filtered is taken to hold one in so many of its records, where it was never seen."""


@dataclass(eq=False)
class Statistics:
    """One for a federation."""

    changes: int = 0
    """How often something was seen that is far from what was seen before: estimates from before do not hold."""
    _lists: OrderedDict[tuple[str, str, Shape], _Seen] = field(default_factory=OrderedDict)
    _fans: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    """There are no more of these than fields in the schema."""

    def listed(self, source: str, resource: str, query: Query, records: int) -> None:
        """A whole list was read."""
        key = (source, resource, shape(query))
        self._lists[key] = self._seen(self._lists.pop(key, None), records)
        if len(self._lists) > MOST_SHAPES:
            self._lists.popitem(last=False)

    def records(self, source: str, resource: str, query: Query) -> int | None:
        """How many records such a list had of late; None if none was read."""
        seen = self._lists.get((source, resource, shape(query)))
        return None if seen is None else round(seen.mean)

    def led(self, of: str, field: str, holders: int, found: int) -> None:
        """A field of records of a type led from so many of them to so many (distinct) others."""
        if holders:
            self._fans[of, field] = self._seen(self._fans.get((of, field)), found / holders)

    def fan_out(self, of: str, field: str) -> float | None:
        """How many records one record of a type led to of late; None if that was never seen."""
        seen = self._fans.get((of, field))
        return None if seen is None else seen.mean

    def _seen(self, before: _Seen | None, number: float) -> _Seen:
        mean = number if before is None else before.mean + (number - before.mean) / OVER
        if before is None or not before.told / 2 <= mean <= before.told * 2:
            self.changes += 1
            return _Seen(mean, mean)
        return _Seen(mean, before.told)


@dataclass(frozen=True, slots=True)
class _Seen:
    """``told``: the mean when last it had changed much."""

    mean: float
    told: float


def shape(query: Query) -> Shape:
    return tuple(sorted(name for name, _ in query.parameters))
