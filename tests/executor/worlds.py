"""A huvudman whom many questions can be asked cheaply: its sources answer a request only once, the same to everybody.

There are two gateways in front of it, one for either executor, which the same questions bring into the same state.
What they have in common are the bytes that the sources send.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson

from gateway.assemble import Assembled, assemble
from gateway.config import parse
from resolvers.cursor import Sealer
from resolvers.errors import Code, InvalidCursor
from resolvers.federation import Federation
from resolvers.indexes import Indexes
from resolvers.policy import HideProtected, ShowAll
from sources.auth import Incoming, Outgoing
from sources.cache import Cache
from sources.canonical import reader
from sources.demo.api import PREFIX
from sources.errors import CallError, FaultCode
from sources.source import Source
from sources.standard import RESOURCES
from sources.standard.model import Property, Reference, Structure
from tests.fakes import FakeSource

from ..hostile.cases import behaviour, losses
from ..hostile.further import deletions, parted
from ..hostile.servers import Losses, _app, called, document
from ..hostile.worlds import World, world
from .damage import Damage

NOW = datetime(2026, 3, 29, 10, 30, tzinfo=UTC)
NOBODY = httpx.AsyncBaseTransport()
"""Carries nothing: whoever is asked is asked before."""
FAULTS = ("unavailable", "forbidden", "unreachable", "garbage", "empty", "null", "another shape", "cut", "too many")
ODDS = (0.0, 0.0, 0.02, 0.05, 0.1, 0.3)
"""How likely a column is to be damaged, by world."""


class PlainSealer(Sealer):
    """Cursors that anybody can read, and that are the same for the same position."""

    def __init__(self) -> None:
        super().__init__([])

    def seal(self, position: Sequence[object], bound_to: bytes) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(position)).decode()

    def open(self, cursor: str, bound_to: bytes) -> list[object]:
        try:
            position = orjson.loads(base64.urlsafe_b64decode(cursor))
        except ValueError:
            position = None
        if not isinstance(position, list):
            raise InvalidCursor(Code.INVALID_CURSOR, "no cursor")
        return position


class Wire:
    """Takes the place of a source's transport. A request that was answered once is answered the same for ever."""

    def __init__(self, app: Any, losses: Mapping[str, str], damage: Damage, done: Counter[str]) -> None:
        self._app = app
        self._losses = losses
        """By the first part of a path, the fault."""
        self._damage = damage
        self._done = done
        self._answers: dict[tuple[str, str, bytes | None], tuple[int | None, bytes]] = {}
        self._resource = {RESOURCES[name].path.split("/")[1]: name for name in RESOURCES}

    async def send(self, request: Outgoing, deadline: float, observe: Any) -> Incoming:
        key = (request.method, request.url, request.content)
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = await self._answered(request)
        status, body = found
        observe(status, 0.0)
        if status is None:
            raise CallError(FaultCode.SOURCE_UNREACHABLE)
        return Incoming(status, body if 200 <= status < 300 else b"")

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _answered(self, request: Outgoing) -> tuple[int | None, bytes]:
        url = httpx.URL(request.url)
        first = url.path.removeprefix(PREFIX).split("/")[1]
        lost = self._losses.get(first)
        if lost is not None:
            self._done[f"lost: {lost}"] += 1
        match lost:
            case "unreachable":
                return None, b""
            case "forbidden":
                return 403, b""
            case "unavailable":
                return 500, b""
            case "too many":
                return 429, b""
            case "garbage":
                return 200, b"<html>under maintenance</html>"
            case "empty":
                return 200, b""
            case "null":
                return 200, b"null"
            case "another shape":
                return 200, b'{"data":{"x":1},"pageToken":7}'
        answer = await called(self._app, request.method, url.path, url.query, request.content or b"")
        body = answer.content
        if answer.status_code == 200 and body:
            resource = self._resource.get(first)
            if resource is not None:
                body = self._damage.body(body, resource)
            if lost == "cut":
                body = body[: len(body) // 2]
        return answer.status_code, body


@dataclass(eq=False)
class Both:
    """What both executors are asked through: a federation for each, over the same records."""

    name: str
    core: Federation
    planned: Federation
    warm: bool
    """Whether what was read for one question may be kept for the next."""
    settings: str
    """What there is about it, for whoever reads of a difference."""
    assembled: tuple[Assembled, ...] = ()

    @property
    def unread(self) -> bool:
        """Whether its records are such as no source can send."""
        return not self.assembled

    @property
    def both(self) -> tuple[Federation, Federation]:
        return self.core, self.planned

    def forget(self) -> None:
        """As if nothing had been asked yet."""
        for federation in self.both:
            federation.pages_seen.clear()
            federation.indexes = Indexes(federation.limits.max_index_bytes)
            cache = Cache()
            for source in federation.sources.values():
                if isinstance(source, Source):
                    source._cache = cache
                    source._no_lookup.clear()

    def calls(self) -> tuple[int, int]:
        """How often each asked the sources so far."""
        return _calls(self.core), _calls(self.planned)

    async def aclose(self) -> None:
        for each in self.assembled:
            await each.aclose()


def _calls(federation: Federation) -> int:
    return sum(
        source.calls if isinstance(source, Source) else len(source.calls)  # type: ignore[attr-defined]
        for source in federation.sources.values()
    )


def served(number: int, done: Counter[str], *, sound: bool = False) -> Both:
    """A huvudman by number, whose sources send damaged JSON, or some not at all; ``sound``: none does that."""
    rng = Random(f"executor world {number}")
    made = world(f"executor {number}")
    if rng.random() < 0.2:
        made = parted(made, rng)
    if rng.random() < 0.3:
        made = World(**{**vars(made), "deleted": deletions(made, rng)})
    behaviours = {name: behaviour(records, rng) for name, records in made.records.items()}
    lost = _losses(made, rng) if rng.random() < 0.4 else {}
    odds, poisoned, raw = rng.choice(ODDS), rng.random() < 0.2, rng.random() < 0.8
    if sound:
        lost, odds = {}, 0.0
    settings = parse(document(made, behaviours), Path.cwd(), {})
    wires = {}
    for name in made.records:
        paths = behaviours[name].habits.paths
        gone = {
            paths.get(resource, RESOURCES[resource].path).split("/")[1]: kind
            for (source, resource), kind in lost.items()
            if source == name
        }
        app = _app(made, name, behaviours[name], {})
        wires[name] = Wire(app, gone, Damage(f"{number} {name}", odds, poisoned, done), done)
    assembled = (assemble(settings, dict.fromkeys(wires, NOBODY)), assemble(settings, dict.fromkeys(wires, NOBODY)))
    for each in assembled:
        each.federation.sealer = PlainSealer()
        each.federation.clock = lambda: NOW
        each.federation.raw = raw
        for source in each.sources:
            source.clock = lambda: NOW
            source._transport = wires[source.name]  # type: ignore[assignment]
    told = f"world {number}: damage {odds}{' and poison' if poisoned else ''}, lost {dict(lost)}"
    return Both(
        f"served {number}", assembled[0].federation, assembled[1].federation, rng.random() < 0.3, told, assembled
    )


def _losses(made: World, rng: Random) -> Losses:
    """As hostile huvudmän have them, and answers of further wrong kinds."""
    return {place: rng.choice((kind, *FAULTS)) for place, kind in losses(made, rng).items()}


# Records that no source's answer can become: what the reading of answers promises, and the executors must not rely on

WRONG: tuple[Any, ...] = (
    None, "", "text", "Påhittad", "2026-03-29", 0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 10**30, True, False,
    1.0, 1.5, float("inf"), float("nan"), [], [None], ["a", None], ["a", "b"], [1], [True], [[]], {}, [{}],
    [{}, None, "x"],
)  # fmt: skip
"""Of every type, at and beyond the bounds of GraphQL's Int."""
LISTS = tuple(each for each in WRONG if isinstance(each, list))


def unread(number: int, done: Counter[str]) -> Both:
    """A huvudman by number, whose records are wrong in ways that reading them would have mended."""
    rng = Random(f"executor unread {number}")
    made = world(f"executor unread {number}")
    wrong, alone = rng.choice((0.0, 0.01, 0.03, 0.1, 0.4)), rng.choice((0.0, 0.5, 0.9))
    records = {
        name: {resource: _unread(resource, sent, wrong, alone, rng, done) for resource, sent in of.items()}
        for name, of in made.records.items()
    }
    lost = {
        (name, resource): rng.choice(list(FaultCode))
        for name, of in records.items()
        for resource in of
        if rng.random() < 0.05
    } if rng.random() < 0.3 else {}  # fmt: skip
    page, embeds, hide = rng.choice((2, 3, 100)), rng.random() < 0.7, rng.random() < 0.5

    def federation() -> Federation:
        sources = {name: FakeSource(name, of, page_size=page, embeds=embeds) for name, of in records.items()}
        for (name, resource), code in lost.items():
            sources[name].fail(code, resource=resource)
        return Federation(
            sources,  # type: ignore[arg-type]
            policy=HideProtected() if hide else ShowAll(),
            sealer=PlainSealer(),
            raw=True,
            clock=lambda: NOW,
        )

    told = f"unread world {number}: wrong {wrong}, lost {lost}"
    done.update(f"lost: {code}" for code in lost.values())
    return Both(f"unread {number}", federation(), federation(), True, told)


def _unread(
    resource: str, sent: Sequence[Any], wrong: float, alone: float, rng: Random, done: Counter[str]
) -> list[Mapping[str, object]]:
    """Records with much that is wrong, or one column alone: beside others, graphql-core would hide a guard's fault."""
    of, read = RESOURCES[resource], reader(resource, "Europe/Stockholm")
    columns = [each for each in of.properties if each.name not in ("id", "meta", *of.key)]
    columns = [each for each in columns if not isinstance(each.type, Reference)]
    texts = [each for each in columns if each.many and not isinstance(each.type, Structure)]
    found: dict[object, Mapping[str, object]] = {}
    for each in sent:
        usable = read(each)
        if usable is None:
            continue
        record = dict(usable[0])
        if columns and rng.random() < alone:
            one = rng.choice(texts if texts and rng.random() < 0.4 else columns)
            done["unread: one column alone"] += 1
            record[one.name] = rng.choice(LISTS if one.many and rng.random() < 0.5 else WRONG)
        else:
            record |= {c.name: _wrong(c, record[c.name], wrong, rng, done) for c in columns if c.name in record}
        found[record["id"]] = record
    return list(found.values())


def _wrong(prop: Property, value: object, odds: float, rng: Random, done: Counter[str]) -> object:
    """The value, or something else in its place or in it. Whom records refer to stays: else fetching would fail."""
    if isinstance(prop.type, Reference):
        return value
    if rng.random() < odds:
        done["unread: wrong value"] += 1
        return rng.choice(WRONG)
    if isinstance(prop.type, Structure):
        known = {each.name: each for each in prop.type.properties}

        def inner(entry: object) -> object:
            if not isinstance(entry, dict):
                return entry
            return {
                name: _wrong(known[name], each, odds, rng, done) if name in known else each
                for name, each in entry.items()
            }

        return [inner(each) for each in value] if isinstance(value, list) else inner(value)
    if isinstance(value, list) and rng.random() < odds:
        done["unread: wrong in a list"] += 1
        return [*value, rng.choice(WRONG)]
    return value
