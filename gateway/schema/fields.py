"""Strawberry fields made from data: a resolver with a signature of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Optional

import strawberry
from strawberry.types.info import Info

from gateway.execution import kinds, leads
from gateway.execution.precheck import Check, register


def field(
    resolver: Callable[..., Any],
    returns: Any,
    *,
    name: str,
    doc: str,
    arguments: Mapping[str, tuple[str, Any, str, object]] | None = None,
    info: bool = False,
    directives: Sequence[object] = (),
    check: Check | None = None,
    kind: kinds.Kind | None = None,
    reads: Sequence[str] = (),
    leading: leads.Leading | None = None,
) -> Any:
    """A field whose resolver is called with the source, ``info`` if wanted, and its arguments by Python name.

    ``check`` is asked about the arguments before anything of the operation is fetched.
    ``kind``: what it reads, where a plan can read it without the resolver.
    ``reads``: on a record's type, the columns that must be in hand.
    ``leading``: what is fetched for it, where it has no kind and does not simply lead to a record of its type.
    ``arguments``: Python name to (GraphQL name, type, description, default); ``inspect.Parameter.empty`` requires it.
    """
    parameter = inspect.Parameter
    parameters = [parameter("self", parameter.POSITIONAL_OR_KEYWORD)]
    if info:
        parameters.append(parameter("info", parameter.POSITIONAL_OR_KEYWORD, annotation=Info))
    for python, (graphql, of, text, default) in (arguments or {}).items():
        annotation = annotated(of, strawberry.argument(name=graphql, description=text))
        parameters.append(parameter(python, parameter.KEYWORD_ONLY, annotation=annotation, default=default))

    def resolve(*args: Any, **kwargs: Any) -> Any:
        return resolver(*args, **kwargs)

    if check is not None:
        register(resolve, check)
    if kind is not None:
        kinds.register(resolve, kind)
    if leading is not None:
        leads.register(resolve, leading)
    resolve.__name__ = name
    resolve.__columns__ = frozenset(reads)  # type: ignore[attr-defined]
    resolve.__signature__ = inspect.Signature(parameters, return_annotation=returns)  # type: ignore[attr-defined]
    return strawberry.field(resolver=resolve, name=name, description=doc, directives=directives)


def annotated(kind: Any, *metadata: object) -> Any:
    """``Annotated`` for a type that is data."""
    return Annotated[(kind, *metadata)]


def optional(kind: Any) -> Any:
    return Optional[kind]  # noqa: UP045


def optional_list(kind: Any) -> Any:
    return Optional[list[kind]]  # noqa: UP045
