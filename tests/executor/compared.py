"""The same documents put to both executors over the same sources; and what came of it, counted.

Cases come in blocks: a few huvudmän, a few documents, and every document to every huvudman, with values of its own for
its variables. A document is parsed and validated once, whoever executes it.
"""

from __future__ import annotations

import copy
import json
import linecache
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any

import orjson
import strawberry
from graphql import DocumentNode, parse, validate
from strawberry.extensions import SchemaExtension

from gateway.app import schema
from gateway.config import Executor
from gateway.execution import printing
from gateway.execution.context import Context
from gateway.execution.http import body
from gateway.execution.pages import Pieces
from gateway.execution.printing import Doubtful
from gateway.verify import differences
from resolvers.federation import Federation
from resolvers.operation import Operation
from sources.standard import RESOURCES

from ..hostile.questions import Asker, targets
from ..hostile.worlds import world
from .documents import Document, dense, document
from .varied import varied
from .worlds import Both, served, unread

WORLDS, DOCUMENTS = 12, 24
"""In a block."""
CASES = WORLDS * DOCUMENTS
UNREAD = 3
"""Of the worlds of a block, so many have records that no source can send."""

_PARSED: dict[str, DocumentNode] = {}


class _Prepared(SchemaExtension):
    """Parsed and validated before."""

    def on_parse(self) -> Iterator[None]:
        self.execution_context.graphql_document = _PARSED.get(self.execution_context.query or "")
        yield

    def on_validate(self) -> Iterator[None]:
        if self.execution_context.query in _PARSED:
            self.execution_context.pre_execution_errors = []
        yield


@cache
def _schema(executor: Executor) -> strawberry.Schema:
    made = copy.copy(schema(executor))
    made.extensions = [_Prepared]
    return made


@contextmanager
def executing(by: type[Any]) -> Iterator[None]:
    """While the planned executor is another."""
    made = _schema(Executor.PLANNED)
    before, made.execution_context_class = made.execution_context_class, by
    try:
        yield
    finally:
        made.execution_context_class = before


@contextmanager
def prepared(asked: Document, *, valid: bool = False) -> Iterator[None]:
    """While the document is parsed, and validated unless that was done. Raises AssertionError where it is not valid."""
    parsed = parse(asked.text)
    if not valid:
        found = validate(schema()._schema, parsed)
        assert not found, f"{found[0].message}\n{asked.text}"
    _PARSED[asked.text] = parsed
    try:
        yield
    finally:
        del _PARSED[asked.text]


async def said(
    executor: Executor,
    federation: Federation,
    asked: Document,
    given: Mapping[str, Any],
    broken: list[Exception] | None = None,
) -> dict[str, Any]:
    """An answer's body, as a client reads it. ``broken``: where to note what steps failed with, that should not."""
    context = Context(Operation(federation))
    context.in_pieces = True
    result = await _schema(executor).execute(asked.text, dict(given), context, operation_name=asked.operation)
    if broken is not None:
        causes = [error.original_error for error in result.errors or ()]
        broken += [each for each in causes if isinstance(each, KeyError | TypeError | ValueError | AttributeError)]
    return body(replace(result, data=_whole(result.data)), context)


def _whole(value: Any) -> Any:
    """An answer's data, with the lists that were printed in pieces as the lists that they are."""
    if isinstance(value, Pieces):
        return orjson.loads(b"[" + b",".join(value.records) + b"]")
    return {name: _whole(each) for name, each in value.items()} if isinstance(value, dict) else value


@contextmanager
def watched(guards: Counter[str]) -> Iterator[None]:
    """Counts what is left to graphql-core, by the line of the guard that leaves it."""
    source_of: dict[Any, str] = {}
    compiled, created = printing._compiled, Doubtful.__init__

    def remember(source: str) -> Any:
        code = compiled(source)
        source_of.update((each, source) for each in code.co_consts if hasattr(each, "co_code"))
        return code

    def count(self: Doubtful, *args: object) -> None:
        frame = sys._getframe(1)
        written = source_of.get(frame.f_code)
        lines = written.splitlines() if written is not None else linecache.getlines(frame.f_code.co_filename)
        at = frame.f_lineno - 1
        line = lines[at].strip()
        if line == "raise Doubtful":
            line = f"{lines[at - 1].strip()} ({frame.f_code.co_name})"
        guards[re.sub(r"\d+", "", line.partition(": raise")[0])] += 1
        created(self, *args)

    printing._compiled, Doubtful.__init__ = remember, count  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        printing._compiled, Doubtful.__init__ = compiled, created  # type: ignore[method-assign]


@dataclass
class Tally:
    """What a run came to: a test that finds nothing should show what it looked at."""

    cases: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    damage: Counter[str] = field(default_factory=Counter)
    guards: Counter[str] = field(default_factory=Counter)
    fields: set[tuple[str, str]] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any], asked: Document) -> None:
        self.cases += 1
        self.fields |= asked.fields
        data, errors = answer["data"], answer.get("errors", ())
        self.counts["says something"] += _telling(data)
        self.counts["refused as a whole"] += data is None
        self.counts["with errors"] += bool(errors)
        self.counts["with nulls by propagation"] += any(_propagated(error, data) for error in errors)
        self.counts["incomplete"] += not answer.get("extensions", {}).get("completeness", {"complete": True})[
            "complete"
        ]
        self.codes.update({str((error.get("extensions") or {}).get("code", "(none)")) for error in errors})

    def __str__(self) -> str:
        every = _every_field()
        never = sorted(".".join(each) for each in every - self.fields)
        lines = [
            f"{self.cases} cases, {len(self.differences)} differences",
            *(f"  {what}: {count}" for what, count in self.counts.most_common()),
            f"  fields of the schema asked for: {len(every & self.fields)} of {len(every)}"
            + (f", not {', '.join(never[:8])}{' …' if len(never) > 8 else ''}" if never else ""),
            f"  codes of errors: {_short(self.codes)}",
            f"  left to graphql-core: {_short(self.guards)}",
            f"  damage ({len(self.damage)} kinds): {_short(self.damage)}",
        ]
        return "\n".join(lines)


def _short(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {count}" for what, count in counts.most_common()) or "nothing"


@cache
def _every_field() -> frozenset[tuple[str, str]]:
    types = schema()._schema.type_map
    return frozenset(
        (name, each)
        for name, of in types.items()
        if not name.startswith("__") and hasattr(of, "interfaces")
        for each in of.fields
    )


def _telling(data: Any) -> bool:
    if isinstance(data, dict):
        return any(_telling(each) for key, each in data.items() if key != "__typename")
    if isinstance(data, list):
        return any(map(_telling, data))
    return data is not None and data is not False


def _propagated(error: Mapping[str, Any], data: Any) -> bool:
    """Whether the place of the error is not in the answer: something above it became null."""
    at = data
    for step in error.get("path", ()):
        if at is None:
            return True
        at = at[step]
    return False


# Cases


def worlds(number: int, done: Counter[str], only: str = "any") -> list[Both]:
    first = number * WORLDS
    unread_below = {"any": UNREAD, "unread": WORLDS, "served": 0}[only]
    return [(unread if place < unread_below else served)(first + place, done) for place in range(WORLDS)]


def documents(number: int) -> Iterator[Document]:
    rng = Random(f"executor documents {number}")
    asker = Asker(world(f"executor {number}"), rng, provenance=True)
    for _ in range(DOCUMENTS):
        lot = rng.random()
        if lot < 0.1:
            yield dense(rng.choice([name for name, of in RESOURCES.items() if of.get and of.has_id]))
        elif lot < 0.75:
            yield document(rng)
        else:
            question = None
            while question is None or question.walk is not None:
                question = asker.question(rng.choice(targets()))
            yield varied(str(question), rng)


async def cases(number: int, tally: Tally, only: str = "any") -> AsyncIterator[tuple[Document, Both, dict[str, Any]]]:
    """Of a block, each document with each huvudman, and what is given for its variables."""
    made = worlds(number, tally.damage, only)
    try:
        for place, asked in enumerate(documents(number)):
            with prepared(asked):
                for both in made:
                    if not both.warm:
                        both.forget()
                    yield asked, both, asked.given(Random(f"executor {number} {place} {both.name}"))
    finally:
        for both in made:
            await both.aclose()


async def compare(asked: Document, both: Both, given: Mapping[str, Any], tally: Tally) -> str | None:
    """What the planned executor says otherwise than graphql-core; None if nothing."""
    before = both.calls()
    broken: list[Exception] = []
    core = await said(Executor.CORE, both.core, asked, given, broken)
    planned = await said(Executor.PLANNED, both.planned, asked, given)
    tally.add(core, asked)
    if both.unread and broken:  # merging or filtering fell over such records: whose steps they were in is chance
        tally.counts["not compared: a step fell over unread records"] += 1
        return None
    # Which of two parts of an operation asks first can be chance (links are read in a thread): calls count together.
    for who, one, other in zip(("calls of core", "calls"), before, both.calls(), strict=True):
        tally.counts[who] += other - one
    if not differ(core, planned, both):
        tally.counts["other errors told below a null"] += _bytes(core) != _bytes(planned)
        return None
    places = ["/".join(map(str, path)) for path in differences(core, planned)]
    told = f"{places[:5]}\n{asked.text}\n{given}\n{both.settings}"
    tally.differences.append(told)
    return told


def differ(core: Mapping[str, Any], planned: Mapping[str, Any], both: Both) -> bool:
    """Whether two answers are not the same bytes, or what may stand for the same bytes."""
    return _bytes(core) != _bytes(planned) and not (both.unread and _chance(core, planned))


def _bytes(answer: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(answer)
    except TypeError:  # an integer of more than 64 bits, which only records have that no source can send
        return json.dumps(answer).encode()


def _chance(core: Mapping[str, Any], planned: Mapping[str, Any]) -> bool:
    """Whether the answers differ only in what is told besides of places that became null with what is above them:
    other errors, and gaps of what was fetched for them.

    GraphQL lets an executor stop or go on there. Only records that no source can send lead to such errors.
    """
    seen = []
    for answer in (core, planned):
        errors = answer.get("errors", ())
        if not any(_propagated(error, answer["data"]) for error in errors):
            return False
        others = [e for e in errors if not _propagated(e, answer["data"]) and "resources" not in e["extensions"]]
        seen.append(_bytes({"data": answer["data"], "errors": others}))
    return seen[0] == seen[1]


async def block(number: int, tally: Tally, only: str = "any") -> list[str]:
    """The differences of a block. ``only``: of huvudmän that are ``served``, or whose records are ``unread``."""
    found = []
    async for asked, both, given in cases(number, tally, only):
        told = await compare(asked, both, given, tally)
        if told is not None:
            found.append(f"block {number}: {told}")
    return found
