"""A plan as text: a tree for a terminal, or a diagram in Mermaid's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .words import plural

Plan = Mapping[str, Any]
"""``extensions.plan``, as ``report`` makes it."""


def text(plan: Plan) -> str:
    """The steps as a tree: each below the one whose records it starts from."""
    lines = [*_summary(plan), ""]
    below: dict[int | None, list[Plan]] = {}
    for step in plan["steps"]:
        below.setdefault(step["after"], []).append(step)
    for step in below.get(None, ()):
        lines += _step(step, below, "")
    return "\n".join(lines).rstrip() + "\n"


def _summary(plan: Plan) -> Iterator[str]:
    estimate, actual = plan.get("estimate"), plan.get("actual")
    if estimate is not None:
        yield (
            f"estimated: {_count(estimate['calls'], 'call')} to {_count(len(estimate['sources']), 'source')}, "
            f"{estimate['records']} records, {estimate['seconds']:g} s of waiting"
        )
    if actual is not None:
        yield (
            f"done:      {_count(actual['calls'], 'call')} in {_count(actual['rounds'], 'round')}, "
            f"{actual['rows']} records, {actual['cacheHits']} kept before, {actual['milliseconds']:g} ms"
        )
    foreseen = {} if estimate is None else estimate["sources"]
    done = None if actual is None else actual["sources"]
    for name in dict.fromkeys([*foreseen, *(done or ())]):
        yield f"  {name}: {_pair(foreseen.get(name), None if done is None else done.get(name, {'calls': 0}))}"


def _pair(estimate: Mapping[str, Any] | None, actual: Mapping[str, Any] | None) -> str:
    """Calls made and estimated."""
    foreseen = 0 if estimate is None else estimate["calls"]
    if actual is None:
        return f"{_count(foreseen, 'call')} estimated"
    return f"{_count(actual['calls'], 'call')} ({foreseen} estimated)"


def _step(step: Plan, below: Mapping[int | None, Sequence[Plan]], indent: str) -> Iterator[str]:
    about = step["title"]
    count = step.get("estimate", {}).get("records")
    if count is not None:
        about += f", about {count}"
    yield f"{indent}{step['number']}. {step['field'] or 'operation'}: {about}"
    if step.get("columns"):
        yield f"{indent}   for {', '.join(step['columns'])}"
    for (resource, way, why), fetches in _alike(step["fetches"]).items():
        of = "" if resource == plural(step["resource"] or "") else f"{resource}: "
        yield f"{indent}   {of}asked {way}, because {why}"
        for fetch in fetches:
            yield f"{indent}     {_fetch(fetch)}"
    if step.get("sharedWith"):
        yield f"{indent}   in calls shared with {', '.join(map(str, step['sharedWith']))}"
    for each in below.get(step["number"], ()):
        yield from _step(each, below, indent + "  ")


def _alike(fetches: Sequence[Plan]) -> dict[tuple[str, str, str], list[Plan]]:
    """Fetches by resource, way and reason: what is the same for several sources is said once."""
    found: dict[tuple[str, str, str], list[Plan]] = {}
    for fetch in fetches:
        found.setdefault((fetch["records"], fetch["way"], fetch["why"]), []).append(fetch)
    return found


def _fetch(fetch: Plan) -> str:
    estimate, actual = fetch["estimate"], fetch.get("actual")
    told = f"{fetch['source']}: {_pair(estimate, actual)}"
    if actual is None:
        return told + (", kept" if fetch.get("kept") else f", about {estimate['records']} records")
    parts = [f"{actual['rows']} records"]
    if actual["cacheHits"]:
        parts.append(f"{actual['cacheHits']} kept before")
    if actual["calls"]:
        parts.append(f"{actual['milliseconds']:g} ms")
        parts.append(f"round {', '.join(map(str, actual['rounds']))}")
    if actual.get("failed"):
        parts.append("FAILED")
    return f"{told}, {', '.join(parts)}"


def mermaid(plan: Plan) -> str:
    """The steps as a flowchart in Mermaid's language."""
    lines = ["flowchart TD"]
    for step in plan["steps"]:
        told = [f"{step['number']}. {step['field'] or 'operation'}", step["title"]]
        told += [f"{fetch['records']} at {_fetch(fetch)}" for fetch in step["fetches"]]
        lines.append(f'    s{step["number"]}["{"<br/>".join(each.replace(chr(34), "#quot;") for each in told)}"]')
    for step in plan["steps"]:
        if step["after"] is not None:
            lines.append(f"    s{step['after']} --> s{step['number']}")
    return "\n".join(lines) + "\n"


def _count(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
