"""An expand is a way to what refers to somebody; where that way fails, there is another."""

from __future__ import annotations

import pytest

from resolvers.contracts import EVERYTHING, Want
from resolvers.driver import run
from resolvers.operation import Operation
from resolvers.relations import INVERSES
from resolvers.steps.inverse import inverse
from tests.fakes import FakeSource

from .worlds import DUTIES, PERSONS, World, federation


@pytest.mark.parametrize("both", [False, True])
async def test_lost_persons_do_not_take_their_duties_along(both: bool) -> None:
    records = {
        "Person": [{"id": PERSONS[0]}, {"id": PERSONS[1]}],
        "Duty": [{"id": DUTIES[0], "person": {"id": PERSONS[0]}}],
    }
    source = FakeSource("hr", records)
    source.fail(resource="Person", op="lookup")
    if both:
        source.fail(resource="Duty")
    operation = Operation(federation(World({"hr": records}), {"hr": source}))
    asked = inverse(operation, INVERSES["Person", "duties"], PERSONS[:2], EVERYTHING, Want())
    found = await run(operation, asked)
    assert [[duty.id for duty in duties] for duties in found] == [[] if both else [DUTIES[0]], []]
    assert [call.query.expand for call in source.calls if call.op == "lookup"] == [("duties",)]
    assert [(gap.source, gap.resource) for gap in operation.gaps.all()] == [("hr", "Duty")] * both
