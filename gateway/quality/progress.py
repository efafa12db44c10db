"""How far the reading is, on standard error: rewritten on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from .words import number

EVERY = 10.0
"""Seconds between two plain lines of one list that is still being read."""
AGAIN = 0.1
"""Seconds between two rewritings of a terminal's line."""


class Progress:
    """One line per list. On a terminal the last line shows the lists that are being read, and is rewritten."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._terminal = out.isatty()
        self._reading: dict[str, str] = {}
        self._told: dict[str, float] = {}
        self._rewritten = float("-inf")

    def update(self, source: str, resource: str, records: int) -> None:
        """A list that goes on, with the records so far."""
        now = self._clock()
        self._reading[source] = f"{source} {resource} {number(records)}"
        if self._terminal:
            if now - self._rewritten >= AGAIN:
                self._rewrite()
        elif now - self._told.setdefault(source, now) >= EVERY:
            self._told[source] = now
            print(f"{source}: {resource}, {number(records)} records so far", file=self._out, flush=True)

    def done(self, source: str, resource: str, records: int, code: str | None) -> None:
        """A list that has ended, with the code it failed for."""
        self._reading.pop(source, None)
        self._told.pop(source, None)
        how = f"{number(records)} records" if code is None else f"{code} after {number(records)} records"
        self._clear()
        print(f"{source}: {resource}, {how}", file=self._out, flush=True)
        self._rewrite()

    def end(self) -> None:
        self._reading.clear()
        self._clear()

    def _clear(self) -> None:
        if self._terminal:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _rewrite(self) -> None:
        if not self._terminal or not self._reading:
            return
        self._rewritten = self._clock()
        line = " · ".join(self._reading.values())
        self._out.write(f"\r\x1b[K{line[:78]}")
        self._out.flush()
