"""``ss12000-gateway check --probe``: what the sources really do, beside what the configuration says of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import yaml

from sources.probing import Probed, probe, section
from sources.source import Source
from sources.standard import RESOURCES

from .assemble import assemble
from .config import Settings

SECONDS = 600.0
"""How long a probe of all sources together may take."""
TELLING = 0.2
"""Seconds between two lines of progress."""

Found = Mapping[str, Probed]


def run(settings: Settings, file: Path | None, *, as_json: bool) -> int:
    """Probe all sources and print the differences; gives 0 if there are none, else 1.

    ``file`` gets the configuration's keys that declare what was found; one that is there already is left alone, and
    2 is given before anybody is called. Raises OSError where it cannot be written.
    """
    if file is not None and (file.exists() or not file.parent.is_dir()):
        why = "is there already: name a new file" if file.exists() else "cannot be made: its directory is not there"
        print(f"{file} {why} for --write. Nobody was called.", file=sys.stderr)
        return 2
    found = asyncio.run(_probed(settings))
    if as_json:
        content = {name: asdict(each) for name, each in found.items()}
        print(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        _print(found, sys.stdout)
    if file is not None:
        _write(found, file)
    return 1 if any(each.findings for each in found.values()) else 0


async def _probed(settings: Settings) -> Found:
    assembled = assemble(settings)
    sources, done = assembled.sources, set[tuple[str, str]]()
    telling = asyncio.create_task(_tell(sources, done)) if sys.stderr.isatty() else None
    try:
        deadline = asyncio.get_running_loop().time() + SECONDS

        async def one(source: Source) -> Probed:
            return await probe(source, deadline, lambda resource: done.add((source.name, resource)))

        found = await asyncio.gather(*map(one, sources))
        return {source.name: each for source, each in zip(sources, found, strict=True)}
    finally:
        if telling is not None:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        await assembled.aclose()


async def _tell(sources: Sequence[Source], done: set[tuple[str, str]]) -> None:
    """How far the probe has come, on one line that is written over and over."""
    whole = sum(len(source.capabilities.resources) for source in sources)
    while True:
        calls = sum(source.calls for source in sources)
        print(f"\r\033[KProbing: {len(done)} of {whole} resources, {calls} calls", end="", file=sys.stderr, flush=True)
        await asyncio.sleep(TELLING)


def _write(found: Found, file: Path) -> None:
    sections = {name: keys for name, each in found.items() if (keys := section(each.findings))}
    if not sections:
        print(f"There is nothing to declare: {file} was not written.", file=sys.stderr)
        return
    text = yaml.safe_dump({"sources": sections}, allow_unicode=True, sort_keys=False, default_flow_style=None)
    with file.open("x", encoding="utf-8") as out:
        out.write(f"# Found by a probe. Put these keys into the sources of gateway.yaml.\n{text}")
    print(f"What was found is in {file}. Read it, and put its keys into the sources of gateway.yaml.", file=sys.stderr)


def _print(found: Found, out: TextIO) -> None:
    rows = [
        (
            name,
            _plural(each.resource),
            each.what,
            each.declared,
            each.found + (" (see yourself)" if each.by_hand else ""),
        )
        for name, probed in found.items()
        for each in probed.findings
    ]
    if rows:
        count = "1 difference" if len(rows) == 1 else f"{len(rows)} differences"
        print(f"{count} between what is declared and what the sources do:\n", file=out)
        _table([("SOURCE", "RESOURCE", "WHAT", "DECLARED", "FOUND"), *rows], out)
    else:
        print("No difference: the sources do what is declared of them, as far as reading shows it.", file=out)
    if any(probed.open for probed in found.values()):
        print("\nNot found out, and left as declared:", file=out)
    for name, probed in found.items():
        for each in probed.open:
            print(f"  {name} {_plural(each.resource)} {each.what}: {each.why}".replace(" - ", " "), file=out)
    print(f"\nNot asked of any source: {UNASKED}.", file=out)


UNASKED = "ids of its own (own_ids), which properties it knows (holds), whether a list is whole"


def _plural(resource: str) -> str:
    return RESOURCES[resource].plural if resource else "-"


def _table(rows: Sequence[tuple[str, ...]], out: TextIO) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), file=out)
