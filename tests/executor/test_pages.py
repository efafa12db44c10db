"""Lists that are printed as their pages come: the same answers, byte for byte, as of graphql-core over all records."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from gateway.config import Executor
from gateway.execution.pages import Pages
from resolvers.federation import Federation
from resolvers.policy import HideProtected
from sources.cache import Cache
from sources.capabilities import Capabilities
from sources.demo.municipality import build
from sources.records import Slab
from sources.settings import SourceSettings
from sources.source import Source
from sources.standard import RESOURCES
from tests.demo.conftest import TODAY

from .compared import said
from .damage import Damage
from .documents import Document, fields_of
from .worlds import PlainSealer

ROUNDS = 12
LISTS = [name for name, of in RESOURCES.items() if of.has_id and not of.window]


@pytest.fixture(scope="module")
def records() -> Mapping[str, Sequence[Any]]:
    return build(60, today=TODAY).background


def paged(records: Sequence[Any], resource: str, size: int, damage: Damage) -> httpx.MockTransport:
    """A source's list, in pages; some records are there twice."""
    pages = [[*records[max(0, start - 1) : start + size]] for start in range(0, len(records), size)] or [[]]
    bodies = [
        damage.body(orjson.dumps({"data": page, "pageToken": str(n + 1) if n + 1 < len(pages) else None}), resource)
        for n, page in enumerate(pages)
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=bodies[int(request.url.params.get("pageToken") or 0)])

    return httpx.MockTransport(answer)


def federations(records: Sequence[Any], resource: str, rng: Random) -> Iterator[Federation]:
    transport = paged(records, resource, rng.choice((5, 20)), Damage(str(rng.random()), rng.choice((0.0, 0.02, 0.2))))
    for _ in Executor.CORE, Executor.PLANNED:
        settings = SourceSettings("sis", "http://sis.test", capabilities=Capabilities(frozenset({resource})))
        source = Source(settings, Cache(), transport=transport)
        yield Federation({"sis": source}, {}, policy=HideProtected(), sealer=PlainSealer())


@pytest.mark.parametrize("resource", LISTS)
async def test_a_list_in_pieces_is_the_list(
    resource: str, records: Mapping[str, Sequence[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, plain = Counter[bool](), Pages.take

    def take(self: Pages, slab: Any, numbers: Sequence[int]) -> None:
        plain(self, slab, numbers)
        taken.update(isinstance(part, bytes) for _, part in self.parts)

    monkeypatch.setattr(Pages, "take", take)
    for number in range(ROUNDS):
        rng = Random(f"pages {resource} {number}")
        few = list(records[resource])[: rng.choice((0, 7, 60))]
        if resource == "Person":
            few = [each | {"securityMarking": rng.choice(("Ingen", "Ingen", "Sekretessmarkering"))} for each in few]
        further = "pageInfo { hasNextPage endCursor startCursor } complete gaps { source code }"
        known = fields_of(resource)
        fields = " ".join(rng.sample(known, rng.randint(1, len(known))) if number else known)
        first = rng.choice((1, 13, 500))
        text = f"{{ l: {RESOURCES[resource].plural}(first: {first}) {{ nodes {{ {fields} }} {further} }} }}"
        core, planned = federations(few, resource, rng)
        asked = Document(text)
        assert orjson.dumps(await said(Executor.PLANNED, planned, asked, {})) == orjson.dumps(
            await said(Executor.CORE, core, asked, {})
        ), f"{number}\n{text}"
    assert taken[True]


async def test_no_more_than_two_pages_are_in_memory_at_a_time(
    records: Mapping[str, Sequence[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, plain = [], Pages.take

    def take(self: Pages, slab: Any, numbers: Sequence[int]) -> None:
        plain(self, slab, numbers)
        held.append(sum(isinstance(each, Slab) for each in gc.get_objects()))

    monkeypatch.setattr(Pages, "take", take)
    transport = paged(records["Person"], "Person", 5, Damage("none", 0.0))
    settings = SourceSettings("sis", "http://sis.test", capabilities=Capabilities(frozenset({"Person"})))
    federation = Federation({"sis": Source(settings, Cache(), transport=transport)}, {})
    gc.collect()
    before = sum(isinstance(each, Slab) for each in gc.get_objects())
    await said(Executor.PLANNED, federation, Document("{ persons(first: 500) { nodes { id givenName } } }"), {})
    assert len(held) > 10
    assert max(held) - before <= 2
