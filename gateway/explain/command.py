"""``ss12000-gateway explain``: the plan of a query, over a configuration or over the demonstration."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from gateway.app import schema
from gateway.assemble import Assembled, assemble
from gateway.config import load, parse
from gateway.execution.context import Context
from gateway.execution.http import body
from resolvers.operation import Operation
from sources.demo import configuration, municipality, server

from .explained import Explained, Mode
from .tree import mermaid, text

DEMO = "demo"
PUPILS = 200
"""Pupils of the demonstration that is made for one query."""


def add_command(commands: Any) -> None:
    """The command's grammar."""
    command = commands.add_parser("explain", help="show what a query will ask of which source, and why")
    command.add_argument("--query", type=Path, required=True, metavar="FILE", help="the query; - is standard input")
    command.add_argument("--variables", type=Path, metavar="FILE", help="its variables, as JSON")
    command.add_argument("--operation", metavar="NAME", help="which operation, where the file has several")
    command.add_argument(
        "--config", default=DEMO, help="gateway.yaml, or demo: a small demonstration (default: %(default)s)"
    )
    command.add_argument("--analyze", action="store_true", help="run it, too, and show what it did")
    command.add_argument("--format", choices=["text", "mermaid", "json"], default="text", help="(default: %(default)s)")
    command.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Prints the plan. Exit codes: 0, or 1 if the query has errors (they are on standard error)."""
    query = sys.stdin.read() if str(given.query) == "-" else given.query.read_text(encoding="utf-8")
    try:
        variables = json.loads(given.variables.read_text(encoding="utf-8")) if given.variables else {}
    except ValueError:
        variables = None
    if not isinstance(variables, dict):
        print(f"{given.variables}: must be a JSON object.", file=sys.stderr)
        return 2
    mode = Mode.ANALYZE if given.analyze else Mode.PLAN
    answer = asyncio.run(_answer(given.config, query, variables, given.operation, mode))
    for error in answer.get("errors", ()):
        print(f"{error['extensions']['code']}: {error['message']}", file=sys.stderr)
    plan = answer["extensions"]["plan"]
    match given.format:
        case "json":
            print(json.dumps(plan, ensure_ascii=False, indent=2))
        case "mermaid":
            print(mermaid(plan), end="")
        case _:
            print(text(plan), end="")
    return 1 if "errors" in answer else 0


async def _answer(
    config: str, query: str, variables: dict[str, Any], operation_name: str | None, mode: Mode
) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        assembled = await _assembled(config, stack)
        stack.push_async_callback(assembled.aclose)
        return await explain(assembled, query, variables, operation_name, mode)


async def _assembled(config: str, stack: AsyncExitStack) -> Assembled:
    if config != DEMO:
        return assemble(load(Path(config), os.environ))
    servers = await stack.enter_async_context(await server.start(municipality.build(PUPILS, 1)))
    return assemble(parse(configuration.gateway_config(servers), Path.cwd(), {}))


async def explain(
    assembled: Assembled, query: str, variables: dict[str, Any], operation_name: str | None, mode: Mode
) -> dict[str, Any]:
    """The answer to a query, with its plan."""
    context = Context(Operation(assembled.federation))
    context.explained = Explained(mode)
    result = await schema(assembled.executor).execute(
        query, variable_values=variables, context_value=context, operation_name=operation_name
    )
    return body(result, context)
