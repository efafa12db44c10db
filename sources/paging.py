"""Pages of a list: what a page's body holds, which parameters ask for the next, and when a walk ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from .capabilities import Capabilities, Paging
from .errors import CallError, FaultCode
from .requests import Query
from .settings import SourceSettings
from .standard import RESOURCES
from .standard.model import UPPER, Parameter
from .windows import MARGIN


def parameters(capabilities: Capabilities, resource: str, query: Query, token: str | None) -> list[tuple[str, str]]:
    """The query parameters of one page, in the source's dialect; ``token`` is None for the first page."""
    dialect = capabilities.paging
    query = widened(capabilities, resource, query)
    window = RESOURCES[resource].window if resource in RESOURCES else ()
    result: list[tuple[str, str]] = []
    whole = token is None or dialect in (Paging.TOKEN_WITH_FILTERS, Paging.OFFSET, Paging.NONE)
    if whole or dialect is Paging.TOKEN_WITH_WINDOW:
        result += [(name, value) for name, values in query.parameters if whole or name in window for value in values]
    if whole:
        result += [("expand", name) for name in query.expand]
        if query.sortkey is not None:
            result.append(("sortkey", query.sortkey))
    if dialect is Paging.NONE:
        return result
    if capabilities.page_size is not None:
        result.append(("limit", str(capabilities.page_size)))
    if token is not None:
        result.append(("offset" if dialect is Paging.OFFSET else "pageToken", token))
    return result


def widened(capabilities: Capabilities, resource: str, query: Query) -> Query:
    """The query with its bounds moved a little, so that all that is wanted is given however their offset is read."""
    if capabilities.naive is None or resource not in RESOURCES:
        return query
    zone = ZoneInfo(capabilities.naive)
    declared = RESOURCES[resource].parameter
    return replace(
        query,
        parameters=tuple(
            (name, tuple(_wider(declared[name], value, zone) for value in values))
            if name in declared and capabilities.widens(declared[name])
            else (name, values)
            for name, values in query.parameters
        ),
    )


def _wider(parameter: Parameter, value: str, zone: ZoneInfo) -> str:
    moment = datetime.fromisoformat(value)
    return (moment + MARGIN if parameter.test in UPPER else moment - MARGIN).astimezone(zone).isoformat()


def sendable(capabilities: Capabilities, resource: str, query: Query) -> Query:
    """The query without the filters and expands that the source does not honour; a required window stays."""
    sent = capabilities.honoured(resource, [name for name, _ in query.parameters]).union(RESOURCES[resource].window)
    kept = tuple(parameter for parameter in query.parameters if parameter[0] in sent)
    known = capabilities.expands(resource)
    return Query(kept, tuple(name for name in query.expand if name in known), query.sortkey)


def following(capabilities: Capabilities, decoded: object, count: int, token: str | None) -> str | None:
    """The token of the page after one of ``count`` records that was asked for with ``token``; None: it was the last.

    Raises CallError (SOURCE_ANSWER_INVALID).
    """
    if capabilities.paging is Paging.OFFSET:
        return str(int(token or "0") + count) if count else None
    return next_token(decoded)


def items(decoded: object, resource: str) -> list[object]:
    """The records of a list's or lookup's answer: under ``data``, under the plural name, or a bare array.

    Raises CallError (SOURCE_ANSWER_INVALID).
    """
    if isinstance(decoded, list):
        return decoded
    if isinstance(decoded, dict):
        declared = RESOURCES[resource]
        for key in ("data", declared.plural, declared.path.strip("/")):
            found = decoded.get(key)
            if isinstance(found, list):
                return found
    raise CallError(FaultCode.SOURCE_ANSWER_INVALID)


def next_token(decoded: object) -> str | None:
    """The token of the next page; null, empty and absent all say that there is none.

    Raises CallError (SOURCE_ANSWER_INVALID) for a token that is neither text nor an integer.
    """
    token = decoded.get("pageToken") if isinstance(decoded, dict) else None
    if token is None or token == "":
        return None
    if isinstance(token, str):
        return token
    if type(token) is int:  # offsets, at some sources
        return str(token)
    raise CallError(FaultCode.SOURCE_ANSWER_INVALID)


class Page(Protocol):
    """What a walk has to know of a page: the token of the next one, and the names of the records in it."""

    @property
    def next(self) -> str | None: ...
    @property
    def names(self) -> Collection[str]: ...


P = TypeVar("P", bound=Page)


@dataclass(frozen=True, slots=True)
class Walked(Generic[P]):
    """The pages that came, and why no more did: None when the list has ended."""

    pages: Sequence[P]
    failure: CallError | None


async def walk(
    fetch: Callable[[str | None, P | None], Awaitable[P]],
    restart: Callable[[], Awaitable[None]],
    settings: SourceSettings,
) -> Walked[P]:
    """All pages of a list. ``fetch`` gets the token and the first page of this walk (None when that is asked for).

    A 410 says that the list changed under the walk, and that its tokens are dead: it begins anew, after ``restart``.
    """
    dialect = settings.capabilities.paging
    for attempt in range(settings.restarts + 1):
        pages: list[P] = []
        seen: set[str] = set()
        token: str | None = None
        try:
            while True:
                page = await fetch(token, pages[0] if pages else None)
                if dialect is Paging.OFFSET and page.names and seen.issuperset(page.names):
                    # Nothing but what came before: the source takes no notice of the offset.
                    return Walked(pages, CallError(FaultCode.SOURCE_PAGING_LOOP))
                pages.append(page)
                token = page.next
                if token is None:
                    return Walked(pages, None)
                if dialect is Paging.NONE or token in seen or len(pages) >= settings.max_pages:
                    return Walked(pages, CallError(FaultCode.SOURCE_PAGING_LOOP))
                seen.update(page.names if dialect is Paging.OFFSET else (token,))
        except CallError as failure:
            if failure.status != 410 or token is None or attempt == settings.restarts:
                return Walked(pages, failure)
            await restart()
    raise AssertionError("the last attempt always returns")
