"""A probe of each profile's own server finds what the profile leaves open and no more; of one that lies, the lie."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sources.probing import Finding, Probed, probe, section
from sources.profiles import PROFILES

from .conftest import soon
from .profile_servers import LIES, Lie, Server, habits

MOST_CALLS = 70
"""Calls for one resource, at most."""


async def probed(server: Server) -> Probed:
    source = server.source()
    try:
        return await probe(source, soon(60))
    finally:
        await source.aclose()


def contradictions(findings: tuple[Finding, ...]) -> list[Finding]:
    """Without what nobody had said anything of."""
    return [each for each in findings if each.declared != "unknown"]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_server_that_does_what_its_profile_says(profile: str) -> None:
    server = Server(profile, habits(profile))
    result = await probed(server)
    assert contradictions(result.findings) == []
    assert {each.found for each in result.findings} <= {"exact"}, "what is left unknown, the server does"
    told = PROFILES[profile].capabilities
    left_open = any("unknown" in kinds.values() for kinds in told.filters.values())
    assert bool(result.findings) is left_open


async def test_a_conformant_source_gives_no_difference_at_all() -> None:
    assert (await probed(Server("conformant", habits("conformant")))).findings == ()


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_probe_is_short_and_reads_only(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(profile, habits(profile))
    await probed(server)
    calls = Counter(request.url.path.split("/")[2] for request in server.requests)
    with capsys.disabled():
        print(f"\n{profile}: {calls.total()} calls, {max(calls.values())} at most for one resource")
    assert max(calls.values()) <= MOST_CALLS
    for request in server.requests:
        assert request.method == "GET" or request.url.path.endswith("/lookup")
        assert "civicNo" not in str(request.url)


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
async def test_every_lie_is_found_and_declared_is_none_any_more(lie: Lie) -> None:
    server = lie.server()
    findings = contradictions((await probed(server)).findings)
    if lie.profile in ("pingpong", "offset-paging"):  # of what was left open, only what the lie is about
        findings += [f for f in (await probed(server)).findings if f.declared == "unknown" and f.found != "exact"]
    found = {(each.resource, each.what): (each.declared, each.found) for each in findings}
    assert {key: said for key, said in found.items() if key not in lie.consequences} == dict(lie.found)
    assert {each.by_hand for each in findings} == {lie.by_hand}

    declared = merged(server.section(), section((await probed(server)).findings))
    again = (await probed(replace(server, declared=declared, requests=[]))).findings
    assert ([] if not lie.by_hand else findings) == list(again)


def merged(section: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """A source's section with the keys that were found, as a person would put them there."""
    result = dict(section)
    for key, value in found.items():
        here = result.get(key)
        result[key] = merged(here, value) if isinstance(here, dict) and isinstance(value, dict) else value
    return result


async def test_what_is_not_found_out_is_said() -> None:
    result = await probed(Server("conformant", replace(habits("conformant"), nulls=True)))
    assert contradictions(result.findings) == []
    said = {(each.resource, each.what): each.why for each in result.open}
    assert said["Person", "filters.civicNo"] == "it would stand in a URL"
    assert "relationship.startDate.onOrBefore" in said["Person", "filters"]
    assert said["Placement", "lookup"].endswith(": personIds")
    assert said["", "null_is_absent"]


async def test_a_list_that_changes_while_it_is_probed_is_begun_again() -> None:
    assert (await probed(Server("conformant", replace(habits("conformant"), stale=2)))).findings == ()
    changing = await probed(Server("conformant", replace(habits("conformant"), stale=9)))
    assert {each.found for each in changing.findings} == {
        "SOURCE_LIST_CHANGED in the midst of it: the rest was not found out"
    }


async def test_a_source_that_is_slow_is_given_up_in_time() -> None:
    source = Server("conformant", habits("conformant")).source()
    began = asyncio.get_running_loop().time()
    result = await probe(source, began - 1)
    assert {each.what for each in result.findings} == {"list"}
    assert all(each.by_hand for each in result.findings)
    await source.aclose()
