"""What is asked about: the records of a school authority, and the three sources that serve them.

With ``SS12000_BENCH`` it is the synthetic huvudman in that directory, served by its own ``source.py``; without, the
demonstration's municipality, served in the same three parts. Both servers count their calls and can be made slow.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sources.demo.api import PREFIX
from sources.demo.municipality import build
from sources.standard import RESOURCES

from .processes import Command

Record = dict[str, Any]

BENCH = "SS12000_BENCH"
"""The environment variable with the directory of the synthetic huvudman."""
TODAY = date(2026, 3, 25)
"""The day of the demonstration; a Wednesday."""
PUPILS = 2000

PARTS: Mapping[str, Sequence[str]] = {
    "sis": ("organisations", "persons", "groups", "placements"),
    "hr": ("duties",),
    "schedule": ("activities", "calendarEvents", "rooms", "syllabuses", "attendances", "grades"),
}
"""What the gateways are told that each source serves: every resource has one source."""
OWNER = {resource: source for source, resources in PARTS.items() for resource in resources}
ASKED = ("organisations", "persons", "groups", "duties", "activities", "calendarEvents", "rooms", "syllabuses")
"""The resources without which the questions cannot be answered."""


@dataclass(frozen=True)
class Workload:
    """``records``: by the resource's plural. ``monday``: of the week whose calendar events are asked for.

    ``prefix``: what the sources' paths begin with. ``commands``: how each source is started.
    """

    name: str
    records: Mapping[str, Sequence[Record]]
    monday: date
    prefix: str
    commands: Mapping[str, Command]


def bench_directory() -> Path | None:
    """The directory of the synthetic huvudman, where the environment names one."""
    given = os.environ.get(BENCH)
    return Path(given).resolve() if given else None


def workload(directory: Path | None, pupils: int = PUPILS) -> Workload:
    """The synthetic huvudman in a directory, or the demonstration with so many pupils."""
    return demonstration(pupils) if directory is None else huvudman(directory)


def huvudman(directory: Path) -> Workload:
    """The synthetic huvudman. Its module is the truth; only what is asked for is made here."""
    made = runpy.run_path(str(directory / "huvudman.py"))
    functions = {"calendarEvents": "calendar_events"}
    make: dict[str, Callable[[], Any]] = {resource: made[functions.get(resource, resource)] for resource in ASKED}
    further = {"hr": ("--serve", "duties,persons", "--persons", "staff", "--full-staff")}

    def command(source: str) -> Command:
        serves = further.get(source, ("--serve", ",".join(PARTS[source])))
        return lambda port: (sys.executable, directory / "source.py", "--no-ids", "--port", str(port), *serves)

    return Workload(
        name="the synthetic huvudman",
        records={resource: list(function()) for resource, function in make.items()},
        monday=made["WEEK"].date(),
        prefix="",
        commands={source: command(source) for source in PARTS},
    )


def demonstration(pupils: int = PUPILS) -> Workload:
    """The demonstration's municipality before it is split, cut into the same three parts."""

    def command(source: str) -> Command:
        given = ("--serve", ",".join(PARTS[source]), "--pupils", str(pupils))
        return lambda port: (sys.executable, "-m", "tests.benchmarks.demo_source", "--port", str(port), *given)

    return Workload(
        name=f"the demonstration with {pupils} pupils",
        records=demo_records(ASKED, pupils),
        monday=date.fromordinal(TODAY.toordinal() - TODAY.weekday()),
        prefix=PREFIX,
        commands={source: command(source) for source in PARTS},
    )


def demo_records(resources: Collection[str], pupils: int) -> dict[str, Sequence[Record]]:
    """The municipality's records of some resources, by plural; the same in every process."""
    made = build(pupils, today=TODAY).background
    return {each.plural: made[each.name] for each in RESOURCES.values() if each.plural in resources}
