"""A whole list in its order, as little of it as will do: about a hundred bytes per record.

A listing is made once, of the walks of all sources, and then gives any page without a walk and without sorting: the
ranks of the records (their sort values and ids, as bytes that compare in the list's order), and for each walk where
each record stands in it. The records themselves are read again when they are shown.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from sources.walks import Walk

from .contracts import EntityId, Gap
from .ranks import packed, ranked_id

ABSENT = 0xFFFF_FFFF
"""Stands in ``Tracked.places`` for a record that is not in the walk."""


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A walk, and per record of the listing its place in it. ``whole``: what is not in it, the source does not have."""

    walk: Walk
    places: array[int]
    whole: bool

    @property
    def source(self) -> str:
        return self.walk.source


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """``ranks`` in order, and the walks that they were made of; ``gaps``: what was missing when it was made.

    ``too_many``: there are more candidates than may be looked at, and so no ranks.
    """

    ranks: Sequence[bytes]
    walks: Sequence[Tracked]
    gaps: tuple[Gap, ...] = ()
    too_many: bool = False

    def alive(self) -> bool:
        """Whether it is no older than the walks, of which at least one is kept."""
        begun = [tracked.walk for tracked in self.walks if tracked.walk.tokens]
        return bool(begun) and all(walk.alive() for walk in begun)

    @property
    def memory(self) -> int:
        """Bytes that it takes, about."""
        ranks = sum(map(len, self.ranks)) + 41 * len(self.ranks)  # an object's head, and its place in the list
        walks = sum(tracked.walk.memory + 4 * len(tracked.places) for tracked in self.walks)
        return 1000 + ranks + walks

    def id(self, number: int) -> EntityId:
        return EntityId(ranked_id(self.ranks[number]))

    def after(self, rank: bytes) -> int:
        """The number of the first record behind a rank, whether that is still there or not."""
        return bisect_right(self.ranks, rank)

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """The numbers of records by their ids, ascending. It looks through the whole list."""
        ends = tuple(map(packed, ids))
        return [number for number, rank in enumerate(self.ranks) if rank.endswith(ends)]

    def ahead(self, number: int, source: str, limit: int) -> tuple[EntityId, ...]:
        """The next ids from a number on that the source has, or may have; at most ``limit`` are looked at."""
        known = [tracked.places for tracked in self.walks if tracked.source == source and tracked.whole]
        numbers = range(number, min(number + limit, len(self.ranks)))
        return tuple(self.id(each) for each in numbers if not known or known[0][each] != ABSENT)
