"""One SS 12000 API, whatever it is behind: lists, lookups and gets in, canonical slabs and faults out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from . import deleted, paging
from .auth import Incoming, Outgoing
from .cache import Cache, Stored
from .canonical import read_id, reader
from .capabilities import Arrays, Paging
from .decoding import Page as Decoding
from .decoding import decodable, decode_page
from .endpoints import DELETED, Endpoints
from .errors import CallError, ConfigurationError, Fault, FaultCode
from .position import Position
from .records import Answer, DeletedAnswer, Slab, View
from .requests import Query
from .resilience import Gate
from .settings import SourceSettings
from .shape import Shape
from .slabs import Built, Origin, build, build_array, build_columns, without
from .standard import RESOURCES
from .standard.model import Scalar
from .tally import counting, hit
from .transport import BaseTransport, Transport, code_of
from .walks import KnownBy, Reader, Walk, ids_of, spans_of
from .windows import split, without_earlier, without_later
from .wire import decode

DEFAULT_TTL = 60.0
"""Seconds that answers stay cached where the configuration does not say."""

NO_LOOKUP = frozenset({400, 403, 404, 405, 501})
"""Statuses by which sources say that they have no such lookup."""

NO_LOOKUP_FOR = 900.0
"""Seconds until a lookup that was refused is tried again: a single bad request must not cost it for ever."""

PACE_OVER = 10
"""Calls over which the seconds of a call are averaged, about."""

MAX_HALVINGS = 6
"""How often a lookup that is too large for a source is halved before the source counts as unavailable."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Read:
    """A page as it came or is kept, decoded (whole, or by the columns of ``shape``) but not made a slab."""

    stored: Stored
    decoded: object
    next: str | None
    generation: str | None
    from_cache: bool
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    slab: Slab
    faults: tuple[Fault, ...]
    next: str | None
    generation: str | None

    @property
    def names(self) -> Sequence[str]:
        return self.slab.ids


@dataclass(frozen=True, slots=True)
class Listed:
    """One page as it was sent: its records, and the token of the next page."""

    items: Sequence[object]
    token: str | None


@dataclass(frozen=True, slots=True)
class _Passed:
    """A page that a reader has taken in; ``enough``: it wants no more."""

    next: str | None
    generation: str | None
    names: Sequence[str]
    enough: bool


@dataclass(slots=True)
class _Gathered:
    """What the parts of one answer add up to. One fault per resource and code, however many parts failed by it."""

    source: str
    resource: str
    shape: Shape | None = None
    """What will be read of the records."""
    slabs: list[Slab] = field(default_factory=list)
    faults: dict[tuple[str, FaultCode], Fault] = field(default_factory=dict)

    def add(self, slab: Slab, faults: Sequence[Fault] = ()) -> None:
        self.slabs.append(slab)
        for fault in faults:
            self.faults.setdefault((fault.resource, fault.code), fault)

    def fail(self, failure: CallError) -> None:
        fault = Fault(self.source, self.resource, failure.code, failure.status)
        self.faults.setdefault((fault.resource, fault.code), fault)

    def answer(self, following: str | None = None, walk: Walk | None = None) -> Answer:
        return Answer(tuple(self.slabs), tuple(self.faults.values()), following, walk)


class Source:
    """One SS 12000 API.

    Its methods never raise for what a source does: an Answer carries what came, and faults for what did not. Deadlines
    are absolute, in the running loop's time. Cancelling a method ends its calls, unless others wait for them too.

    ``calls`` counts the requests sent to the API; ``pace`` is how many seconds one took of late (None: none was sent).
    ``on_call`` is told of each: resource, operation (``list``, ``lookup``, ``get``, ``deleted``), status (None: no
    answer), seconds. Raises ConfigurationError when it is made.
    """

    def __init__(
        self,
        settings: SourceSettings,
        cache: Cache,
        *,
        transport: BaseTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        _validate(settings)
        self.name = settings.name
        self.capabilities = settings.capabilities
        self.settings = settings
        self.calls = 0
        self.pace: float | None = None
        self.on_call: Callable[[str, str, int | None, float], None] | None = None
        self.clock = clock
        self._cache = cache
        self._endpoints = Endpoints(settings)
        self._gate = Gate(settings.concurrency, settings.timeout)
        self._transport = Transport(settings, self._endpoints, self._gate, transport)
        self._no_lookup: dict[tuple[str, str], float] = {}

    async def page(
        self, resource: str, query: Query, token: str | None, deadline: float, shape: Shape | None = None
    ) -> Answer:
        """One page of a list; ``next`` is the token of the page after it, for this method alone.

        ``shape``, here and elsewhere: what will be read of the records; None: anything. It only saves time.
        """
        gathered = _Gathered(self.name, resource)
        try:
            windows = self._accept(resource, query)
            at = Position.read(token)
            if at.window >= len(windows):
                raise CallError(FaultCode.SOURCE_REQUEST_REFUSED)
            page = await self._page(resource, windows[at.window], at.token, deadline, shape)
        except CallError as failure:
            gathered.fail(failure)
            return gathered.answer()
        following = Position(at.window + 1) if at.window + 1 < len(windows) else None
        slab = page.slab
        if page.next is not None:
            by_offset = self.capabilities.paging is Paging.OFFSET
            following = at.following(page.next, " ".join(slab.ids) if by_offset and slab.ids else page.next)
            if following is None or self.capabilities.paging is Paging.NONE:
                gathered.fail(CallError(FaultCode.SOURCE_PAGING_LOOP))
                if by_offset:
                    return gathered.answer()  # the page came before
                following = None
        if at.window:
            slab = without_earlier(resource, windows[at.window - 1], slab, self.settings.timezone)
        if self.capabilities.naive and at.window + 1 < len(windows):
            slab = without_later(resource, windows[at.window], slab, self.settings.timezone)
        gathered.add(slab, page.faults)
        return gathered.answer(None if following is None else str(following))

    async def walk(self, resource: str, query: Query, deadline: float, shape: Shape | None = None) -> Answer:
        """All pages of a list, each record once; where it breaks off, the pages until then and a fault."""
        gathered = _Gathered(self.name, resource)
        try:
            windows = self._accept(resource, query)
        except CallError as failure:
            gathered.fail(failure)
            return gathered.answer()
        seen: set[str] = set()
        for walked in await _together([self._walk(resource, window, deadline, shape) for window in windows]):
            for page in walked.pages:
                gathered.add(without(page.slab, seen), page.faults)
            if walked.failure is not None:
                gathered.fail(walked.failure)
        return gathered.answer()

    async def scan(
        self, resource: str, query: Query, read: Reader, deadline: float, known_by: KnownBy | None = None
    ) -> Answer:
        """All pages of a list, of which only the ids are read; ``Answer.walk`` tells where the records stand.

        Other work goes on between pages. A reader that has had enough ends the walk.
        """
        gathered = _Gathered(self.name, resource)
        walk = Walk(self.name, resource, query)
        try:
            windows = self._accept(resource, query)
        except CallError as failure:
            gathered.fail(failure)
            return gathered.answer(walk=walk)
        for window in windows:
            walked = await self._scan(gathered, walk, window, read, deadline, known_by)
            if walked.failure is not None:
                gathered.fail(walked.failure)
            if walked.pages and walked.pages[-1].enough:
                break
        return gathered.answer(walk=walk)

    async def _scan(
        self,
        gathered: _Gathered,
        walk: Walk,
        query: Query,
        read: Reader,
        deadline: float,
        known_by: KnownBy | None,
    ) -> paging.Walked[_Passed]:
        """The pages of one window, added to the walk."""
        resource, key = walk.resource, self._walk_key(walk.resource, query)
        walk.begin()
        read.begin()

        async def fetch(token: str | None, first: _Passed | None) -> _Passed:
            page = await self._read(resource, query, token, deadline, None if first is None else first.generation)
            if token is None:
                walk.restart(page.generation, self._cache.watch(key, page.generation))
                read.restart()
            items = paging.items(page.decoded, resource)
            identities = ids_of(resource, self.settings.timezone, items, known_by)
            found = [identity for identity in identities if identity is not None]
            if len(found) < len(items):
                gathered.fail(CallError(FaultCode.SOURCE_RECORD_INVALID))
            body = page.stored.body
            walk.add(token, body, page.stored.fetched_at, spans_of(body, page.decoded, items, identities), len(found))
            following, generation = page.next, page.generation
            del page, items  # one page is decoded at a time, however many sources are read
            await asyncio.sleep(0)
            enough = not read.read(found)
            return _Passed(None if enough else following, generation, found, enough)

        async def restart() -> None:
            await self._cache.forget(key)

        return await paging.walk(fetch, restart, self.settings)

    @property
    def concurrency(self) -> int:
        """The most calls at a time."""
        return self.settings.concurrency

    def has_list(self, resource: str, query: Query) -> bool:
        """Whether the list is kept, as far as its first pages tell: reading it is likely to ask nobody."""
        try:
            windows = self._accept(resource, query)
        except CallError:
            return False
        return all(self._cache.generation(self._walk_key(resource, each), None) is not None for each in windows)

    async def kept(self, walk: Walk, places: Sequence[int], shape: Shape | None = None) -> Answer:
        """The records at these places of a walk, as far as its pages are still kept. Asks nobody."""
        gathered = _Gathered(self.name, walk.resource)
        pages: dict[int, list[int]] = {}
        for place in sorted(places):
            page = walk.page_of(place)
            pages.setdefault(page, []).append(place - walk.starts[page])
        for page, offsets in pages.items():
            if walk.held is not None:
                body = walk.held[page]
            else:
                stored = await self._cache.page(walk.generation_of(page), walk.tokens[page].token)
                if stored is None:
                    continue
                body = stored.body
            spans = walk.spans[page]
            if spans is not None:
                parts = [body[spans[2 * offset] : spans[2 * offset + 1]] for offset in offsets]
            else:
                items = paging.items(decode(body), walk.resource)
                usable = zip(items, ids_of(walk.resource, self.settings.timezone, items), strict=True)
                whole = [item for item, identity in usable if identity is not None]
                parts = [orjson.dumps(whole[offset]) for offset in offsets]
            origin = self._origin(walk.resource, View.LIST, walk.query.expand, walk.fetched[page], from_cache=True)
            built = build_array(origin, parts, shape)
            gathered.add(built.slab, built.faults)
        return gathered.answer()

    async def lookup(
        self,
        resource: str,
        key: str,
        values: Sequence[str],
        expand: tuple[str, ...],
        deadline: float,
        ahead: Sequence[str] = (),
        shape: Shape | None = None,
    ) -> Answer:
        """The records whose ``key`` (a body array of the lookup; ``ids`` for their own ids) is one of ``values``.

        Ids that the source does not have are simply not in the answer. Without a lookup, single gets stand in for
        ``ids``, at most ``settings.max_gets``; where that does not do, SOURCE_REQUEST_REFUSED. An expand that the
        source does not know is not asked for.

        ``ahead``: ids that will be asked for soon. Where a call must be made, and answers are kept, it asks for as many
        of them as there is room for; they may be in the answer.
        """
        gathered = _Gathered(self.name, resource)
        expand = self._known(resource, expand)
        values = list(dict.fromkeys(_canonical(resource, key, values)))
        if not values:
            return gathered.answer()
        try:
            self._served(resource)
            gathered.shape = None if expand or not decodable(resource) else shape
            await self._lookup(gathered, key, values, expand, deadline, ahead)
        except CallError as failure:
            gathered.fail(failure)
        return gathered.answer()

    async def get(self, resource: str, id: str, expand: tuple[str, ...], deadline: float) -> Answer:
        """The record with this id; no slab and no fault where the source does not have it."""
        gathered = _Gathered(self.name, resource)
        identity = read_id(id)
        try:
            self._served(resource)
            if not RESOURCES[resource].get:
                raise CallError(FaultCode.SOURCE_REQUEST_REFUSED)
            if identity is not None:
                await self._gets(gathered, [identity], self._known(resource, expand), deadline)
        except CallError as failure:
            gathered.fail(failure)
        return gathered.answer()

    async def deleted(self, after: str | None, entities: tuple[str, ...], deadline: float) -> DeletedAnswer:
        """The ids deleted after an instant (RFC 3339), of these resources (by name; none given: all). Never cached."""
        read_at = self.clock()
        parameters = (("after", (after,)),) if after is not None else ()
        query = Query((*parameters, ("entities", entities)) if entities else parameters)

        async def fetch(token: str | None, _first: deleted.Page | None) -> deleted.Page:
            url = self._endpoints.list(DELETED, paging.parameters(self.capabilities, DELETED, query, token))
            body = (await self._call(DELETED, "deleted", Outgoing("GET", url), deadline)).body
            return deleted.read(decode(body), self.capabilities, token)

        async def restart() -> None:
            """Nothing is kept of it."""

        walked = await paging.walk(fetch, restart, self.settings)
        gathered = _Gathered(self.name, DELETED)
        if any(page.unreadable for page in walked.pages):
            gathered.fail(CallError(FaultCode.SOURCE_RECORD_INVALID))
        if walked.failure is not None:
            gathered.fail(walked.failure)
        return DeletedAnswer(deleted.united(walked.pages, entities), read_at, tuple(gathered.faults.values()))

    async def probe(self, resource: str, query: Query, deadline: float) -> Fault | None:
        """Ask for one record of a list, past the cache; None if a list came, else why not."""
        one = replace(self.capabilities, page_size=1)
        try:
            await self.listed(resource, paging.parameters(one, resource, query, None), deadline)
        except CallError as failure:
            return Fault(self.name, resource, failure.code, failure.status)
        return None

    async def listed(self, resource: str, parameters: Sequence[tuple[str, str]], deadline: float) -> Listed:
        """One page of a list, with these parameters and no others, past the cache. Raises CallError."""
        request = Outgoing("GET", self._endpoints.list(resource, parameters, Arrays.REPEATED))
        decoded = decode((await self._call(resource, "list", request, deadline)).body)
        return Listed(paging.items(decoded, resource), paging.next_token(decoded))

    async def looked_up(self, resource: str, key: str, values: Sequence[str], deadline: float) -> Sequence[object]:
        """What a lookup gives, past the cache and whatever the capabilities say. Raises CallError."""
        request = self._lookup_request(resource, key, values, ())
        decoded = decode((await self._call(resource, "lookup", request, deadline)).body)
        return paging.items(decoded, resource)

    async def aclose(self) -> None:
        """Close the connections. Calls in flight fail."""
        await self._transport.aclose()

    # Lists

    def _accept(self, resource: str, query: Query) -> list[Query]:
        """The query as it may be sent, window by window. Raises CallError: a civicNo would stand in a URL."""
        self._served(resource)
        query = paging.sendable(self.capabilities, resource, query)
        if not self.settings.allow_civicno_in_url and any(n.lower() == "civicno" for n, _ in query.parameters):
            # URLs stand in access logs. A lookup by civicNos carries the same in its body.
            raise CallError(FaultCode.SOURCE_REQUEST_REFUSED)
        return split(self.capabilities, resource, query, self.settings.max_pages)

    async def _walk(self, resource: str, query: Query, deadline: float, shape: Shape | None) -> paging.Walked[_Page]:
        async def fetch(token: str | None, first: _Page | None) -> _Page:
            generation = None if first is None else first.generation
            return await self._page(resource, query, token, deadline, shape, generation)

        async def restart() -> None:
            await self._cache.forget(self._walk_key(resource, query))

        return await paging.walk(fetch, restart, self.settings)

    def _served(self, resource: str) -> None:
        if resource not in self.capabilities.resources or resource not in RESOURCES:
            raise CallError(FaultCode.SOURCE_ENDPOINT_MISSING)

    def _known(self, resource: str, expand: tuple[str, ...]) -> tuple[str, ...]:
        """The expands that the source knows; what others would embed is simply not there."""
        return tuple(sorted(self.capabilities.expands(resource).intersection(expand)))

    def _walk_key(self, resource: str, query: Query) -> str:
        asked = (sorted(query.parameters), sorted(query.expand), query.sortkey, self.capabilities.page_size)
        return self._cache.digest("walk", self.name, resource, repr(asked))

    async def _page(
        self,
        resource: str,
        query: Query,
        token: str | None,
        deadline: float,
        shape: Shape | None = None,
        generation: str | None = None,
    ) -> _Page:
        if query.expand or not decodable(resource):
            shape = None
        read = await self._read(resource, query, token, deadline, generation, shape)
        body, fetched_at = read.stored.body, read.stored.fetched_at
        origin = self._origin(resource, View.LIST, query.expand, fetched_at, from_cache=read.from_cache)
        if read.shape is not None and (shape is None or not read.shape.covers(shape)):  # another asked for the page
            read = self._decoded(resource, token, read.stored, read.generation, from_cache=read.from_cache, shape=shape)
        built = self._built(origin, body, read.decoded, read.shape)
        return _Page(built.slab, built.faults, read.next, read.generation)

    def _built(
        self,
        origin: Origin,
        body: bytes,
        decoded: object,
        shape: Shape | None,
        wanted: Collection[str] | None = None,
    ) -> Built:
        def again() -> Sequence[object]:
            return paging.items(decode(body), origin.resource)

        if isinstance(decoded, Decoding):
            assert shape is not None
            return build_columns(origin, decoded, body, again, shape, wanted)
        return build(origin, paging.items(decoded, origin.resource), again, wanted)

    async def _read(
        self,
        resource: str,
        query: Query,
        token: str | None,
        deadline: float,
        generation: str | None = None,
        shape: Shape | None = None,
    ) -> _Read:
        """A page of a list, from the walk of which it is part, or from the source.

        Where somebody comes back with a token of which no walk is kept any more, the page is kept by itself: it stands
        on no other page of this process, and the next question may well be for it again.
        """
        walk = self._walk_key(resource, query)
        generation = generation or self._cache.generation(walk, token)
        alone = self._cache.digest("page by itself", walk, token) if generation is None and token is not None else None
        kept = await self._cache.page(generation, token) if alone is None else (await self._cache.records([alone]))[0]
        if kept is not None:
            hit()
            return self._decoded(resource, token, kept, generation, from_cache=True, shape=shape)

        async def fetch() -> _Read:
            sent = paging.parameters(self.capabilities, resource, query, token)
            fetched_at = self.clock()
            request = Outgoing("GET", self._endpoints.list(resource, sent))
            body = (await self._call(resource, "list", request, deadline)).body
            stored, ttl = Stored(body, fetched_at), self._ttl(resource, query.expand)
            read = self._decoded(resource, token, stored, generation, from_cache=False, shape=shape)
            if alone is not None:
                await self._cache.put_records({alone: body}, fetched_at, ttl)
                return read
            return replace(read, generation=await self._cache.put_page(walk, generation, token, stored, read.next, ttl))

        flight = self._cache.digest("page", walk, generation or "", token or "")
        return await self._cache.flights.share(flight, deadline, fetch)

    def _decoded(
        self,
        resource: str,
        token: str | None,
        stored: Stored,
        generation: str | None,
        *,
        from_cache: bool,
        shape: Shape | None = None,
    ) -> _Read:
        """Raises CallError (SOURCE_ANSWER_INVALID) if the page is not a list."""
        zone = self.settings.timezone
        page = None if shape is None else decode_page(resource, zone, shape, stored.body, read=from_cache)
        if page is not None:
            following = paging.following(self.capabilities, {"pageToken": page.token}, page.count, token)
            return _Read(stored, page, following, generation, from_cache, shape)
        decoded = decode(stored.body)
        count = len(paging.items(decoded, resource))
        following = paging.following(self.capabilities, decoded, count, token)
        return _Read(stored, decoded, following, generation, from_cache)

    # Lookups

    async def _lookup(
        self,
        gathered: _Gathered,
        key: str,
        values: list[str],
        expand: tuple[str, ...],
        deadline: float,
        ahead: Sequence[str],
    ) -> None:
        resource = gathered.resource
        declared = RESOURCES[resource]
        possible = key in self.capabilities.lookup_keys(resource) and (declared.lookup_expands or not expand)
        if possible and self._no_lookup.get((resource, key), 0.0) <= time.monotonic():
            if key == "ids":
                values = await self._from_cache(gathered, View.LOOKUP, values, expand)
            further = self._further(resource, values, ahead, expand)
            left = await self._post_all(gathered, key, [*values, *further], expand, deadline)
            values = left if not further else [value for value in left if value not in set(further)]
        elif key != "ids" or not declared.get:
            raise CallError(FaultCode.SOURCE_REQUEST_REFUSED)
        if values:
            await self._gets(gathered, values, expand, deadline)

    def _further(
        self, resource: str, values: Sequence[str], ahead: Sequence[str], expand: tuple[str, ...]
    ) -> list[str]:
        """Those of the ids ahead that fill up the last call for ``values``, and are not kept already."""
        room = -len(values) % max(1, self.capabilities.chunk)
        if not values or not ahead or not room or self._ttl(resource, expand) <= 0:
            return []
        asked = set(values)
        return [
            identity
            for identity in dict.fromkeys(ahead)
            if identity not in asked and not self._cache.has(self._record_key(resource, View.LOOKUP, identity, expand))
        ][:room]

    async def _post_all(
        self, gathered: _Gathered, key: str, values: list[str], expand: tuple[str, ...], deadline: float
    ) -> list[str]:
        """Look up in parallel; gives back the ids that gets have to stand in for."""
        size = max(1, self.capabilities.chunk)
        chunks = [values[start : start + size] for start in range(0, len(values), size)]
        left = await _together([self._post_chunk(gathered, key, chunk, expand, deadline) for chunk in chunks])
        return [value for part in left for value in part]

    async def _post_chunk(
        self, gathered: _Gathered, key: str, values: list[str], expand: tuple[str, ...], deadline: float
    ) -> list[str]:
        resource = gathered.resource
        pending, halvings = [values], 0
        while pending:
            batch = pending.pop(0)
            try:
                built = await self._post(resource, key, batch, expand, deadline, gathered.shape)
                gathered.add(without(built.slab, set()), built.faults)
            except CallError as failure:
                if failure.status == 503 and len(batch) > 1 and halvings < MAX_HALVINGS:
                    # "The answer is too large", says the standard; in an outage the halvings soon run out.
                    halvings += 1
                    half = len(batch) // 2
                    pending[:0] = [batch[:half], batch[half:]]
                elif failure.status in NO_LOOKUP and key == "ids" and RESOURCES[resource].get:
                    self._no_lookup[(resource, key)] = time.monotonic() + NO_LOOKUP_FOR
                    return [value for part in (batch, *pending) for value in part]
                else:
                    gathered.fail(failure)
                    if len(batch) > 1:
                        return []
        return []

    async def _post(
        self,
        resource: str,
        key: str,
        values: list[str],
        expand: tuple[str, ...],
        deadline: float,
        shape: Shape | None,
    ) -> Built:
        by_id = key == "ids" and RESOURCES[resource].has_id
        whole = self._cache.digest("lookup", self.name, resource, key, repr(expand), *sorted(values))
        if not by_id:
            kept = (await self._cache.records([whole]))[0]
            if kept is not None:
                hit()
                return self._read_lookup(resource, kept, expand, shape, None, from_cache=True)

        async def fetch() -> Built:
            fetched_at = self.clock()
            request = self._lookup_request(resource, key, values, expand)
            body = (await self._call(resource, "lookup", request, deadline)).body
            stored = Stored(body, fetched_at)
            # A source that ignores the body sends everything; only what was asked for is an answer.
            wanted = frozenset(values) if by_id else None
            built = self._read_lookup(resource, stored, expand, shape, wanted, from_cache=False)
            if by_id:
                await self._keep(built, values, expand)
            elif not built.faults:
                await self._cache.put_records({whole: body}, fetched_at, self._ttl(resource, expand))
            return built

        return await self._cache.flights.share(whole, deadline, fetch)

    def _lookup_request(self, resource: str, key: str, values: Sequence[str], expand: tuple[str, ...]) -> Outgoing:
        url = self._endpoints.lookup(resource, expand)
        return Outgoing("POST", url, {"Content-Type": "application/json"}, orjson.dumps({key: list(values)}))

    def _read_lookup(
        self,
        resource: str,
        stored: Stored,
        expand: tuple[str, ...],
        shape: Shape | None,
        wanted: Collection[str] | None,
        *,
        from_cache: bool,
    ) -> Built:
        body = stored.body
        origin = self._origin(resource, View.LOOKUP, expand, stored.fetched_at, from_cache=from_cache)
        page = None if shape is None else decode_page(resource, origin.timezone, shape, body, read=from_cache)
        return self._built(origin, body, decode(body) if page is None else page, shape, wanted)

    # Gets

    async def _gets(self, gathered: _Gathered, ids: Sequence[str], expand: tuple[str, ...], deadline: float) -> None:
        missing = await self._from_cache(gathered, View.GET, ids, expand)
        if len(missing) > self.settings.max_gets:
            missing = missing[: self.settings.max_gets]
            gathered.fail(CallError(FaultCode.SOURCE_REQUEST_REFUSED))
        got = await _together([self._get(gathered, identity, expand, deadline) for identity in missing])
        found = [stored for stored in got if stored is not None]
        self._add_stored(gathered, View.GET, expand, found, from_cache=False)

    async def _get(self, gathered: _Gathered, identity: str, expand: tuple[str, ...], deadline: float) -> Stored | None:
        resource = gathered.resource
        url = self._endpoints.item(resource, identity, expand)
        if url is None:
            return None

        async def fetch() -> Stored | None:
            fetched_at = self.clock()
            try:
                body = (await self._call(resource, "get", Outgoing("GET", url), deadline)).body
            except CallError as failure:
                if failure.status not in (404, 410):
                    raise
                body = b""
            if body:
                body = self._single(resource, identity, body)
            key = self._record_key(resource, View.GET, identity, expand)
            await self._cache.put_records({key: body}, fetched_at, self._ttl(resource, expand))
            return Stored(body, fetched_at) if body else None

        flight = self._cache.digest("get", self._record_key(resource, View.GET, identity, expand))
        try:
            return await self._cache.flights.share(flight, deadline, fetch)
        except CallError as failure:
            gathered.fail(failure)
            return None

    def _single(self, resource: str, identity: str, body: bytes) -> bytes:
        """The one record of a get's answer. Raises CallError if it is none, or another than the one asked for."""
        record = decode(body)
        if isinstance(record, dict) and "id" not in record and isinstance(record.get("data"), dict):
            record = record["data"]
        if not isinstance(record, dict):
            raise CallError(FaultCode.SOURCE_ANSWER_INVALID)
        found = reader(resource, self.settings.timezone)(record)
        if found is None:
            raise CallError(FaultCode.SOURCE_RECORD_INVALID)
        if RESOURCES[resource].has_id and found[0]["id"] != identity:
            raise CallError(FaultCode.SOURCE_ANSWER_INVALID)
        return orjson.dumps(record)

    # Records in the cache

    def _record_key(self, resource: str, view: View, identity: str, expand: tuple[str, ...]) -> str:
        return self._cache.digest("record", self.name, resource, view, repr(expand), identity)

    async def _from_cache(
        self, gathered: _Gathered, view: View, ids: Sequence[str], expand: tuple[str, ...]
    ) -> list[str]:
        """Add what is kept; gives back the ids of which nothing is known."""
        resource = gathered.resource
        kept = await self._cache.records([self._record_key(resource, view, identity, expand) for identity in ids])
        found = [stored for stored in kept if stored is not None and stored.body]
        self._add_stored(gathered, view, expand, found, from_cache=True)
        missing = [identity for identity, stored in zip(ids, kept, strict=True) if stored is None]
        hit(len(ids) - len(missing))
        return missing

    def _add_stored(
        self, gathered: _Gathered, view: View, expand: tuple[str, ...], found: Sequence[Stored], *, from_cache: bool
    ) -> None:
        """Add single records as slabs: one per time of fetching where they come from the cache, else one in all."""
        groups: dict[datetime, list[bytes]] = {}
        earliest = min((stored.fetched_at for stored in found), default=None)
        for stored in found:
            fetched_at = stored.fetched_at if from_cache or earliest is None else earliest
            groups.setdefault(fetched_at, []).append(stored.body)
        for fetched_at, bodies in groups.items():
            origin = self._origin(gathered.resource, view, expand, fetched_at, from_cache=from_cache)
            built = build_array(origin, bodies, gathered.shape)
            gathered.add(built.slab, built.faults)

    async def _keep(self, built: Built, asked: Sequence[str], expand: tuple[str, ...]) -> None:
        """Keep a lookup's records, and that the others are not there; unless one of those may be the unreadable one."""
        if built.faults:
            return
        slab, ttl = built.slab, self._ttl(built.slab.resource, expand)
        if ttl <= 0:
            return
        bodies = {self._record_key(slab.resource, View.LOOKUP, identity, expand): b"" for identity in asked}
        for identity, sent in zip(slab.ids, built.sent(), strict=True):
            bodies[self._record_key(slab.resource, View.LOOKUP, identity, expand)] = sent
        await self._cache.put_records(bodies, slab.fetched_at, ttl)

    # Calls

    async def _call(self, resource: str, operation: str, request: Outgoing, deadline: float) -> Incoming:
        """One call. Raises CallError for everything but a 2xx answer."""

        def observe(status: int | None, seconds: float) -> None:
            self.calls += 1
            self.pace = seconds if self.pace is None else self.pace + (seconds - self.pace) / PACE_OVER
            tally = counting.get()
            if tally is not None:
                tally.called(self.name, operation)
            if self.on_call is not None:
                self.on_call(resource, operation, status, seconds)

        async with self._gate.slot(deadline):
            answer = await self._transport.send(request, deadline, observe)
        if not 200 <= answer.status < 300:
            raise CallError(code_of(answer.status), answer.status)
        return answer

    def _origin(
        self, resource: str, view: View, expand: tuple[str, ...], fetched_at: datetime, *, from_cache: bool
    ) -> Origin:
        return Origin(self.name, resource, view, expand, fetched_at, from_cache, self.settings.timezone)

    def _ttl(self, resource: str, expand: Sequence[str]) -> float:
        """Seconds to keep an answer: those of its resource, or fewer where it embeds one that is kept shorter."""
        declared = RESOURCES[resource].expand
        names = {resource, *(declared[name].resource for name in expand if name in declared)}
        ttl = self.settings.ttl
        return min(ttl.get(name, ttl.get("default", DEFAULT_TTL)) for name in names)


T = TypeVar("T")


async def _together(parts: Sequence[Coroutine[None, None, T]]) -> list[T]:
    """All at once; the gate holds them to what the source may be asked at the same time."""
    if len(parts) < 2:
        return [await part for part in parts]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in parts]
    return [task.result() for task in tasks]


def _canonical(resource: str, key: str, values: Sequence[str]) -> Iterator[str]:
    """Values of a lookup as they are compared: ids in canonical spelling, unusable ones left out; text as it is."""
    declared = RESOURCES[resource].lookup_key.get(key) if resource in RESOURCES else None
    for value in values:
        usable = value if declared is not None and declared.type is not Scalar.ID else read_id(value)
        if usable:
            yield usable


def _validate(settings: SourceSettings) -> None:
    key = f"sources.{settings.name}"
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"{key}.timezone", "give an IANA name such as Europe/Stockholm") from None
    for name in ("timeout", "concurrency", "max_body", "max_pages"):
        if getattr(settings, name) <= 0:
            raise ConfigurationError(f"{key}.{name}", "give a number above 0")
    for name in ("restarts", "max_gets"):
        if getattr(settings, name) < 0:
            raise ConfigurationError(f"{key}.{name}", "give 0 or more")
    for name in ("chunk", "window_days"):
        bound = getattr(settings.capabilities, name)
        if bound is not None and bound < 1:
            raise ConfigurationError(f"{key}.capabilities.{name}", "give a number above 0")
