"""Who is measured. A contender more is a line more in ``CONTENDERS``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from .floor import key
from .processes import Command
from .questions import PAGE_SIZE, Question
from .workload import OWNER, PARTS

CONCURRENCY = 32
"""The most upstream calls at a time, per source: as many as there are connections at most."""
KEPT = "1h"


@dataclass(frozen=True)
class Place:
    """Where contenders stand: the sources' base URLs, what is asked, and whether answers may be kept."""

    urls: Mapping[str, str]
    questions: Sequence[Question]
    keep: bool
    directory: Path

    def file(self, name: str, content: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content)
        return path


@dataclass(frozen=True)
class Contender:
    """``dialect``: which of a question's documents it understands. ``command``: how it is started.

    ``keeps``: whether it has a cache of what sources answered.
    """

    name: str
    about: str
    dialect: str
    command: Callable[[Place], Command]
    keeps: bool = True


def configuration(place: Place, further: Mapping[str, Any]) -> dict[str, Any]:
    """The gateway.yaml of a user who knows the three sources: what they give at most, take, and filter."""
    limits = {"page_size": PAGE_SIZE, "lookup_chunk": PAGE_SIZE, "concurrency": CONCURRENCY}
    sources: dict[str, dict[str, Any]] = {
        name: {
            "url": place.urls[name],
            "resources": list(resources),
            "lookup": {each: ["ids"] for each in resources if each in ("organisations", *LOOKED_UP)},
            "expand": {each: [] for each in resources if each in EXPANDABLE},
            **limits,
        }
        for name, resources in PARTS.items()
    }
    sources["schedule"]["filters"] = {"calendarEvents": {"group": "exact", "organisation": "exact"}}
    return {
        "sources": sources,
        "policy": {"protected_persons": "show"},
        "cache": {"ttl": {"default": KEPT if place.keep else "0s"}},
        "limits": {"max_first": 200_000, "operation_timeout": "120s"},
        **further,
    }


LOOKED_UP = ("persons", "placements", "groups", "duties", "activities", "calendarEvents", "attendances", "grades")
EXPANDABLE = LOOKED_UP
CHOICES = (
    f"pages of {PAGE_SIZE}, lookups of {PAGE_SIZE} by ids only, no expand; the schedule's filters by group and by "
    "organisation are declared exact; protected persons are shown; limits.max_first lets Q5 be one query"
)
"""What the configuration chooses that is not the default, for the header."""


def gateway(name: str, about: str, **further: Any) -> Contender:
    """The gateway itself; ``further``: top-level keys of its gateway.yaml."""

    def command(place: Place) -> Command:
        content = yaml.safe_dump(configuration(place, further)).encode()
        file = place.file(f"{name}.yaml", content)
        return lambda port: (sys.executable, "-m", "gateway.cli", "serve", "--config", file, "--port", str(port))

    return Contender(name, about, "ours", command)


def _floor(place: Place) -> Command:
    plans = {
        key(question.name, each.variables): {
            "data": each.data,
            "rounds": [[asdict(call) for call in calls] for calls in each.rounds],
        }
        for question in place.questions
        for each in question.variants
    }
    plan = place.file("floor.json", orjson.dumps({"urls": place.urls, "plans": plans, "keep": place.keep}))
    return lambda port: (sys.executable, "-m", "tests.benchmarks.floor", "--port", str(port), "--plan", plan)


def _ordinary(place: Place) -> Command:
    plan = place.file("ordinary.json", orjson.dumps({"urls": place.urls, "owner": OWNER}))
    return lambda port: (sys.executable, "-m", "tests.benchmarks.ordinary", "--port", str(port), "--plan", plan)


CONTENDERS: Sequence[Contender] = (
    Contender("floor", "(a) fetch + orjson.loads + orjson.dumps of a ready answer", "ours", _floor),
    gateway("planned", "the gateway as it is"),
    gateway("core", "(b) the gateway, its schema run by Strawberry's default executor", executor="core"),
    Contender("ordinary", "(c) Strawberry + httpx + DataLoader by hand; has no cache", "ordinary", _ordinary, False),
)
REFERENCES = ("floor", "ordinary")
"""The contenders with which the others are compared."""
