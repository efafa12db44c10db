"""Whether each guard is needed: ``python -m tests.executor.mutations`` takes one away at a time and compares again.

A guard is what the printing of records refuses, bounds or falls back on. A survivor is one on which no answer depends,
because what is done without it fails and is left to graphql-core all the same, or one to which no case comes.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from gateway.app import schema
from gateway.config import Executor
from gateway.execution import planned, printing
from sources.standard import RESOURCES

from .compared import Tally, differ, executing, prepared, said
from .documents import Document, dense, document
from .worlds import Both, unread

MODULES: tuple[ModuleType, ...] = (printing, planned)
KINDS = (
    (r"raise Doubtful\b", "pass"),
    (r"-2147483648\b", "-2147483649"),
    (r"\b2147483647\b", "2147483648"),
    (r"-2147483648 <= \{own\} <= 2147483647", "True"),
    (r"if not isinstance\(\w+, list\):", "if False:"),
    (r"if shown is None( or shown is Undefined)?:", "if False:"),
    (r" or shown is Undefined\b", ""),
    (r" or not without_nulls\b", ""),
    (r" and not isinstance\(of, GraphQLNonNull\)", ""),
)
"""A pattern and what is put in its place, once for each place where it is found."""
CAUGHT = re.compile(r"^WRONG = \(([^)]*)\)", re.MULTILINE)
"""What is caught, and left to graphql-core: one kind of failure less at a time."""


@dataclass(frozen=True)
class Mutation:
    """``text``: the whole module, mutated."""

    module: ModuleType
    line: int
    was: str
    text: str

    def __str__(self) -> str:
        return f"{self.module.__name__.rpartition('.')[2]}:{self.line}: {self.was}"


def _source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text()


def mutations() -> Iterator[Mutation]:
    for module in MODULES:
        source = _source(module)
        places = [(found.span(), instead) for kind, instead in KINDS for found in re.finditer(kind, source)]
        for found in CAUGHT.finditer(source):
            names = [each for each in re.split(r",\s*", found[1]) if each]
            places += [(found.span(1), ", ".join(n for n in names if n != name) + ",") for name in names]
        for (start, end), instead in places:
            line = source.count("\n", 0, start)
            was = f"{source.splitlines()[line].strip()}  →  {instead or '(gone)'}"
            yield Mutation(module, line + 1, was, source[:start] + instead + source[end:])


@contextmanager
def mutated(mutation: Mutation) -> Iterator[None]:
    """While a module is another, for all that took something from it as well."""
    module = mutation.module
    before = dict(vars(module))
    users = [each for name, each in sys.modules.items() if name.startswith("gateway.") and each is not module]

    def replace(olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
        for user in users:
            for name, value in list(vars(user).items()):
                if name in olds and value is olds[name] and value is not news.get(name):
                    setattr(user, name, news[name])

    exec(compile(mutation.text, str(module.__file__), "exec"), vars(module))
    after = dict(vars(module))
    replace(before, after)
    try:
        with executing(planned.PlannedExecution):
            yield
    finally:
        vars(module).update(before)
        replace(after, before)


# What the mutants are asked


@dataclass(frozen=True)
class Question:
    asked: Document
    both: Both
    given: Mapping[str, Any]
    answer: Mapping[str, Any]
    """What graphql-core says."""


async def questions(worlds: int, documents: int) -> list[Question]:
    """Every field of every resource, and some random documents, of huvudmän whose records are wrong."""
    found = []
    made = [unread(number, Tally().damage) for number in range(worlds)]
    rng = Random("executor mutations")
    whole = [dense(name) for name, of in RESOURCES.items() if of.get and of.has_id]
    for asked in (*whole, *(document(rng) for _ in range(documents))):
        for both in made:
            given = asked.given(rng)
            both.forget()
            with prepared(asked):
                broken: list[Exception] = []
                answer = await said(Executor.CORE, both.core, asked, given, broken)
            if not broken:
                found.append(Question(asked, both, given, answer))
    return found


async def shown(questions: list[Question], mutation: Mutation) -> int | None:
    """After how many questions a mutation shows; None where it does not."""
    with mutated(mutation):
        for number, question in enumerate(questions, 1):
            question.both.forget()
            with prepared(question.asked, valid=True):
                try:
                    answer = await said(Executor.PLANNED, question.both.planned, question.asked, question.given)
                    if differ(question.answer, answer, question.both):
                        return number
                except Exception:  # noqa: BLE001  # that shows too
                    return number
    return None


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--line", type=int, help="only what is mutated in this line")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    schema(Executor.PLANNED)
    asked = await questions(given.worlds, given.documents)
    print(f"{len(asked)} questions", flush=True)
    survivors = total = 0
    control = Mutation(printing, 0, "nothing", _source(printing))
    while (wrong := await shown(asked, control)) is not None:
        print(f"differs without a mutation: {asked[wrong - 1].asked.text[:200]}")
        asked = [each for each in asked if each.asked is not asked[wrong - 1].asked]
    for mutation in mutations():
        if given.line not in (None, mutation.line):
            continue
        total += 1
        found = await shown(asked, mutation)
        survivors += found is None
        print(f"{mutation}\n    {f'shown by question {found}' if found else 'SURVIVES'}", flush=True)
    print(f"{total} mutations, {survivors} survive")


if __name__ == "__main__":
    asyncio.run(_main())
