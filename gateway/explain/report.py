"""``extensions.plan``: the plan of an operation, what it was estimated to cost, and what it did cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from resolvers.contracts import Ceiling
from resolvers.cost import Estimate, Foreseen, Level
from resolvers.federation import Federation
from resolvers.trace import Done, Field, Trace

from .admission import as_json
from .explained import Explained, Mode
from .words import HOW, WHY, plural, title, way, why


def report(explained: Explained, federation: Federation, trace: Trace | None) -> dict[str, Any]:
    """The plan as JSON: names of fields, sources and resources, counts and words; no id and no value."""
    steps = _Steps(explained.estimate, () if trace is None else trace.done).listed()
    made: dict[str, Any] = {"mode": str(explained.mode)}
    if explained.estimate is not None:
        estimated = explained.estimate
        made["estimate"] = as_json(estimated.total) | {
            "sources": {name: as_json(cost) for name, cost in estimated.by_source.items()}
        }
    if explained.mode is Mode.ANALYZE and trace is not None:
        made["actual"] = _actual(trace)
    made["limits"] = _limits(federation.limits.cost)
    made["steps"] = steps
    return made


def _limits(ceiling: Ceiling) -> dict[str, float | None]:
    return {"calls": ceiling.calls, "records": ceiling.records, "seconds": ceiling.seconds}


def _actual(trace: Trace) -> dict[str, Any]:
    sources: dict[str, dict[str, int]] = {}
    for done in trace.done:
        for name in done.calls or ({done.source: 0} if done.source else {}):
            told = sources.setdefault(name, {"calls": 0, "cacheHits": 0, "rows": 0})
            told["calls"] += done.calls.get(name, 0)
            told["cacheHits"] += done.hits if name == done.source else 0
            told["rows"] += done.rows if name == done.source else 0
    return {
        "calls": sum(each["calls"] for each in sources.values()),
        "cacheHits": sum(done.hits for done in trace.done),
        "rows": sum(done.rows for done in trace.done),
        "milliseconds": round(trace.milliseconds, 1),
        "rounds": trace.rounds,
        "sources": sources,
    }


@dataclass(eq=False)
class _Step:
    """A level that something is fetched for."""

    path: Field
    resource: str | None
    level: Level | None
    after: _Step | None
    foreseen: list[Foreseen] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    also: list[Done] = field(default_factory=list)
    """What was fetched for it together with what another step shows."""
    number: int = 0


class _Steps:
    def __init__(self, estimate: Estimate | None, done: tuple[Done, ...] | list[Done]) -> None:
        self.steps: list[_Step] = []
        self.by_path: dict[Field, _Step] = {}
        for level in estimate.levels if estimate is not None else ():
            self._add(level, None)
        for each in sorted(done, key=lambda each: each.round):
            self._enter(each)

    def _add(self, level: Level, after: _Step | None) -> None:
        known = self.by_path.get(level.path)
        if known is not None:  # an alias
            known.foreseen += level.fetches
        elif level.phases or level.resource is not None:
            known = _Step(level.path, level.resource, level, after, list(level.fetches))
            self.steps.append(known)
            self.by_path[level.path] = known
        for each in level.below:
            self._add(each, known or after)

    def _enter(self, done: Done) -> None:
        found = [step for path in sorted(done.fields) if (step := self._step(path, done)) is not None]
        if not done.fields:  # graphql-core's own executor does not say which field it is for
            fitting = [step for step in self.steps if any(_same(fetch, done) for fetch in step.foreseen)]
            found = sorted(fitting, key=lambda step: len(step.done))[:1]
        if not found:
            found = [self._unforeseen(done)]
        fitting = [step for step in found if any(_same(fetch, done) for fetch in step.foreseen)]
        first = (fitting or found)[0]
        first.done.append(done)
        for other in found:
            if other is not first:
                other.also.append(done)

    def _step(self, path: Field, done: Done) -> _Step | None:
        """The step of a field, or the one below it that it was fetched for with it, or the nearest above."""
        if path not in self.by_path:
            for each in self.steps:
                if each.path[: len(path)] == path and each.resource == done.resource:
                    return each
        above = (path[:length] for length in range(len(path), 0, -1))
        return next((self.by_path[each] for each in above if each in self.by_path), None)

    def _unforeseen(self, done: Done) -> _Step:
        path = min(done.fields, default=())
        step = self.by_path.get(path)
        if step is None:
            step = self.by_path[path] = _Step(path, done.resource, None, None)
            self.steps.append(step)
        return step

    def listed(self) -> list[dict[str, Any]]:
        """The steps that fetch something, numbered from 1; ``after`` leads to the nearest one above."""
        shown = [step for step in self.steps if step.foreseen or step.done or step.also]
        for number, step in enumerate(shown, 1):
            step.number = number
        where = {id(done): step.number for step in shown for done in step.done}
        return [self._json(step, where) for step in shown]

    def _json(self, step: _Step, where: dict[int, int]) -> dict[str, Any]:
        above: _Step | None = step.after
        while above is not None and not above.number:
            above = above.after
        level = step.level
        made: dict[str, Any] = {
            "number": step.number,
            "after": None if above is None else above.number,
            "field": ".".join(step.path),
            "resource": step.resource,
            "title": plural(step.resource or "") if level is None else title(level),
        }
        if level is not None:
            made["columns"] = sorted(level.want.columns)
            made["estimate"] = {"records": round(level.records)}
        made["fetches"] = list(self._fetches(step))
        shared = sorted({where[id(done)] for done in step.also if id(done) in where})
        if shared:
            made["sharedWith"] = shared
        return made

    def _fetches(self, step: _Step) -> Iterator[dict[str, Any]]:
        """One entry per source, resource and way: what was foreseen, with what was done."""
        left = [(done, source) for done in step.done for source in _sources(done)]
        for fetch in _summed(step.foreseen):
            fitting = [(d, at) for d, at in left if (at, d.resource) == (fetch.source, fetch.resource)]
            taken = [(d, at) for d, at in fitting if d.how == fetch.how] or fitting
            left = [each for each in left if each not in taken]
            found = [done for done, _ in taken]
            entry: dict[str, Any] = {
                "source": fetch.source,
                "resource": fetch.resource,
                "records": plural(fetch.resource),
                "how": str(found[0].how if found else fetch.how),
                "way": HOW[found[0].how] if found and found[0].how is not fetch.how else way(fetch),
                "why": why(fetch),
                "estimate": {"calls": 0 if fetch.kept else fetch.calls, "records": fetch.records},
            }
            if fetch.kept:
                entry["kept"] = True
            if found:
                entry["actual"] = _done(found, fetch.source)
            yield entry
        for (source, resource), several in _grouped(left).items():
            yield {
                "source": source,
                "resource": resource,
                "records": plural(resource),
                "how": str(several[0].how),
                "way": HOW[several[0].how],
                "why": WHY["unforeseen"],
                "estimate": {"calls": 0, "records": 0},
                "actual": _done(several, source),
            }


def _sources(done: Done) -> list[str]:
    """The sources that were asked: one, unless ids of several were read."""
    return [done.source] if done.source else sorted(done.calls)


def _same(fetch: Foreseen, done: Done) -> bool:
    return fetch.source in _sources(done) and done.resource == fetch.resource


def _summed(foreseen: list[Foreseen]) -> list[Foreseen]:
    """What is foreseen for several aliases, or in several phases of one field, together."""
    found: dict[tuple[str, str, str], Foreseen] = {}
    for each in foreseen:
        key = (each.source, each.resource, each.how)
        known = found.get(key)
        found[key] = (
            each
            if known is None
            else Foreseen(
                each.source,
                each.resource,
                each.how,
                known.calls + each.calls,
                known.records + each.records,
                known.why,
                known.kept and each.kept,
                known.by,
            )
        )
    return list(found.values())


def _grouped(left: list[tuple[Done, str]]) -> dict[tuple[str, str], list[Done]]:
    found: dict[tuple[str, str], list[Done]] = {}
    for done, source in left:
        found.setdefault((source, done.resource), []).append(done)
    return found


def _done(several: list[Done], source: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "calls": sum(each.calls.get(source, 0) for each in several),
        "cacheHits": sum(each.hits for each in several),
        "rows": sum(each.rows for each in several),
        "milliseconds": round(max(each.milliseconds for each in several), 1),
        "rounds": sorted({each.round for each in several}),
    }
    if any(each.failed for each in several):
        made["failed"] = True
    return made
