"""Completing records: every source that must be heard for them is asked, at once, for what is not yet in hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from sources.records import Answer

from ..authority import Rules
from ..belonging import spared, told
from ..columns import reader
from ..completeness import Gaps
from ..contracts import EntityId, Step, Want
from ..entity import Entity
from ..operation import Operation
from ..policy import Verdict
from .rows import Ahead, rows_by_id
from .tree import extents


def complete(
    operation: Operation,
    resource: str,
    ids: Iterable[EntityId],
    want: Want,
    gaps: Gaps | None = None,
    also: Iterable[str] = (),
    ahead: Ahead | None = None,
) -> Step[None]:
    """See to it that the rows needed for ``want`` are in hand, for each id; ``also`` names further sources to ask.

    ``ahead`` gives ids that the next pages of a list will need: a source that must be called is asked for them as well.
    """
    rules = operation.federation.rules[resource]
    want = want.also(*operation.federation.policy.columns(resource))
    further = set(also)
    if not rules.settled and (further or rules.heard(want)):
        want = want.also(*rules.places.columns)
        yield from extents(operation, rules.organisations, gaps)
    heard = rules.heard(want)
    sources = [source for source in rules.servers if source in further or source in heard]
    unique = list(dict.fromkeys(ids))
    unscoped = {source: unique for source in sources if source not in rules.scopes}
    fetches = rows_by_id(operation, resource, unscoped, want, ahead)
    if fetches:
        operation.absorb_all(fetches, (yield fetches), gaps)
    bounded = [source for source in sources if source in rules.scopes]
    if bounded:
        yield from _in_scope(operation, rules, bounded, [Entity(operation, rules, each) for each in unique], want, gaps)


def _in_scope(
    operation: Operation,
    rules: Rules,
    sources: Sequence[str],
    entities: Sequence[Entity],
    want: Want,
    gaps: Gaps | None,
) -> Step[None]:
    """Ask sources with a scope for the records that are not known to lie outside it.

    Where others have said where a record belongs, all are asked at once; otherwise one after the other, for each may be
    the one to say it. What fails is missed only if a record turns out to belong there.
    """
    resource = rules.resource.name
    known = [entity for entity in entities if told(entity)]
    unknown = [entity for entity in entities if not told(entity)]
    failed: list[tuple[Answer, str]] = []
    for turn, source in enumerate(sources):
        everybody = sources if turn == 0 else ()
        asking = {each: [e.id for e in known if not spared(e, each)] for each in everybody}
        asking.setdefault(source, []).extend(e.id for e in unknown if not spared(e, source))
        fetches = rows_by_id(operation, resource, asking, want)
        answers = (yield fetches) if fetches else ()
        for fetch, answer in zip(fetches, answers, strict=True):
            operation.keep(fetch, answer)
            if answer.faults:
                failed.append((answer, fetch.source))
    for answer, source in failed:
        seen = operation.rows(source, resource)
        if any(entity.id not in seen and source in entity.applied.servers for entity in entities):
            operation.missed(answer, gaps)


def shown(operation: Operation, resource: str, ids: Sequence[EntityId]) -> list[Entity | None]:
    """The completed records, in order; None where one does not exist or the policy hides it."""
    rules = operation.federation.rules[resource]
    policy = operation.federation.policy
    entities = [Entity(operation, rules, each) for each in ids]
    found: list[Entity | None] = []
    certain = policy.open(resource)
    if certain is None:
        for entity in entities:
            found.append(entity if entity.exists and policy.verdict(entity) is not Verdict.HIDE else None)
        return found
    open = {*product(*certain.values())}
    for entity, values in zip(entities, reader(operation, rules, (*certain,))(entities), strict=True):
        if values in open or (values is not None and policy.verdict(entity) is not Verdict.HIDE):
            found.append(entity)
        else:
            found.append(None)
    return found
