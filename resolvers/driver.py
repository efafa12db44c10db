"""Runs a step: fetches what it yields, all at once, and sends the answers back in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from sources.errors import CallError
from sources.records import Answer

from .contracts import Fetch, Shared, Step
from .listing import Listing
from .operation import Operation

T = TypeVar("T")


async def run(operation: Operation, step: Step[T]) -> T:
    """Drive a step to its end. Fetches of one round run concurrently; a cancelled caller cancels them."""
    try:
        fetches = next(step)
        while True:
            if len(fetches) == 1:  # a task of its own would cost more than what is kept
                answers: Sequence[Answer] = [await fetch_one(operation, fetches[0])]
            else:
                answers = await asyncio.gather(*(fetch_one(operation, fetch) for fetch in fetches))
            fetches = step.send(answers)
    except StopIteration as stop:
        value: T = stop.value
        return value


def at_once(step: Step[T]) -> T | None:
    """The step's value, if it needs nothing fetched; otherwise None, and the step is closed."""
    try:
        next(step)
    except StopIteration as stop:
        value: T = stop.value
        return value
    step.close()
    return None


async def fetch_one(operation: Operation, fetch: Fetch) -> Answer:
    """The answer to one fetch. What is shared is made, or waited for while another operation makes it."""
    shared = fetch.op
    if not isinstance(shared, Shared):
        return await operation.fetch(fetch)

    async def make() -> Listing:
        own = operation.aside()
        made = await run(own, shared.make(own))
        operation.calls += own.calls
        return made

    with suppress(CallError):  # the deadline: ``made`` stays None
        shared.made = await operation.federation.indexes.share(shared.key, operation.deadline, make)
    return Answer()
