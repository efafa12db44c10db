"""``executor: verify``: every operation is executed by plan and by graphql-core, and a difference is reported."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from strawberry.types import ExecutionResult

from resolvers.operation import Operation

from .execution.context import Context
from .execution.http import body
from .schema.query import Schema, build_schema

logger = logging.getLogger(__name__)

MOST = 20
"""Places that are named of one difference."""
Path = tuple[str | int, ...]


class VerifiedSchema(Schema):
    """Gives its own executor's answer, after it was compared with that of graphql-core.

    The sources are asked for both, as far as their answers are not kept.
    """

    @cached_property
    def core(self) -> Schema:
        return build_schema()

    async def execute(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        result = await super().execute(*args, **kwargs)
        context = kwargs.get("context_value")
        if isinstance(context, Context):
            other = Context(Operation(context.operation.federation))
            expected = await self.core.execute(*args, **{**kwargs, "context_value": other})
            found = list(differences(body(expected, other), body(result, context)))
            if found:
                logger.error("executors differ", extra={"places": [".".join(map(str, path)) for path in found[:MOST]]})
        return result


def differences(one: Any, other: Any, path: Path = ()) -> Iterator[Path]:
    """Where two answers differ, in values, types, or the order of keys. Paths hold no values of records."""
    if type(one) is not type(other):
        yield path
    elif isinstance(one, dict):
        if list(one) != list(other):
            yield path
        else:
            for key in one:
                yield from differences(one[key], other[key], (*path, key))
    elif isinstance(one, list):
        if len(one) != len(other):
            yield path
        else:
            for number, (mine, its) in enumerate(zip(one, other, strict=True)):
                yield from differences(mine, its, (*path, number))
    elif one != other:
        yield path
