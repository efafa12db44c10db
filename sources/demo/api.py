"""One source as an ASGI application: the standard's list, get, lookup and deletedEntities over a store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qsl

import orjson
from cryptography.fernet import Fernet, InvalidToken
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..standard import RESOURCES
from ..standard.feeds import DELETED_ENTITIES_PATH
from ..standard.model import Resource
from .answers import Answers
from .asking import Asked, BadRequest, Pairs, is_id, read_deleted, read_get, read_list, read_lookup
from .credentials import Issuer, Lock
from .filters import looked_up, select
from .store import Store, Table, display_name, seconds
from .world import Deleted

PREFIX = "/v2.0"
MAX_BODY = 4 * 1024 * 1024
"""Bytes of a lookup's body."""
KEPT_SELECTIONS = 64
"""How many answered queries are kept for their next pages."""

Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    """Serves a store. ``calls`` gathers (method, path below the base URL) of every call but those for tokens.

    ``forbidden`` names resources that the credentials do not reach: they are answered with 403.
    """

    def __init__(self, store: Store, deleted: Sequence[Deleted], lock: Lock, page_size: int) -> None:
        self.store = store
        self.deleted = deleted
        self.lock = lock
        self.page_size = page_size
        self.calls: list[tuple[str, str]] = []
        self.forbidden: set[str] = set()
        # page tokens are encrypted: a civicNo that somebody filtered by is not to stand in the next page's URL
        self._seal = Fernet(Fernet.generate_key())
        self._selections: OrderedDict[bytes, Sequence[int]] = OrderedDict()

    def app(self) -> ASGIApp:
        routes = [Route(DELETED_ENTITIES_PATH, self._deleted, methods=["GET"])]
        for name in self.store.tables:
            resource = RESOURCES[name]
            routes.append(Route(resource.path, self._list(resource), methods=["GET"]))
            if resource.lookup:
                routes.append(Route(f"{resource.path}/lookup", self._lookup(resource), methods=["POST"]))
            if resource.get:
                routes.append(Route(f"{resource.path}/{{id}}", self._get(resource), methods=["GET"]))
        handlers = {BadRequest: _bad_request, HTTPException: _without_body}
        served: list[Route | Mount] = [
            Mount(PREFIX, app=self._guarded(Starlette(routes=routes, exception_handlers=handlers)))
        ]
        if isinstance(self.lock, Issuer):
            served.append(Route("/token", self.lock.answer, methods=["POST"]))
        return Starlette(routes=served, exception_handlers={HTTPException: _without_body})

    def _guarded(self, app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            path = request.url.path.removeprefix(PREFIX)
            self.calls.append((request.method, path))
            resource = next((r for r in self.store.tables if path.split("/")[1:2] == [RESOURCES[r].path[1:]]), None)
            if not self.lock.opens(request.headers):
                refusal = _error(401, "UNAUTHENTICATED", "credentials are missing or not valid")
                refusal.headers["www-authenticate"] = "Bearer"
                await refusal(scope, receive, send)
            elif resource in self.forbidden:
                await _error(403, "FORBIDDEN", "the credentials do not reach this resource")(scope, receive, send)
            else:
                await app(scope, receive, send)

        return guarded

    def _list(self, resource: Resource) -> Endpoint:
        async def listed(request: Request) -> Response:
            asked = read_list(resource, _pairs(request))
            offset = 0
            if asked.token is not None:
                asked, offset = self._opened(resource.path, asked)
            table = self.store.tables[resource.name]
            positions = self._selected(resource, asked)
            end = offset + min(asked.limit or self.page_size, self.page_size)
            answers = Answers(self.store, asked.expand, asked.names)
            data = [answers.record(resource.name, table.records[i]) for i in positions[offset:end]]
            token = self._sealed(resource.path, asked, end) if end < len(positions) else None
            return _json({"data": data, "pageToken": token})

        return listed

    def _get(self, resource: Resource) -> Endpoint:
        async def got(request: Request) -> Response:
            id = request.path_params["id"]
            asked = read_get(resource, _pairs(request))
            if not is_id(id):
                raise BadRequest("the id must be a uuid")
            record = self.store.tables[resource.name].get(id.lower())
            if record is None:
                return Response(status_code=404)
            return _json(Answers(self.store, asked.expand, asked.names).record(resource.name, record))

        return got

    def _lookup(self, resource: Resource) -> Endpoint:
        async def looked(request: Request) -> Response:
            try:
                body = orjson.loads(await _body(request))
            except orjson.JSONDecodeError:
                raise BadRequest("the body is not JSON") from None
            asked = read_lookup(resource, _pairs(request), body)
            answers = Answers(self.store, asked.expand, asked.names)
            table = self.store.tables[resource.name]
            positions = looked_up(self.store, resource.name, asked.filters)
            return _json([answers.record(resource.name, table.records[i]) for i in positions])

        return looked

    async def _deleted(self, request: Request) -> Response:
        asked = read_deleted(_pairs(request))
        offset = 0
        if asked.token is not None:
            asked, offset = self._opened(DELETED_ENTITIES_PATH, asked)
        kinds = asked.filters.get("entities")
        after = asked.filters.get("after")
        gone = [
            d
            for d in self.deleted
            if (kinds is None or d.resource in kinds) and (after is None or d.at.timestamp() > seconds(after[0]))
        ]
        end = offset + min(asked.limit or self.page_size, self.page_size)
        data: dict[str, list[str]] = {}
        for each in gone[offset:end]:
            data.setdefault(RESOURCES[each.resource].deleted or each.resource, []).append(each.id)
        token = self._sealed(DELETED_ENTITIES_PATH, asked, end) if end < len(gone) else None
        return _json({"data": data, "pageToken": token})

    def _selected(self, resource: Resource, asked: Asked) -> Sequence[int]:
        """The positions of the whole answer, kept for a while since a walk asks for them page by page."""
        key = orjson.dumps([resource.name, asked.sortkey, asked.filters], option=orjson.OPT_SORT_KEYS)
        found = self._selections.get(key)
        if found is None:
            found = select(self.store, resource.name, asked.filters)
            if asked.sortkey is not None:
                found = _sorted(resource, self.store.tables[resource.name], found, asked.sortkey)
            self._selections[key] = found
            if len(self._selections) > KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        self._selections.move_to_end(key)
        return found

    def _sealed(self, path: str, asked: Asked, offset: int) -> str:
        limit = None if asked.limit is None else min(asked.limit, self.page_size)
        content = [path, offset, dict(asked.filters), asked.expand, asked.names, asked.sortkey, limit]
        return self._seal.encrypt(orjson.dumps(content)).decode()

    def _opened(self, path: str, asked: Asked) -> tuple[Asked, int]:
        """The query that a page token continues, and where. Raises BadRequest for a token of anything else."""
        try:
            content = orjson.loads(self._seal.decrypt(asked.token or ""))
        except InvalidToken:
            raise BadRequest("the pageToken is not one of this server's") from None
        of_path, offset, filters, expand, names, sortkey, limit = content
        if of_path != path:
            raise BadRequest("the pageToken belongs to another list")
        return Asked(filters, tuple(expand), names, sortkey, asked.limit or limit), offset


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


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    return _json({"code": code, "message": message}, status)


async def _bad_request(request: Request, error: Exception) -> Response:
    return _error(400, "BAD_REQUEST", str(error))


async def _without_body(request: Request, error: Exception) -> Response:
    """404 and 405 have no body in the standard."""
    return Response(status_code=error.status_code if isinstance(error, HTTPException) else 500)
