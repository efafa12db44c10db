"""From a number to a hostile world, how its sources behave and what is asked of it: the same every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from sources.standard import RESOURCES

from .check import Case
from .questions import Asker, targets
from .servers import FAULTS, Behaviour, Losses
from .worlds import World, world

QUESTIONS = 2
"""How many questions are put to one world: one that is due, and one by chance."""


def cases(number: int, *, joins: bool = False) -> Iterator[Case]:
    """The cases of an example. The first question of example N is about the Nth thing that can be asked for."""
    rng = Random(f"case {number}")
    made = world(str(number))
    behaviours = {name: behaviour(made, name, rng) for name in made.records}
    lost = losses(made, rng) if rng.random() < 0.25 else {}
    asker = Asker(made, rng, joins=joins)
    every = targets()
    for place in range(QUESTIONS):
        target = every[number % len(every)] if place == 0 else rng.choice(every)
        yield Case(made, behaviours, asker.question(target), lost)


def behaviour(made: World, name: str, rng: Random) -> Behaviour:
    """How a source serves, truly declared."""
    served = list(made.records[name])
    ignores = frozenset(each for each in served if rng.random() < 0.3) if rng.random() < 0.3 else frozenset()
    without = [each for each in served if RESOURCES[each].lookup and rng.random() < 0.5] if rng.random() < 0.4 else []
    declared = {"page_size": rng.choice((None, 1, 2, 3, 100)), "lookup_chunk": rng.choice((1, 2, 500))}
    return Behaviour(rng.choice((1, 2, 3, 100, 100)), ignores, frozenset(without), declared)


def losses(made: World, rng: Random) -> Losses:
    """A source that is down, or some resources of some sources."""
    kind = rng.choice(FAULTS)
    if rng.random() < 0.4:
        name = rng.choice(list(made.records))
        return {(name, resource): kind for resource in made.records[name]}
    served = [(name, resource) for name, resources in made.records.items() for resource in resources]
    some: Mapping[tuple[str, str], str] = {each: rng.choice(FAULTS) for each in served if rng.random() < 0.2}
    return some
