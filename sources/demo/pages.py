"""Cutting a list into pages, in the way of the server: tokens of several kinds, offsets, or nothing at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
from cryptography.fernet import Fernet, InvalidToken

from .asking import Asked, BadRequest, Pairs
from .habits import Habits, LastToken, ListKey, Pages, Unknown

Read = Callable[[Pairs], Asked]
Token = str | None


class Gone(Exception):
    """The list changed since the page token was given: status 410."""


class Pager:
    """The pages of one server's lists. ``page_size`` is the most records of a page."""

    def __init__(self, habits: Habits, page_size: int) -> None:
        self.habits = habits
        self.page_size = page_size
        # page tokens are encrypted: a civicNo that somebody filtered by is not to stand in the next page's URL
        self._seal = Fernet(Fernet.generate_key())
        self._changes: defaultdict[str, int] = defaultdict(int)
        """How often each list changed under a walk."""

    def asked(self, path: str, pairs: Pairs, read: Read, window: Sequence[str] = ()) -> tuple[Asked, int]:
        """What a request asks for, and how many records are to be skipped. Raises BadRequest, Gone."""
        pairs = self._known(pairs)
        tokens = [value for name, value in pairs if name == "pageToken"]
        if self.habits.paging is Pages.OFFSET:
            offsets = [value for name, value in pairs if name == "offset"]
            return read([pair for pair in pairs if pair[0] != "offset"]), _number(offsets) if offsets else 0
        if not tokens:
            asked = read(pairs)
            self._check_limit(asked)
            return asked, 0
        if self.habits.paging is Pages.OFFSET_TOKENS:
            offset = _number(tokens)
            asked = replace(read([pair for pair in pairs if pair[0] != "pageToken"]), token=tokens[0])
        else:
            asked, offset = self._continued(path, pairs, read, window)
        self._check_limit(asked)
        page = offset // self._size(asked) + 1
        if page == self.habits.stale_page and self._changes[path] < self.habits.stale:
            self._changes[path] += 1
            raise Gone
        return asked, offset

    def cut(self, path: str, asked: Asked, offset: int, total: int, *, endless: bool = False) -> tuple[int, Token]:
        """Where the page ends, and the token of the next; with ``endless``, the second page is its own next."""
        paging = self.habits.paging
        if paging is Pages.NONE or (paging is not Pages.OFFSET and self.habits.list_key is ListKey.BARE):
            return total, None
        end = offset + self._size(asked)
        more = offset < total if self.habits.empty_last_page else end < total
        if paging is Pages.OFFSET or not more:
            return end, None
        if endless and asked.token is not None:
            return end, asked.token
        return end, str(end) if paging is Pages.OFFSET_TOKENS else self._sealed(path, asked, end)

    def body(self, plural: str, data: object, token: Token) -> object:
        """The page as it is sent."""
        if self.habits.list_key is ListKey.BARE:
            return data
        page = {plural if self.habits.list_key is ListKey.PLURAL else "data": data}
        if self.habits.paging in (Pages.OFFSET, Pages.NONE):
            return page
        if token is None and self.habits.last_token is not LastToken.NULL:
            return page if self.habits.last_token is LastToken.ABSENT else page | {"pageToken": ""}
        return page | {"pageToken": token}

    def _known(self, pairs: Pairs) -> Pairs:
        """Without the parameters of other kinds of paging. Raises BadRequest where unknown parameters are refused."""
        foreign = {
            Pages.NONE: {"limit", "offset", "pageToken"},
            Pages.OFFSET: {"pageToken"},
        }.get(self.habits.paging, {"offset"})
        if self.habits.unknown_parameters is Unknown.REFUSED and any(name in foreign for name, _ in pairs):
            raise BadRequest("there is a parameter that is not supported")
        return [pair for pair in pairs if pair[0] not in foreign]

    def _continued(self, path: str, pairs: Pairs, read: Read, window: Sequence[str]) -> tuple[Asked, int]:
        """The query of a sealed token, beside which stands what this server lets stand."""
        own = [pair for pair in pairs if pair[0] in ("pageToken", "limit")]
        beside = [pair for pair in pairs if pair[0] not in ("pageToken", "limit")]
        if self.habits.paging is Pages.SEALED:
            if self.habits.window_with_token:
                if not set(window) <= {name for name, _ in beside}:
                    raise BadRequest("the parameters that the list requires are required with a token as well")
                beside = [pair for pair in beside if pair[0] not in window]
            own += beside  # the reader refuses them
        asked, offset = self._opened(path, read(own))
        if self.habits.paging is Pages.BOUND and not _same(beside, asked, read, window):
            raise BadRequest("what stands beside the pageToken is not as in the first request")
        return asked, offset

    def _size(self, asked: Asked) -> int:
        return min(asked.limit or self.habits.usual_page or self.page_size, self.page_size)

    def _check_limit(self, asked: Asked) -> None:
        if self.habits.large_limit is Unknown.REFUSED and (asked.limit or 0) > self.page_size:
            raise BadRequest(f"limit is above {self.page_size}")

    def _sealed(self, path: str, asked: Asked, offset: int) -> str:
        limit = None if asked.limit is None else min(asked.limit, self.page_size)
        content = [path, self._changes[path], offset, dict(asked.filters), asked.expand, asked.names, asked.sortkey]
        return self._seal.encrypt(orjson.dumps([*content, limit])).decode()

    def _opened(self, path: str, asked: Asked) -> tuple[Asked, int]:
        """The query that a page token continues, and where. Raises BadRequest for a token of anything else, Gone."""
        try:
            content = orjson.loads(self._seal.decrypt(asked.token or ""))
        except InvalidToken:
            raise BadRequest("the pageToken is not one of this server's") from None
        of_path, changes, offset, filters, expand, names, sortkey, limit = content
        if of_path != path:
            raise BadRequest("the pageToken belongs to another list")
        if changes != self._changes[path]:
            raise Gone
        return Asked(filters, tuple(expand), names, sortkey, asked.limit or limit, asked.token), offset


def _number(values: Sequence[str]) -> int:
    if len(values) != 1 or not values[0].isdecimal() or len(values[0]) > 9:
        raise BadRequest("the offset must be a whole number from 0")
    return int(values[0])


def _same(beside: Pairs, asked: Asked, read: Read, window: Sequence[str]) -> bool:
    """Whether what stands beside a token is part of the query that the token continues."""
    names = {name for name, _ in beside}
    given = read([*beside, *((name, asked.filters[name][0]) for name in window if name not in names)])
    return (
        all(asked.filters.get(name) == values for name, values in given.filters.items())
        and given.expand in ((), asked.expand)
        and given.sortkey in (None, asked.sortkey)
        and given.names in (False, asked.names)
    )
