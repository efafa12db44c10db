"""Runs a step: fetches what it yields, all at once, and sends the answers back in."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from .contracts import Step
from .operation import Operation

T = TypeVar("T")


async def run(operation: Operation, step: Step[T]) -> T:
    """Drive a step to its end. Fetches of one round run concurrently; a cancelled caller cancels them."""
    try:
        fetches = next(step)
        while True:
            answers = await asyncio.gather(*(operation.fetch(fetch) for fetch in fetches))
            fetches = step.send(answers)
    except StopIteration as stop:
        value: T = stop.value
        return value
