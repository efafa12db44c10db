"""``executor: verify``: every operation is executed by plan and by graphql-core, and a difference is reported."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from graphql import parse
from strawberry.types import ExecutionResult

from resolvers.operation import Operation

from .execution.context import Context
from .execution.http import body
from .schema.query import Schema, build_schema
from .telemetry.graphql_errors import field_names

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

    async def execute(self, query: str | None, *args: Any, **kwargs: Any) -> ExecutionResult:
        result = await super().execute(query, *args, **kwargs)
        context = kwargs.get("context_value")
        if isinstance(context, Context) and context.explained is None:
            other = Context(Operation(context.operation.federation))
            expected = await self.core.execute(query, *args, **{**kwargs, "context_value": other})
            found = list(differences(body(expected, other), body(result, context)))
            if found:
                places = _places(found[:MOST], query or "", kwargs.get("operation_name"))
                logger.error("executors differ", extra={"places": places})
        return result


def _places(paths: Sequence[Path], query: str, operation_name: str | None) -> list[str]:
    """Paths by the names of fields: an alias is whatever the client wrote. Beside ``data``, only what to look at."""
    document = parse(query)
    found: dict[str, None] = {}
    for top, *below in (path or ("keys",) for path in paths):
        names = field_names(below, document, operation_name) if top == "data" else []
        found[".".join((str(top), *names))] = None
    return list(found)


def differences(one: Any, other: Any, path: Path = ()) -> Iterator[Path]:
    """Where two answers differ: in values, types, or the order of keys."""
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
