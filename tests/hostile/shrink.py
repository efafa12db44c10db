"""A difference made smaller: fewer fields, arguments, losses, decisions, records and properties, while it stays one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from sources.demo.habits import STANDARD, Habits
from sources.standard import RESOURCES

from .check import Case, check
from .questions import Field, touched
from .servers import Behaviour

MOST_TRIES = 1500


async def shrunk(case: Case) -> str:
    """The smallest case found that still differs, as text."""
    tries = 0
    found = (await check(case)).difference
    if found is None:
        return f"only after the question before it: {case.question}"
    kind = _kind(found)
    going = True
    while going and tries < MOST_TRIES:
        going = False
        for smaller in _smaller(case):
            tries += 1
            try:
                difference = (await check(smaller)).difference
            except Exception:  # noqa: BLE001  # too small to be a case at all
                difference = None
            if difference is not None and _kind(difference) == kind:
                case, found, going = smaller, difference, True
                break
            if tries >= MOST_TRIES:
                break
    return _described(case, found)


def _kind(difference: str) -> str:
    """What sort of difference it is, so that another one is not taken for it."""
    return re.sub(r"[\W\d_]*(\[.*?\]|\{.*?\}|\".*?\"|null|true|false|\d+)[\W\d_]*", " ", difference.partition(": ")[2])


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with one thing less."""
    yield from _without_resources(case)
    question = case.question
    for place, root in enumerate(question.fields):
        if len(question.fields) > 1:
            rest = (*question.fields[:place], *question.fields[place + 1 :])
            yield replace(case, question=replace(question, fields=rest))
        for less in _less(root, root=True):
            changed = (*question.fields[:place], less, *question.fields[place + 1 :])
            yield replace(case, question=replace(question, fields=changed))
    for lost in case.losses:
        yield replace(case, losses={each: kind for each, kind in case.losses.items() if each != lost})
    for name, behaviour in case.behaviours.items():
        for plain in (Behaviour(), *_plainer(behaviour)):
            if plain != behaviour:
                yield replace(case, behaviours={**case.behaviours, name: plain})
    yield from _smaller_worlds(case)


def _plainer(behaviour: Behaviour) -> Iterator[Behaviour]:
    for each in fields(Habits):
        yield replace(behaviour, habits=replace(behaviour.habits, **{each.name: getattr(STANDARD, each.name)}))
    yield replace(behaviour, page_size=100)
    yield replace(behaviour, limit=100)
    yield replace(behaviour, chunk=None)
    yield replace(behaviour, silent=False)


def _without_resources(case: Case) -> Iterator[Case]:
    world = case.world
    lossy = {source for source, _ in case.losses}
    needed = touched(case.question)
    keep = {
        source: {name: records for name, records in served.items() if name in needed or (source, name) in case.losses}
        for source, served in world.records.items()
    }
    if keep != world.records and all(keep.values()):
        holds = {
            source: {name: of for name, of in world.holds.get(source, {}).items() if name in keep[source]}
            for source in keep
        }
        authority = {name: of for name, of in world.authority.items() if name in needed}
        yield replace(case, world=replace(world, records=keep, holds=holds, authority=authority))
    for source, served in world.records.items():
        if len(world.records) > 1 and source not in lossy:
            yield replace(case, world=replace(world, records=_but(world.records, source)))
        for resource in served:
            if len(served) > 1 and (source, resource) not in case.losses:
                now = {**world.records, source: _but(served, resource)}
                holds = {**world.holds, source: _but(world.holds.get(source, {}), resource)}
                yield replace(case, world=replace(world, records=now, holds=holds))


def _less(field: Field, *, root: bool = False) -> Iterator[Field]:
    for name in field.arguments:
        yield replace(field, arguments={each: value for each, value in field.arguments.items() if each != name})
    needed = {"nodes", "complete", "gaps", "pageInfo", "id"}
    for place, inner in enumerate(field.inner):
        if len(field.inner) > 1 and not (inner.name in needed and not inner.alias):
            yield replace(field, inner=(*field.inner[:place], *field.inner[place + 1 :]))
        for less in _less(inner):
            yield replace(field, inner=(*field.inner[:place], less, *field.inner[place + 1 :]))


def _smaller_worlds(case: Case) -> Iterator[Case]:
    world = case.world
    if world.show_protected:
        yield replace(case, world=replace(world, show_protected=False))
    for key in ("identity", "scopes", "deleted"):
        for name in getattr(world, key):
            yield replace(case, world=replace(world, **{key: _but(getattr(world, key), name)}))
    for key in ("holds", "authority"):
        whole: Mapping[str, Mapping[str, Any]] = getattr(world, key)
        for name, part in whole.items():
            yield replace(case, world=replace(world, **{key: _but(whole, name)}))
            for inner in part:
                yield replace(case, world=replace(world, **{key: {**whole, name: _but(part, inner)}}))
    for source, served in world.records.items():
        for resource, records in served.items():

            def holding(these: Any, source: str = source, resource: str = resource) -> Case:
                now = {**world.records, source: {**world.records[source], resource: these}}
                return replace(case, world=replace(world, records=now))

            if records:
                yield holding([])
            for place, record in enumerate(records):
                if len(records) > 1:
                    yield holding([*records[:place], *records[place + 1 :]])
                for column in record:
                    if column != "id" and column not in RESOURCES[resource].key:
                        yield holding([*records[:place], _but(record, column), *records[place + 1 :]])


def _but(whole: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in whole.items() if each != name}


def _described(case: Case, difference: str) -> str:
    needed = touched(case.question)
    lines = [f"    {difference}", f"    {case.question} walk {case.question.walk}"]
    for source, served in case.world.records.items():
        behaviour = case.behaviours[source]
        unusual = {
            each.name: getattr(behaviour.habits, each.name)
            for each in fields(Habits)
            if behaviour.habits.differs(each.name)
        }
        how = f"pages of {behaviour.page_size}, asked for {behaviour.limit}, chunk {behaviour.chunk}"
        lines.append(f"    {source}: {how}, silent {behaviour.silent}, {unusual} serves {' '.join(served)}")
        for resource, records in served.items():
            if resource in needed:
                lines += [f"        {resource} {json.dumps(record, ensure_ascii=False)}" for record in records]
    lines.append(f"    holds {json.dumps(case.world.holds)}")
    lines.append(f"    authority {json.dumps(case.world.authority)} show {case.world.show_protected}")
    lines.append(f"    identity {json.dumps(case.world.identity)} scopes {json.dumps(case.world.scopes)}")
    lines.append(f"    deleted {case.world.deleted} losses {case.losses}")
    return "\n".join(lines)
