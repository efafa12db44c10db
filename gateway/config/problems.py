"""What is wrong with a configuration: where it stands, which key, and how to put it right. Never a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. ``line`` counts from 1; None where the configuration was not read from a file."""

    key: str
    message: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or "configuration"
        if self.line is not None:
            place = f"{place}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` has all that is wrong with it, in the file's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"The configuration has {count}.", *map(str, problems)]))
        self.problems = tuple(problems)


def render(path: KeyPath) -> str:
    """``sources.sis.resources[2]``"""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def suggestion(word: str, known: Iterable[str]) -> str:
    """The fix for a word that is not known: what was probably meant, else all that there is."""
    words = sorted(set(known))
    by_lower = {candidate.lower(): candidate for candidate in words}
    close = get_close_matches(word.lower(), by_lower, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(by_lower[match] for match in close)}?"
    return f"Known: {', '.join(words)}." if words else "There are none."
