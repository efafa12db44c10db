"""Runs a step: what it yields is fetched in the next round of its operation, and the answers are sent back in."""

from __future__ import annotations

from typing import TypeVar

from .contracts import Step
from .operation import Operation

T = TypeVar("T")


async def run(operation: Operation, step: Step[T]) -> T:
    """Drive a step to its end. Raises what it raises; a cancelled caller cancels the calls that only it needs."""
    return await operation.rounds.result(step)


def at_once(step: Step[T]) -> T | None:
    """The step's value, if it needs nothing fetched; otherwise None, and the step is closed."""
    try:
        next(step)
    except StopIteration as stop:
        value: T = stop.value
        return value
    step.close()
    return None
