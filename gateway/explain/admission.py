"""Before anything of an operation is fetched: it is estimated, refused if it costs too much, and shown if asked for."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema import Schema

from gateway.execution.context import Context
from resolvers.contracts import Ceiling
from resolvers.cost import Cost, Estimate, estimate
from resolvers.errors import Code
from resolvers.federation import Federation
from resolvers.trace import Trace

from .asked import UNREADABLE, read
from .explained import Mode

_SECRET = secrets.token_bytes(32)


class Admission(SchemaExtension):
    """Has every operation of a schema admitted."""

    def on_execute(self) -> Iterator[None]:
        execution = self.execution_context
        context, document = execution.context, execution.graphql_document
        if isinstance(context, Context) and document is not None:
            assert isinstance(execution.schema, Schema)
            refused = admit(
                execution.schema,
                execution.query or "",
                document,
                execution.operation_name,
                execution.variables or {},
                context,
            )
            if refused is not None:
                execution.result = refused
        yield


def admit(
    schema: Schema,
    query: str,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    context: Context,
) -> ExecutionResult | None:
    """What answers a valid operation instead of its execution; None: it is to be executed. Asks nobody.

    ``query`` is its text, or whatever else stands for the same document each time.
    """
    explained, federation = context.explained, context.operation.federation
    if explained is None:
        return _too_expensive(schema, query, document, operation_name, variables, context)
    explained.document, explained.operation_name = document, operation_name
    try:
        asks = read(schema, document, operation_name, variables, context)
    except UNREADABLE as problem:
        if explained.mode is Mode.ANALYZE:
            context.operation.trace = Trace()
            return None
        return ExecutionResult(data=None, errors=[_error(problem)])
    explained.estimate = estimate(federation, asks, cached=True)
    error = _over(federation, explained.estimate)
    if explained.mode is Mode.PLAN:
        return ExecutionResult(data=None, errors=None if error is None else [error])
    context.operation.trace = Trace()
    return None if error is None else ExecutionResult(data=None, errors=[error])


def _too_expensive(
    schema: Schema,
    query: str,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    context: Context,
) -> ExecutionResult | None:
    federation = context.operation.federation
    key = _key(query, operation_name or "", repr(sizes(variables)))
    if federation.within.get(key) == federation.statistics.changes:
        return None
    try:
        asks = read(schema, document, operation_name, variables, context)
    except UNREADABLE:
        return None
    if _over(federation, estimate(federation, asks)) is None:
        federation.within[key] = federation.statistics.changes
        federation.within.move_to_end(key)
        if len(federation.within) > federation.limits.max_estimates:
            federation.within.popitem(last=False)
        return None
    error = _over(federation, estimate(federation, asks, cached=True))
    return None if error is None else ExecutionResult(data=None, errors=[error])


def _key(*parts: str) -> bytes:
    """A key of which nothing can be read that a client wrote."""
    state = blake2b(key=_SECRET, digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(8, "big") + data)
    return state.digest()


def sizes(value: object) -> Hashable:
    """What of variables decides how much is asked for: numbers, how long lists are, what is given at all. No texts."""
    match value:
        case bool() | int() | float() | None:
            return value
        case list():
            return ("list", len(value), *{sizes(each) for each in value if isinstance(each, Mapping)})
        case Mapping():
            return tuple(sorted((str(name), repr(sizes(each))) for name, each in value.items()))
    return "given"


def _over(federation: Federation, estimated: Estimate) -> GraphQLError | None:
    limits = federation.limits
    bounds: list[tuple[str, Cost, Ceiling]] = [("limits", estimated.total, limits.cost)]
    bounds += [
        (f"sources.{name}.limits", estimated.by_source.get(name, Cost()), ceiling)
        for name, ceiling in limits.cost_at.items()
    ]
    for where, cost, ceiling in bounds:
        name = cost.over(ceiling)
        if name is not None:
            most = f"{getattr(ceiling, name):g}"
            return GraphQLError(
                f"The operation is estimated to take {_amount(cost, name)}; {where}.{name} allows {most}. "
                "Ask for fewer records at a time, or for fewer relations of them.",
                extensions={
                    "code": str(Code.OPERATION_TOO_EXPENSIVE),
                    "limit": f"{where}.{name}",
                    "estimate": as_json(estimated.total)
                    | {"sources": {each: as_json(cost) for each, cost in estimated.by_source.items()}},
                },
            )
    return None


def _amount(cost: Cost, name: str) -> str:
    match name:
        case "calls":
            return f"{cost.calls} calls to sources"
        case "records":
            return f"{cost.records} records of sources"
    return f"{cost.seconds:.1f} seconds of waiting for sources"


def as_json(cost: Cost) -> dict[str, float]:
    return {"calls": cost.calls, "records": cost.records, "seconds": round(cost.seconds, 2)}


def _error(problem: BaseException) -> GraphQLError:
    if isinstance(problem, GraphQLError):
        return problem
    return GraphQLError(str(problem), original_error=problem if isinstance(problem, Exception) else None)
