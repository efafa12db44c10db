"""The made-up municipality as data: pure, deterministic, split on six sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ..standard import RESOURCES
from .groups import add_groups
from .organisation import add_facilities, add_offerings, add_organisations
from .people import add_people
from .preschool import add_preschool
from .presence import add_presence
from .schedule import add_schedule
from .split import SOURCES, split
from .study import add_studies
from .syllabus import add_programmes, add_syllabuses
from .world import STOCKHOLM, Deleted, Record, World, zoned

FEWEST = 60
"""Pupils that a municipality needs at least, to have every form of school."""


@dataclass(frozen=True, eq=False)
class Municipality:
    """What each source sends. Records are plain JSON-able dicts that share parts: never change one.

    ``sources``: source → resource name → records. ``background``: resource name → records, what the municipality's
    systems know internally without publishing it (an attendance system knows which school a lesson was at).
    ``deleted``: source → what is gone there. ``examples``: ids of records with something worth showing, by what it is.
    """

    pupils: int
    seed: int
    today: date
    sources: Mapping[str, Mapping[str, Sequence[Record]]]
    background: Mapping[str, Sequence[Record]]
    deleted: Mapping[str, Sequence[Deleted]]
    examples: Mapping[str, str]


def build(pupils: int = 2000, seed: int = 1, today: date | None = None) -> Municipality:
    """Make the municipality with so many pupils and preschool children (at least ``FEWEST``).

    The same arguments always give the same data; ``today`` is Sweden's date where it is left out.
    Raises ValueError for fewer pupils than every school form needs.
    """
    if pupils < FEWEST:
        raise ValueError(f"the municipality needs at least {FEWEST} pupils to have every form of school")
    world = World(pupils, seed, today or datetime.now(STOCKHOLM).date())
    add_organisations(world)
    add_syllabuses(world)
    add_programmes(world)
    add_offerings(world)
    add_people(world)
    add_facilities(world)
    add_groups(world)
    add_schedule(world)
    add_presence(world)
    add_studies(world)
    add_preschool(world)
    sources = split(world)
    return Municipality(
        pupils=pupils,
        seed=seed,
        today=world.today,
        sources=sources,
        background=dict(world.records),
        deleted={source: _deleted(world, source) for source in SOURCES},
        examples=world.examples,
    )


def _deleted(world: World, source: str) -> list[Deleted]:
    """Two records gone lately and one long ago, of each kind that the source serves; oldest first."""
    found = [
        Deleted(
            resource, world.id("deleted", source, resource, days), zoned(world.today - timedelta(days), time(4, 30))
        )
        for days in (300, 40, 3)
        for resource in SOURCES[source]
        if RESOURCES[resource].deleted is not None
    ]
    return sorted(found, key=lambda d: d.at)
