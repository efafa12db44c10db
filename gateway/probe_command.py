"""``ss12000-gateway check --probe``: what the sources really do, beside what the configuration says of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import yaml

from sources.probing import Finding, probe, section
from sources.standard import RESOURCES

from .assemble import assemble
from .config import Settings

SECONDS = 600.0
"""How long a probe of all sources together may take."""

Found = Mapping[str, Sequence[Finding]]


def run(settings: Settings, file: Path | None, *, as_json: bool) -> int:
    """Probe all sources and print the differences; gives 0 if there are none, else 1.

    ``file`` gets the configuration's keys that declare what was found. Raises OSError where it cannot be written.
    """
    found = asyncio.run(_probed(settings))
    if as_json:
        content = {name: [asdict(each) for each in findings] for name, findings in found.items()}
        print(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        _table(found, sys.stdout)
    if file is not None:
        sections = {name: keys for name, findings in found.items() if (keys := section(findings))}
        text = yaml.safe_dump({"sources": sections}, allow_unicode=True, sort_keys=False, default_flow_style=None)
        file.write_text(
            f"# Found by a probe. Put these keys into the sources of gateway.yaml.\n{text}", encoding="utf-8"
        )
    return 1 if any(found.values()) else 0


async def _probed(settings: Settings) -> Found:
    assembled = assemble(settings)
    try:
        deadline = asyncio.get_running_loop().time() + SECONDS
        found = await asyncio.gather(*(probe(source, deadline) for source in assembled.sources))
        return {source.name: findings for source, findings in zip(assembled.sources, found, strict=True)}
    finally:
        await assembled.aclose()


def _table(found: Found, out: TextIO) -> None:
    rows = [("SOURCE", "RESOURCE", "WHAT", "DECLARED", "FOUND")]
    for name, findings in found.items():
        for each in findings:
            resource = RESOURCES[each.resource].plural if each.resource else "-"
            rows.append((name, resource, each.what, each.declared, each.found))
    if len(rows) == 1:
        print("The sources do what is declared of them, as far as reading shows it.", file=out)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), file=out)
