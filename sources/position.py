"""Where in a list a page stands, as opaque text: which window, which of the source's tokens, and how it was come to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from .errors import CallError, FaultCode

_TEXT = re.compile(r"(\d{1,9})\.(\d{1,18})\.(\d{1,18})\.([0-9a-f]{16}|)(?::(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Position:
    """A page of a list that is read page by page. ``token`` is the source's own; None: the window's first page.

    ``mark``, ``power`` and ``steps`` are what Brent's algorithm needs to notice that pages go round in a circle: the
    mark of one earlier page, and how far back it lies. They hold a circle of any length with no memory of the way.
    """

    window: int = 0
    token: str | None = None
    mark: str = ""
    power: int = 1
    steps: int = 1

    @staticmethod
    def read(text: str | None) -> Position:
        """The position that ``str`` gave. Raises CallError (SOURCE_REQUEST_REFUSED) for any other text."""
        if text is None:
            return Position()
        found = _TEXT.fullmatch(text)
        if found is None:
            raise CallError(FaultCode.SOURCE_REQUEST_REFUSED)
        window, power, steps, mark, token = found.groups()
        return Position(int(window), token, mark, int(power), int(steps))

    def __str__(self) -> str:
        token = "" if self.token is None else f":{self.token}"
        return f"{self.window}.{self.power}.{self.steps}.{self.mark}{token}"

    def following(self, token: str, content: str) -> Position | None:
        """The position of the next page; None if the same was seen before. ``content`` is what must not come again."""
        mark = blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        if mark == self.mark:
            return None
        if self.steps == self.power:
            return Position(self.window, token, mark, self.power * 2, 1)
        return Position(self.window, token, self.mark, self.power, self.steps + 1)
