"""Values that no source should send and none gets past the reading of it: whatever is in a record, both executors print
the same of it, or give the same errors.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    get_named_type,
    is_leaf_type,
)

from gateway.app import schema
from gateway.config import Executor
from gateway.execution.context import Context
from gateway.execution.http import body
from gateway.execution.printing import Doubtful, _Printer
from resolvers.federation import Federation
from resolvers.operation import Operation
from resolvers.policy import ShowAll
from sources.standard import RESOURCES
from sources.standard.model import Property, Reference, Scalar, Structure
from tests.fakes import FakeSource

from ..hostile.worlds import ids

WRONG: tuple[Any, ...] = (
    None, "", "text", "Påhittad", "2026-03-29", 0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 10**30, True, False,
    1.0, 1.5, math.inf, math.nan, [], [None], ["a", None], ["a", "b"], [1], [True], [[]], {}, [{}], [{}, None, "x"],
)  # fmt: skip
"""Of every type, at and beyond the bounds of GraphQL's Int."""
LISTS = tuple(each for each in WRONG if isinstance(each, list))
EXAMPLES = 80
"""Random records per resource."""


def right(prop: Property, rng: Random, wrong: float) -> object:
    """A value as it should be, with what is in it made up in its turn."""
    kind = prop.type
    value: object
    if isinstance(kind, Structure):
        value = {each.name: made(each, rng, wrong) for each in kind.properties if rng.random() < 0.8}
    elif isinstance(kind, Reference):
        value = {"id": rng.choice(ids(kind.target))}
    elif kind is Scalar.INTEGER:
        value = rng.randint(-9, 9)
    else:
        value = rng.random() < 0.5 if kind is Scalar.BOOLEAN else rng.choice(("text", "2026-03-29"))
    return [value] * rng.choice((1, 2)) if prop.many else value


def made(prop: Property, rng: Random, wrong: float) -> object:
    """A value, or something else, as often as ``wrong`` says.

    What records refer to is never nonsense: whoever fetches it would fail before.
    """
    if isinstance(prop.type, Reference):
        return right(prop, rng, wrong)
    if rng.random() >= wrong:
        return right(prop, rng, wrong)
    return rng.choice(LISTS if prop.many and rng.random() < 0.7 else WRONG)


def record(name: str, number: int, rng: Random) -> Mapping[str, object]:
    """A record with much that is wrong, or one thing alone: beside others, graphql-core would hide a guard's fault."""
    columns = [each for each in RESOURCES[name].properties if each.name not in ("id", "meta")]
    alone = rng.choice(columns) if rng.random() < 0.5 else None
    wrong = 0.0 if alone is not None else rng.choice((0.02, 0.1, 0.5))
    return {
        "id": ids(name)[number],
        **{each.name: made(each, rng, 1.0 if each is alone else wrong) for each in columns if rng.random() < 0.9},
    }


def everything(of: GraphQLObjectType, depth: int = 3) -> str:
    """All fields of a type that need no arguments, without what leads to other records."""
    return " ".join(_fields(of, depth))


def _fields(of: GraphQLObjectType, depth: int) -> Iterator[str]:
    for name, each in of.fields.items():
        inner = get_named_type(each.type)
        if name in ("meta", "provenance", "raw") or any(
            isinstance(arg.type, GraphQLNonNull) for arg in each.args.values()
        ):
            continue
        if is_leaf_type(inner):
            yield name
        elif depth and isinstance(inner, GraphQLObjectType) and inner.name not in RESOURCES and not _leads(of, name):
            below = everything(inner, depth - 1)
            if below:
                yield f"{name} {{ {below} }}"


def _leads(of: GraphQLObjectType, name: str) -> bool:
    """Whether the field is no property of the record itself."""
    resource = RESOURCES.get(of.name)
    return resource is not None and name not in resource.columns


async def said(executor: Executor, name: str, records: list[Mapping[str, object]]) -> dict[str, Any]:
    federation = Federation({"sis": FakeSource("sis", {name: records})}, {}, policy=ShowAll())  # type: ignore[dict-item]
    of = schema()._schema.type_map[name]
    assert isinstance(of, GraphQLObjectType)
    asked = f"query($ids: [ID!]!) {{ {RESOURCES[name].plural}ByIds(ids: $ids) {{ {everything(of)} }} }}"
    context = Context(Operation(federation))
    variables = {"ids": [each["id"] for each in records]}
    return body(await schema(executor).execute(asked, variables, context), context)


TOLD: dict[str, bool] = defaultdict(bool)
"""By resource, whether any of its records was answered with errors."""
BY_ID = [resource.name for resource in RESOURCES.values() if resource.get and resource.has_id]


@pytest.mark.parametrize("name", BY_ID)
async def test_whatever_is_in_a_record(name: str) -> None:
    for number in range(EXAMPLES):
        rng = Random(f"{name} {number}")
        records = [record(name, each, rng) for each in range(3)]
        core, planned = [await said(executor, name, records) for executor in (Executor.CORE, Executor.PLANNED)]
        assert orjson.dumps(planned) == orjson.dumps(core), records
        TOLD[name] |= "errors" in core


def test_some_were_errors() -> None:
    if len(TOLD) < len(BY_ID):
        pytest.skip("only after all resources")
    assert sum(TOLD.values()) > len(BY_ID) / 2


SILENT = GraphQLScalarType("Silent", serialize=lambda value: None)


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (GraphQLNonNull(GraphQLString), None),
        (GraphQLNonNull(GraphQLList(GraphQLString)), None),
        (GraphQLList(GraphQLNonNull(GraphQLString)), ["a", None]),
        (GraphQLList(GraphQLString), ("a", "b")),
        (GraphQLList(GraphQLString), "ab"),
        (SILENT, "a"),
    ],
)
async def test_what_a_resolver_should_not_give_is_left_to_graphql_core(of: Any, value: object) -> None:
    operation = Operation(Federation({"sis": FakeSource("sis", {})}, {}))
    with pytest.raises(Doubtful):
        _Printer(operation, {})._completing(of, None)(value)
