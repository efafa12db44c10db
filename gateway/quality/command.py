"""The command: its options, and from them to a report on the screen and in a file."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from resolvers.quality import EXAMPLES

from ..config import Settings, units
from . import table
from .document import document
from .page import page
from .progress import Progress
from .reading import DAYS_AHEAD, DAYS_BACK, MAX_RECORDS, Asked, read

MOST_EXAMPLES = 1000
INTERRUPTED = 130
"""The exit code after Ctrl-C, as of every command that says something by exiting with 0."""
NARROWEST, WIDEST = 80, 160
"""Columns of the table where the terminal has fewer, or more."""


def add_options(check: argparse.ArgumentParser) -> None:
    """The options of ``check`` that belong to ``--quality``."""
    options = check.add_argument_group("data quality")
    options.add_argument(
        "--quality", action="store_true", help="read every list of every source, and report what is wrong in the data"
    )
    options.add_argument("--html", type=Path, metavar="FILE", help="write the report to an HTML file, too")
    options.add_argument(
        "--from",
        dest="first",
        type=_day,
        metavar="DAY",
        help=f"first day of lists that require a period, YYYY-MM-DD (default: {DAYS_BACK} days ago)",
    )
    options.add_argument(
        "--to", dest="last", type=_day, metavar="DAY", help=f"last day of these (default: {DAYS_AHEAD} days ahead)"
    )
    options.add_argument(
        "--examples", type=_examples, metavar="N", help=f"ids to show per finding (default: {EXAMPLES})"
    )
    options.add_argument(
        "--time-limit",
        type=_duration,
        metavar="DURATION",
        help="how long to read from one source, like 90s or 1h (default: 30m)",
    )
    options.add_argument(
        "--max-records", type=_records, metavar="N", help=f"records to read of one list (default: {MAX_RECORDS})"
    )


def run(given: argparse.Namespace, settings: Settings) -> int:
    """Read, judge, and print; gives the exit code."""
    if given.offline:
        return _refused("--quality calls the sources: leave --offline out.")
    if given.html is not None and (given.html.is_dir() or not given.html.parent.is_dir()):
        return _refused(f"--html: {given.html} cannot be a file: give one in a directory that exists.")
    today = datetime.now(ZoneInfo(settings.server.timezone)).date()
    first = given.first or today - timedelta(days=DAYS_BACK)
    last = given.last or today + timedelta(days=DAYS_AHEAD)
    if last < first:
        return _refused(f"The period ends before it begins: from {first} to {last}.")
    options = {"examples": given.examples, "time_limit": given.time_limit, "max_records": given.max_records}
    asked = Asked(first, last, **{name: value for name, value in options.items() if value is not None})
    try:
        report = asyncio.run(read(settings, asked, Progress(sys.stderr)))
    except KeyboardInterrupt:
        return INTERRUPTED
    if given.html is not None:
        given.html.write_text(page(report), encoding="utf-8")
    if given.json:
        print(json.dumps(document(report), ensure_ascii=False, indent=2))
    else:
        columns = shutil.get_terminal_size((100, 24)).columns
        table.write(report, sys.stdout, max(NARROWEST, min(columns, WIDEST)))
    return 0 if report.ok else 1


def unasked(given: argparse.Namespace) -> int | None:
    """The exit code where an option was given that belongs to ``--quality``, and that was not; else None."""
    names = ("html", "first", "last", "examples", "time_limit", "max_records")
    if not given.quality and any(getattr(given, name) is not None for name in names):
        return _refused("--html, --from, --to, --examples, --time-limit and --max-records belong to --quality.")
    return None


def _refused(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day is written YYYY-MM-DD") from None


def _examples(text: str) -> int:
    return _between(text, 0, MOST_EXAMPLES)


def _records(text: str) -> int:
    return _between(text, 1, 100_000_000)


def _between(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"a number between {least} and {most}")
    return int(text)


def _duration(text: str) -> float:
    try:
        found = units.seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found <= 0:
        raise argparse.ArgumentTypeError("must be more than nothing")
    return found
