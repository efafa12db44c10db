"""Large overlapping sources: real ones over HTTP messages made beforehand, without a network.

Person *n* of the world is at one to four of the four sources. Everything is a function of *n*, so what the merged list
must hold is computed here from the same function, and by nothing of the gateway.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs

import httpx
import orjson

from resolvers.cursor import Sealer
from resolvers.federation import Federation
from sources.cache import Cache
from sources.capabilities import Capabilities
from sources.settings import SourceSettings
from sources.source import Source

NAMES = ("alfa", "beta", "gamma", "delta")
SECRET = b"one secret for every process of these tests"
PAGE = CHUNK = 500
FIRST = ("Åke", "Anna", "Örjan", "Bo", "Ärna", "Zoë", "Erik", "Édith", "Maja", "Li", "Vera", "Wim")
LAST = ("Öst", "Ek", "Ål", "Berg", "Äng", "Lind", "Zander", "Ahl", "Dahl", "Norén")


def identity(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def at(number: int) -> tuple[int, ...]:
    """The sources that have a person: one half stands at one source, the others at two, three or four."""
    return (
        (number % 4,),
        (number % 4, (number + 1) % 4),
        (number % 4, (number + 2) % 4, (number + 3) % 4),
        (0, 1, 2, 3),
    )[(0, 0, 0, 0, 0, 1, 1, 1, 2, 3)[number // 4 % 10]]


def name(number: int, source: int) -> tuple[str, str] | None:
    """Given and family name as a source has them. Sources disagree; now and then one does not say."""
    if (number + source) % 29 == 0:
        return None
    return FIRST[(number * 7 + source) % len(FIRST)] + str(number % 97), LAST[(number * 3 + source) % len(LAST)]


def record(number: int, source: int) -> dict[str, object]:
    named = name(number, source)
    said = {} if named is None else {"givenName": named[0], "familyName": named[1]}
    return {
        "id": identity(number),
        "meta": {"created": "2025-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"},
        **said,
        "personStatus": "Aktiv",
        "securityMarking": "Ingen",
        "emails": [{"value": f"p{number}@{NAMES[source]}.example.se", "type": "Privat"}],
        "enrolments": [
            {"enroledAt": {"id": identity(-1 - number % 40)}, "schoolYear": number % 9 + 1, "schoolType": "GR",
             "startDate": "2025-08-18"}
        ],
    }  # fmt: skip


class World:
    """``size`` records at each of four sources, each source in an order of its own."""

    def __init__(self, size: int) -> None:
        self.numbers: list[list[int]] = [[], [], [], []]
        number = 0
        while min(map(len, self.numbers)) < size:
            for source in at(number):
                if len(self.numbers[source]) < size:
                    self.numbers[source].append(number)
            number += 1
        for source, numbers in enumerate(self.numbers):
            numbers.sort(key=lambda each: (each * 2_654_435_761 + source * 97) % 2**32)
        self.servers = [Server(each, source) for source, each in enumerate(self.numbers)]

    def reset(self) -> None:
        for server in self.servers:
            server.calls.clear()

    @property
    def calls(self) -> int:
        return sum(sum(server.calls.values()) for server in self.servers)

    @property
    def pages(self) -> int:
        return sum(-(-len(server.ids) // PAGE) for server in self.servers)

    def unordered(self) -> list[str]:
        return list(dict.fromkeys(each for server in self.servers for each in server.ids))

    def ordered(self) -> list[str]:
        """By displayName: Swedish, missing last, ties by id."""
        having: dict[int, list[int]] = {}
        for source, numbers in enumerate(self.numbers):
            for number in numbers:
                having.setdefault(number, []).append(source)

        def place(number: int) -> tuple[object, ...]:
            said = next((found for source in having[number] if (found := name(number, source))), None)
            return (said is None, [_letter(each) for each in " ".join(said or ()).lower()], identity(number))

        return [identity(number) for number in sorted(having, key=place)]

    def federation(self, ttl: float = 3600.0, max_bytes: int = 1024**3, chunk: int = CHUNK) -> Federation:
        """A gateway over the four, with an empty cache: another process, so to say."""
        cache = Cache(max_bytes)
        sources = {server.name: server.source(cache, ttl, chunk) for server in self.servers}
        return Federation(sources, sealer=Sealer([SECRET]), epoch="lists")


def _letter(letter: str) -> int:
    bare = letter if letter in "åäö" else unicodedata.normalize("NFD", letter)[0]
    return " 0123456789abcdefghijklmnopqrstuvwxyzåäö".index(bare)


class Server:
    """One SS 12000 server: pages of ``PAGE``, lookups by id, tokens of the state that the list is in."""

    def __init__(self, numbers: Sequence[int], source: int) -> None:
        self.name = NAMES[source]
        self.ids = [identity(number) for number in numbers]
        self.records = {
            each: orjson.dumps(record(number, source)) for each, number in zip(self.ids, numbers, strict=True)
        }
        self.calls: Counter[str] = Counter()
        self.state = 0
        self.gone_once = -1
        """The page that is refused with a 410, once: the list has been published anew."""
        self.down = False

    def source(self, cache: Cache, ttl: float, chunk: int) -> Source:
        capabilities = Capabilities(frozenset({"Person"}), chunk=chunk, page_size=PAGE)
        settings = SourceSettings(self.name, f"https://{self.name}.example.se/v2.0", capabilities, ttl={"default": ttl})
        return Source(settings, cache, transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            self.calls["failed"] += 1
            return httpx.Response(500)
        if request.method == "POST":
            self.calls["lookup"] += 1
            asked = orjson.loads(request.content)["ids"]
            return _body(self.records[each] for each in asked if each in self.records)
        self.calls["list"] += 1
        token = parse_qs(request.url.query.decode()).get("pageToken", [f"{self.state}.0"])[0]
        state, _, start = token.partition(".")
        if int(start) // PAGE == self.gone_once:
            self.gone_once = -1
            self.state += 1
        if int(state) != self.state:
            self.calls["gone"] += 1
            return httpx.Response(410)
        end = int(start) + PAGE
        following = f'"{self.state}.{end}"' if end < len(self.ids) else "null"
        return _body((self.records[each] for each in self.ids[int(start) : end]), following)


def _body(records: Iterable[bytes], following: str = "null") -> httpx.Response:
    content = b'{"data":[' + b",".join(records) + b'],"pageToken":' + following.encode() + b"}"
    return httpx.Response(200, content=content, headers={"Content-Type": "application/json"})
