"""One relation logic: whichever relation's declaration is wrong, both executors' relation tests go red.

Each relation is given another reference of its owner for its owning property, one at a time: where there is one, a
reference to the same resource, which is the likeliest mistake. (Its inverse's name is held against the list written by
hand in ``test_relations``, for the schema that both executors share.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.app import schema
from gateway.assemble import Assembled
from gateway.config import Executor
from resolvers.relations import RELATIONS, Relation

from . import harness, test_relations
from .official_relations import OFFICIAL, OfficialRelation
from .oracle import Oracle
from .test_relations import expected, gateway, servers

__all__ = ["expected", "gateway", "servers"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


def declared(official: OfficialRelation) -> Relation:
    return next(each for each in RELATIONS if (each.owner, each.path) == (official.owner, tuple(official.path)))


def wrong(relation: Relation) -> tuple[str, ...]:
    """Another owning property: of the same shape and to the same resource, as far as there is one."""
    others = [each for each in RELATIONS if each.owner == relation.owner and each is not relation]

    def likeness(other: Relation) -> tuple[bool, bool]:
        return (other.back is None) == (relation.back is None), other.target == relation.target

    # With a single reference, nothing else can be mistaken for it: then a property that is none.
    return max(others, key=likeness).path if others else ("meta",)


@contextmanager
def broken(relation: Relation) -> Iterator[None]:
    right = relation.path
    object.__setattr__(relation, "path", wrong(relation))
    try:
        yield
    finally:
        object.__setattr__(relation, "path", right)


@pytest.mark.parametrize("executor", [Executor.PLANNED, Executor.CORE])
@pytest.mark.parametrize("official", OFFICIAL, ids=str)
async def test_a_wrong_owning_property_turns_the_relation_test_red(
    gateway: Assembled,  # the fixtures of the tests that are to go red
    expected: Oracle,
    official: OfficialRelation,
    executor: Executor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "schema", lambda: schema(executor))
    await test_relations.test_backwards(gateway, expected, official)
    with broken(declared(official)), pytest.raises((AssertionError, KeyError)):
        await test_relations.test_backwards(gateway, expected, official)
