"""From a number to a hostile world, how its sources behave and what is asked of it: the same every time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from random import Random

from sources.demo.habits import Pages

from .check import Case
from .further import deletions, own_ids, parted, recognisable
from .habits import APART, HABITS, Served, habits
from .oracle import oracle_of
from .questions import Asker, Question, targets
from .servers import FAULTS, Behaviour, Losses
from .worlds import World, ids, world

QUESTIONS = 2
"""How many questions are put to one world: one that is due, and one by chance."""


def cases(
    number: int, *, only: str | None = None, about: str | None = None, aspects: Collection[str] = ()
) -> Iterator[Case]:
    """The cases of an example. The first question of example N is about the Nth thing that can be asked for.

    ``only``: every source has this one habit, instead of some by chance. ``about``: what the first question is about.
    ``aspects``: what the huvudman has besides, of ``further.ASPECTS``.
    """
    rng = Random(f"case {number}")
    made = world(str(number))
    behaviours = {name: behaviour(served, rng, only) for name, served in made.records.items()}
    lost = losses(made, rng) if rng.random() < 0.25 else {}
    told = made
    if aspects:
        made, behaviours = _with(made, behaviours, number, aspects)
        told = _in_the_gateways_ids(made, behaviours)
    asker = Asker(told, rng, provenance="told" in aspects, deletions="told" in aspects and not lost)
    every = targets()
    for place in range(QUESTIONS):
        due = about or every[number % len(every)]
        target = due if place == 0 else rng.choice(every)
        yield Case(made, behaviours, asker.question(target), lost)


def _with(
    made: World, behaviours: dict[str, Behaviour], number: int, aspects: Collection[str]
) -> tuple[World, dict[str, Behaviour]]:
    """The example with what it has besides."""
    rng = Random(f"further {number}")
    if "parts" in aspects:
        made = parted(made, rng)
    if "ids" in aspects:
        made = recognisable(made, rng)
        own = own_ids(made, {name: of.habits for name, of in behaviours.items()}, rng)
        behaviours = {name: replace(of, habits=own[name]) for name, of in behaviours.items()}
    if "told" in aspects:
        made = replace(made, deleted=deletions(made, rng))
    return made, behaviours


def _in_the_gateways_ids(made: World, behaviours: Mapping[str, Behaviour]) -> World:
    """What questions are made from."""
    oracle = oracle_of(Case(made, behaviours, Question(())), ())
    known: dict[str, list[str]] = {}
    for _, resource, id in (*oracle.who.locals, *oracle.who.named):
        known.setdefault(resource, []).append(id)
    known = {name: [*dict.fromkeys((*found, *ids(name)[:1]))] for name, found in known.items()}
    return replace(made, records=oracle.sources, known=known)


def behaviour(served: Served, rng: Random, only: str | None = None) -> Behaviour:
    """How a source serves, truly declared."""
    names = (
        [only]
        if only is not None
        else rng.sample([each for each in HABITS if each not in APART], rng.choice((0, 0, 1, 1, 2, 3, 5)))
    )
    has = habits(names, rng, served)
    page = rng.choice((1, 2, 3, 100, 100))
    limit = rng.choice((None, 1, 2, 3, 100))
    chunk = rng.choice((None, 1, 2))
    if has.paging is Pages.OFFSET:
        # a page that repeats what came before looks as if the offset were passed over, which is a gap, and honest
        page = limit = 100 if _repeats(served) else page
    return Behaviour(page, limit, chunk, has, has.lookup_too_large == 503 and rng.random() < 0.3)


def _repeats(served: Served) -> bool:
    return any(len({str(record) for record in records}) < len(records) for records in served.values())


def losses(made: World, rng: Random) -> Losses:
    """A source that is down, or some resources of some sources."""
    kind = rng.choice(FAULTS)
    if rng.random() < 0.4:
        name = rng.choice(list(made.records))
        return {(name, resource): kind for resource in made.records[name]}
    served = [(name, resource) for name, resources in made.records.items() for resource in resources]
    some: Mapping[tuple[str, str], str] = {each: rng.choice(FAULTS) for each in served if rng.random() < 0.2}
    return some
