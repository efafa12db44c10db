"""Adding a field, an alias or a root field never changes another: over everything that the schema has, by plan.

What sources send is as it should be, and all answer: who else is asked for what is added may otherwise be missed.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from gateway.config import Executor
from gateway.verify import differences

from .compared import prepared, said
from .documents import document, grown
from .worlds import served

ALSO = 3
"""How often each document grows."""


def common(alone: Any, more: Any) -> Any:
    """Of the second answer, what the first has too."""
    if isinstance(alone, dict) and isinstance(more, dict):
        return {key: common(alone[key], more[key]) for key in alone}
    if isinstance(alone, list) and isinstance(more, list) and len(alone) == len(more):
        return [common(one, other) for one, other in zip(alone, more, strict=True)]
    return more


async def compared(number: int, documents: int) -> Counter[str]:
    """Ask one huvudman about some documents, each alone and with more."""
    rng = Random(f"executor law {number}")
    both = served(number, Counter(), sound=True)
    tally: Counter[str] = Counter()
    try:
        for _ in range(documents):
            asked = document(rng)
            while "fromCache" in asked.text:  # another fetch may be what it tells of
                asked = document(rng)
            for _ in range(ALSO):
                more = grown(asked, rng)
                given = more.given(rng)
                with prepared(asked), prepared(more):
                    own = {name: value for name, value in given.items() if name in asked.variables}
                    both.forget()
                    alone = await said(Executor.PLANNED, both.planned, asked, own)
                    both.forget()
                    together = await said(Executor.PLANNED, both.planned, more, given)
                tally["documents"] += 1
                if "errors" in alone or "errors" in together:  # refused arguments refuse their whole root field
                    tally["with errors"] += 1
                    continue
                tally["compared"] += 1
                found = list(differences(alone["data"], common(alone["data"], together["data"])))
                assert not found, f"{number}: {found[:3]}\n{asked.text}\n---\n{more.text}\n{given}"
    finally:
        await both.aclose()
    return tally


async def test_what_is_added_changes_nothing_else() -> None:
    tally: Counter[str] = Counter()
    for number in range(6):
        tally += await compared(number, 4)
    assert tally["compared"] > tally["documents"] / 2


@pytest.mark.slow
@pytest.mark.parametrize("start", range(6, 46, 20))
async def test_nor_in_many_more(start: int) -> None:
    for number in range(start, start + 20):
        await compared(number, 8)
