"""Ask a gateway a question in a test, in process: everything but HTTP serving is real."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.app import schema
from gateway.assemble import Assembled, assemble
from gateway.config import parse
from gateway.execution.context import Context
from gateway.execution.http import body
from resolvers.federation import Federation
from resolvers.operation import Operation
from sources.demo import configuration
from sources.demo.server import DemoServers


async def ask(federation: Federation, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The answer's body, as a client reads it."""
    context = Context(Operation(federation))
    result = await schema().execute(query, variable_values=dict(variables or {}), context_value=context)
    return body(result, context)


def over(servers: DemoServers, **changes: Any) -> Assembled:
    """A gateway over the demonstration servers; ``changes`` replace top-level keys of its configuration.

    Close it with ``aclose``. A new one has an empty cache.
    """
    return assemble(parse({**configuration.gateway_config(servers), **changes}, Path.cwd(), {}))
