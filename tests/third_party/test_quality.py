"""``check --quality`` over the third party's records: it finds what their maker deviates in, and nothing more."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from gateway.config import parse
from gateway.quality.progress import Progress
from gateway.quality.reading import Asked, Report, read

from .conftest import configuration
from .oracle import Oracle
from .server import ThirdParty

KNOWN = {
    ("missing_required", "Person", "addresses.country"),
    ("missing_required", "Activity", "teachers.duty"),
    ("missing_required", "Activity", "calendarEventsRequired"),
    ("unknown_value", "Duty", "assignmentRole.assignmentRoleType"),
}
"""An address has no country; teachers are persons; a role is called Lärare."""


async def report(api: ThirdParty, **changes: Any) -> Report:
    settings = parse(configuration(api, **changes), Path.cwd(), {})
    asked = Asked(date(2026, 11, 1), date(2026, 11, 30), examples=1000)
    return await read(settings, asked, Progress(io.StringIO()))


def inner(record: Mapping[str, Any], path: str) -> list[Any]:
    here: list[Any] = [record]
    for name in path.split("."):
        level = [value.get(name) for value in here if value is not None]
        here = [item for value in level for item in (value if isinstance(value, list) else [value])]
    return here


async def test_the_known_deviations_are_found_with_their_counts(small_pages: ThirdParty, oracle: Oracle) -> None:
    found = await report(small_pages)
    assert {each.resource: each.records for each in found.lists} == {
        name: len(records) for name, records in oracle.sent.items()
    }
    findings = {(str(f.kind), f.resource, f.path): f for f in found.judgement.findings}
    assert findings.keys() == KNOWN
    for kind, resource, path in KNOWN:
        assert path is not None
        values = {record["id"]: inner(record, path) for record in oracle.sent[resource]}
        wrong = {
            id for id, here in values.items() if (None in here if kind == "missing_required" else "Lärare" in here)
        }
        finding = findings[kind, resource, path]
        assert set(finding.examples) == wrong
        assert finding.count == len(wrong)
    role = findings["unknown_value", "Duty", "assignmentRole.assignmentRoleType"]
    assert role.values == (("Lärare", role.count),)
    assert found.judgement.not_judged == ()
