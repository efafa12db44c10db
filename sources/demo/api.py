"""One source as an ASGI application: the standard's list, get, lookup and deletedEntities over a store."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..capabilities import Filter
from ..endpoints import DELETED
from ..records import View
from ..standard import RESOURCES
from ..standard.feeds import DELETED_ENTITIES_PARAMETERS, DELETED_ENTITIES_PATH
from ..standard.model import Resource
from .answers import Answers
from .asking import Asked, BadRequest, Pairs, is_id, read_deleted, read_get, read_list, read_lookup
from .attached import attached
from .credentials import Issuer, Lock
from .filters import looked_up, select
from .habits import STANDARD, Habits, Trouble
from .hearing import heard, heard_body, honoured, shared
from .pages import Gone, Pager
from .spelling import Spelling
from .store import Store, Table, display_name, seconds
from .world import Deleted, Record

PREFIX = "/v2.0"
MAX_BODY = 4 * 1024 * 1024
"""Bytes of a lookup's body."""
KEPT_SELECTIONS = 64
"""How many answered queries are kept for their next pages."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    """Serves a store. ``calls`` gathers (method, path below the base URL) of every call but those for tokens.

    ``forbidden`` names resources that the credentials do not reach: they are answered with 403. ``habits`` is what the
    server does otherwise than the standard says.
    """

    def __init__(
        self, store: Store, deleted: Sequence[Deleted], lock: Lock, page_size: int, habits: Habits = STANDARD
    ) -> None:
        self.store = attached(store, habits)
        self.deleted = deleted
        self.lock = lock
        self.habits = habits
        self.calls: list[tuple[str, str]] = []
        self.forbidden: set[str] = set()
        self._pager = Pager(habits, page_size)
        self._spelling = Spelling(self.store, habits)
        self._troubled: Counter[tuple[str, str]] = Counter()
        self._selections: OrderedDict[bytes, Sequence[int]] = OrderedDict()

    @property
    def page_size(self) -> int:
        """The most records of a page."""
        return self._pager.page_size

    @page_size.setter
    def page_size(self, size: int) -> None:
        self._pager.page_size = size

    def app(self) -> ASGIApp:
        path = self._path(DELETED, DELETED_ENTITIES_PATH)
        routes = [self._route(path, DELETED, "deleted", self._deleted)]
        for name in self.store.tables:
            resource = RESOURCES[name]
            path = self._path(name, resource.path)
            below = path.rstrip("/")
            routes.append(self._route(path, name, "list", self._list(resource)))
            if resource.lookup:
                routes.append(self._route(f"{below}/lookup", name, "lookup", self._lookup(resource), "POST"))
            if resource.get:
                routes.append(self._route(f"{below}/{{id}}", name, "get", self._get(resource)))
        handlers = {BadRequest: _bad_request, Gone: _gone, HTTPException: _without_body}
        served: list[Route | Mount] = [
            Mount(PREFIX, app=self._guarded(Starlette(routes=routes, exception_handlers=handlers)))
        ]
        if isinstance(self.lock, Issuer):
            served.append(Route("/token", self.lock.answer, methods=["POST"]))
        return Starlette(routes=served, exception_handlers={HTTPException: _without_body})

    def _path(self, name: str, path: str) -> str:
        return self.habits.paths.get(name, path)

    def _route(self, path: str, resource: str, operation: str, endpoint: Endpoint, method: str = "GET") -> Route:
        return Route(path, self._troubling(resource, operation, endpoint), methods=[method])

    def _guarded(self, app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            path = request.url.path.removeprefix(PREFIX)
            self.calls.append((request.method, path))
            first = path.split("/")[1:2]
            resource = next(
                (r for r in self.store.tables if first == self._path(r, RESOURCES[r].path).split("/")[1:2]), None
            )
            if not self.lock.opens(request.headers):
                refusal = _error(401, "UNAUTHENTICATED", "credentials are missing or not valid")
                refusal.headers["www-authenticate"] = "Bearer"
                await refusal(scope, receive, send)
            elif resource in self.forbidden:
                await _error(403, "FORBIDDEN", "the credentials do not reach this resource")(scope, receive, send)
            else:
                await app(scope, receive, send)

        return guarded

    def _troubling(self, resource: str, operation: str, endpoint: Endpoint) -> Endpoint:
        """The endpoint, with whatever the habits let go wrong."""
        keys = ((resource, operation), (resource, "*"), ("*", operation), ("*", "*"))
        key = next((key for key in keys if key in self.habits.troubles), None)
        if key is None:
            return endpoint
        trouble, counted = self.habits.troubles[key], (resource, operation)

        async def answered(request: Request) -> Response:
            if self.habits.trouble_times is not None and self._troubled[counted] >= self.habits.trouble_times:
                return await endpoint(request)
            self._troubled[counted] += 1
            if isinstance(trouble.value, int):
                return _refused(trouble)
            if trouble is Trouble.SLOW:
                await asyncio.sleep(self.habits.slow)
            answer = await endpoint(request)
            return answer if answer.status_code != 200 else _spoilt(trouble, bytes(answer.body))

        return answered

    def _list(self, resource: Resource) -> Endpoint:
        async def listed(request: Request) -> Response:
            pairs = heard(resource.parameters, _pairs(request), self.habits, resource)
            asked, offset = self._pager.asked(resource.path, pairs, lambda p: read_list(resource, p), resource.window)
            table = self.store.tables[resource.name]
            positions = self._selected(resource, honoured(resource, asked, self.habits))
            endless = resource.name in self.habits.endless
            end, token = self._pager.cut(resource.path, asked, offset, len(positions), endless=endless)
            data = self._written(resource, asked, [table.records[i] for i in positions[offset:end]], View.LIST)
            return self._json(self._pager.body(resource.plural, data, token))

        return listed

    def _get(self, resource: Resource) -> Endpoint:
        async def got(request: Request) -> Response:
            id = shared(resource.name, request.path_params["id"], self.habits)
            asked = read_get(resource, heard((), _pairs(request), self.habits, resource))
            if not is_id(id):
                raise BadRequest("the id must be a uuid")
            record = self.store.tables[resource.name].get(id.lower())
            if record is None:
                return Response(status_code=404)
            return self._json(self._written(resource, asked, [record], View.GET)[0])

        return got

    def _lookup(self, resource: Resource) -> Endpoint:
        async def looked(request: Request) -> Response:
            habits = self.habits
            if resource.name in habits.no_lookup:
                return Response(status_code=habits.no_lookup_status)
            try:
                body = orjson.loads(await _body(request))
            except orjson.JSONDecodeError:
                raise BadRequest("the body is not JSON") from None
            pairs = heard((), _pairs(request), habits, resource)
            asked = read_lookup(resource, pairs, heard_body(resource, body, habits))
            if habits.lookup_max is not None and sum(map(len, asked.filters.values())) > habits.lookup_max:
                return _error(habits.lookup_too_large, "TOO_LARGE", "Svaret är för stort")
            table = self.store.tables[resource.name]
            positions: Sequence[int] = range(len(table.records))
            if resource.name not in habits.lookup_of_everything:
                positions = looked_up(self.store, resource.name, asked.filters)
            if habits.lookup_reversed:
                positions = positions[::-1]
            data = self._written(resource, asked, [table.records[i] for i in positions], View.LOOKUP)
            return self._json({"data": data} if habits.lookup_in_data else data)

        return looked

    async def _deleted(self, request: Request) -> Response:
        pairs = heard(DELETED_ENTITIES_PARAMETERS, _pairs(request), self.habits)
        asked, offset = self._pager.asked(DELETED_ENTITIES_PATH, pairs, read_deleted)
        kinds = asked.filters.get("entities")
        after = asked.filters.get("after")
        gone = [
            d
            for d in self.deleted
            if (kinds is None or d.resource in kinds) and (after is None or d.at.timestamp() > seconds(after[0]))
        ]
        end, token = self._pager.cut(DELETED_ENTITIES_PATH, asked, offset, len(gone))
        return self._json(self._pager.body("data", self._notices(gone[offset:end]), token))

    def _notices(self, gone: Sequence[Deleted]) -> object:
        named = [(RESOURCES[each.resource], self._spelling.id(each.resource, each.id), each.at) for each in gone]
        if self.habits.deleted_as_list:
            return [{"entityType": of.name, "id": id, "deletedAt": at.isoformat()} for of, id, at in named]
        data: dict[str, list[str]] = {}
        for of, id, _ in named:
            key = of.deleted_also[0] if self.habits.other_spellings and of.deleted_also else of.deleted or of.name
            data.setdefault(key, []).append(id)
        return data

    def _written(self, resource: Resource, asked: Asked, records: Sequence[Record], view: View) -> list[Record]:
        answers = Answers(self.store, asked.expand, asked.names)
        return [self._spelling.record(resource.name, answers.record(resource.name, r), view) for r in records]

    def _json(self, body: object) -> Response:
        encoded = orjson.dumps(body)
        mark = BYTE_ORDER_MARK if self.habits.byte_order_mark else b""
        return Response(mark + encoded, media_type="application/json")

    def _selected(self, resource: Resource, asked: Asked) -> Sequence[int]:
        """The positions of the whole answer, kept for a while since a walk asks for them page by page."""
        key = orjson.dumps([resource.name, asked.sortkey, asked.filters], option=orjson.OPT_SORT_KEYS)
        found = self._selections.get(key)
        if found is None:
            found = self._found(resource, asked)
            if asked.sortkey is not None:
                found = _sorted(resource, self.store.tables[resource.name], found, asked.sortkey)
            self._selections[key] = found
            if len(self._selections) > KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        self._selections.move_to_end(key)
        return found

    def _found(self, resource: Resource, asked: Asked) -> Sequence[int]:
        """The positions that the filters select; and of what a loose filter does not select, every third as well."""
        loose = {n for n in asked.filters if self.habits.filter(resource.name, n) is Filter.SUPERSET}
        found = select(self.store, resource.name, asked.filters)
        if loose:
            strict = {n: v for n, v in asked.filters.items() if n not in loose}
            right = set(found)
            found = [i for i in select(self.store, resource.name, strict) if i in right or i % 3 == 0]
        return found


def _sorted(resource: Resource, table: Table, positions: Sequence[int], sortkey: str) -> list[int]:
    """By the sort key, in plain code point order of the folded text; equal ones as they were, those without value last.

    A server's order of å, ä and ö is its own affair: the standard does not say which is right.
    """
    key = resource.sort_key[sortkey]
    filled: list[tuple[str | float, int]] = []
    empty: list[int] = []
    instants = table.instants(key.column) if key.column in ("meta.modified", "startTime") else None
    for position in positions:
        value: str | float | None
        if instants is not None:
            value = instants[position]
        elif key.column == "displayName":
            value = display_name(resource.name, table.records[position])
        else:
            value = table.first(key.column)[position]
        if value is None:
            empty.append(position)
        else:
            filled.append((value.casefold() if isinstance(value, str) else value, position))
    filled.sort(key=lambda item: item[0], reverse=key.descending)
    return [position for _, position in filled] + empty


def _pairs(request: Request) -> Pairs:
    try:
        return parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("the query is not UTF-8") from None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413)
    return bytes(body)


def _error(status: int, code: str, message: str) -> Response:
    return Response(orjson.dumps({"code": code, "message": message}), status, media_type="application/json")


def _refused(trouble: Trouble) -> Response:
    answer = _error(int(trouble.value), trouble.name, "this server has its troubles")
    if trouble is Trouble.TOO_MANY:
        answer.headers["retry-after"] = "1"
    return answer


def _spoilt(trouble: Trouble, body: bytes) -> Response:
    """An answer that should have been right, gone wrong on its way."""
    match trouble:
        case Trouble.TRUNCATED:
            body = body[: len(body) // 2]
        case Trouble.NOT_JSON:
            return Response("<html><body>Ett fel har inträffat</body></html>", media_type="text/html")
        case Trouble.GARBAGE:
            body = orjson.dumps(_with_garbage(orjson.loads(body.removeprefix(BYTE_ORDER_MARK))))
        case _:
            pass
    return Response(body, media_type="application/json")


def _with_garbage(decoded: object) -> object:
    """A list with things in it that are no records; in the place of a single record, a number."""
    if isinstance(decoded, list):
        return [None, *decoded[:1], 7, {"displayName": "utan id"}, *decoded[1:]]
    if isinstance(decoded, dict):
        key = next((key for key, value in decoded.items() if isinstance(value, list)), None)
        if key is not None and "id" not in decoded:
            return decoded | {key: _with_garbage(decoded[key])}
    return 7


async def _bad_request(request: Request, error: Exception) -> Response:
    return _error(400, "BAD_REQUEST", str(error))


async def _gone(request: Request, error: Exception) -> Response:
    return _error(410, "NEW_DATA_RESTART_FROM_FIRST_PAGE", "the list has changed: begin anew")


async def _without_body(request: Request, error: Exception) -> Response:
    """404 and 405 have no body in the standard."""
    return Response(status_code=error.status_code if isinstance(error, HTTPException) else 500)
