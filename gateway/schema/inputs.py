"""Filters, orders and periods: the input types, and the way from their values to the resolvers' terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Optional

import strawberry

from resolvers.contracts import Condition, Period, Selector
from resolvers.errors import Code, Refused
from resolvers.filters import parameters, takes_subtree
from sources.standard.model import Enumeration, Parameter, Resource, Scalar

from .enums import UNRECOGNISED, Enum, enumeration, order
from .naming import python_name, upper_first
from .scalars import BY_KIND, Date

DEFAULT_FIRST = 50


@dataclass
class Node:
    """A field of a filter's input type: a parameter, or further fields.

    ``subtree``: one of the fields names organisations, and a field ``subtree`` beside it says what they stand for.
    """

    parameter: Parameter | None
    children: dict[str, Node]
    subtree: bool = False


def _path(parameter: Parameter) -> list[str]:
    """The GraphQL path of a parameter: ``relationship.entity.type`` is ``relationship { entityType }``."""
    return parameter.name.replace("entity.type", "entityType").split(".")


@cache
def tree(resource_name: str, *, required: bool) -> Node:
    """The filters of a resource as a tree: the parameters that the standard requires, or all others."""
    root = Node(None, {})
    for parameter in parameters(resource_name):
        if parameter.required is not required:
            continue
        here = root
        path = _path(parameter)
        for name in path:
            here.subtree = here.subtree or (name == path[-1] and takes_subtree(parameter))
            here = here.children.setdefault(name, Node(None, {}))
        here.parameter = parameter
    return root


SUBTREE = "subtree"
_SUBTREE_DOC = (
    "Whether organisations stand for everything below them too; false for these very organisations. "
    "(Not in the standard.)"
)


def _leaf_type(parameter: Parameter) -> Any:
    kind = enumeration(parameter.type).type if isinstance(parameter.type, Enumeration) else BY_KIND[parameter.type]
    return list[kind] if parameter.many else kind  # type: ignore[valid-type]


_SHARED = {"meta": "MetaFilter"}
"""Input types that are the same for every resource."""
_BOUNDS: dict[frozenset[tuple[str, object]], str] = {
    frozenset({("onOrAfter", Scalar.DATE), ("onOrBefore", Scalar.DATE)}): "DateBounds",
    frozenset({("onOrAfter", Scalar.DATE_TIME), ("onOrBefore", Scalar.DATE_TIME)}): "DateTimeBounds",
    frozenset({("after", Scalar.DATE_TIME), ("before", Scalar.DATE_TIME)}): "InstantBounds",
}
_BOUND_DOCS = {
    "onOrAfter": "On or after this (inclusive, unless the field says otherwise).",
    "onOrBefore": "On or before this (inclusive).",
    "before": "At this instant or earlier (inclusive).",
    "after": "Later than this instant (exclusive).",
}
_INNER_DOCS = {
    "enrolment": "What one and the same enrolment must be. (Not in the standard.)",
    "memberOf": "What one and the same membership of a group must be. (Not in the standard.)",
    "relationship": "What one and the same relation of a person must be.",
    "identifier": "What one and the same external identifier must be.",
}
_made: dict[str, type] = {}


def _input(node: Node, name: str, doc: str, *, required: bool = False) -> type:
    """The Strawberry input type of a node. Types of equal shape (bounds, meta) are shared."""
    shape = frozenset((each, child.parameter.type) for each, child in node.children.items() if child.parameter)
    if not required and len(shape) == len(node.children):
        name = _BOUNDS.get(shape, name)
    if name in _made:
        return _made[name]
    namespace: dict[str, Any] = {"__annotations__": {}}
    shared = name in _BOUNDS.values()
    for child_name, child in node.children.items():
        attribute = python_name(child_name)
        if child.parameter is not None:
            kind = _leaf_type(child.parameter)
            text = _BOUND_DOCS[child_name] if shared else child.parameter.doc
            if takes_subtree(child.parameter):
                text += " With what lies below, unless subtree is false."
        else:
            inner = _SHARED.get(child_name, f"{name}{upper_first(child_name)}")
            kind = _input(child, inner, _INNER_DOCS.get(child_name, f"Bounds of {child_name}."), required=required)
            text = _docs(child)
        if required:
            namespace["__annotations__"][attribute] = kind
            namespace[attribute] = strawberry.field(name=child_name, description=text)
        else:
            namespace["__annotations__"][attribute] = Optional[kind]  # noqa: UP045
            namespace[attribute] = strawberry.field(name=child_name, description=text, default=strawberry.UNSET)
    if node.subtree:
        namespace["__annotations__"][SUBTREE] = Optional[bool]  # noqa: UP045
        namespace[SUBTREE] = strawberry.field(name=SUBTREE, description=_SUBTREE_DOC, default=True)
    made: type = strawberry.input(type(name, (), namespace), name=name, description=doc)
    _made[name] = made
    return made


def _docs(node: Node) -> str:
    leaves = [node.parameter.doc] if node.parameter else [_docs(child) for child in node.children.values()]
    return " ".join(leaves)


def filter_input(resource: Resource) -> type:
    """The filter input of a resource."""
    return _input(
        tree(resource.name, required=False),
        f"{resource.name}Filter",
        f"Which {resource.plural} to give. All fields given must hold; an empty list selects nothing; "
        "null is an error: leave a field out instead.",
    )


def required_arguments(resource: Resource) -> dict[str, tuple[Any, str]]:
    """The root arguments that a list cannot do without: name to type and description."""
    found: dict[str, tuple[Any, str]] = {}
    for name, node in tree(resource.name, required=True).children.items():
        if node.parameter is not None:
            found[name] = (_leaf_type(node.parameter), node.parameter.doc)
        else:
            made = _input(node, f"{resource.name}{upper_first(name)}Window", _docs(node), required=True)
            found[name] = (made, _docs(node))
    return found


@strawberry.input(description="Whole local days, both ends inclusive. Leave an end out to leave it open.")
class DateRange:
    from_: Date | None = strawberry.field(name="from", description="The first day.", default=strawberry.UNSET)
    to: Date | None = strawberry.field(description="The last day.", default=strawberry.UNSET)


def _given(value: object, node: Node) -> Iterator[tuple[Parameter, object, bool]]:
    """The parameters given, with their values and what ``subtree`` says of them."""
    subtree = _value(value, SUBTREE) is True if node.subtree else False
    for name, child in node.children.items():
        inner = _value(value, name)
        if inner is strawberry.UNSET:
            continue
        if child.parameter is not None:
            yield child.parameter, inner, subtree and takes_subtree(child.parameter)
        else:
            yield from _given(inner, child)


def _value(value: object, name: str) -> object:
    found: object = getattr(value, python_name(name))
    if found is None:
        raise Refused(Code.INVALID_FILTER, f"The filter field {name} is null; leave it out, or give it a value.")
    return found


def conditions(resource: Resource, value: object, *, required: bool = False) -> tuple[Condition, ...]:
    """The conditions of a filter input (or of the required arguments, as an object with their names).

    Raises Refused: INVALID_FILTER, INVALID_ID.
    """
    if value is strawberry.UNSET:
        return ()
    if value is None:
        raise Refused(Code.INVALID_FILTER, "The filter is null; leave it out, or give it a value.")
    return tuple(
        Condition(parameter, _wire(parameter, given), subtree)
        for parameter, given, subtree in _given(value, tree(resource.name, required=required))
    )


def _wire(parameter: Parameter, given: object) -> tuple[str, ...]:
    values: Sequence[object] = given if isinstance(given, list) else [given]
    if isinstance(parameter.type, Enumeration):
        known = enumeration(parameter.type)
        return tuple(_spelling(known, parameter, value) for value in values)
    if parameter.type is Scalar.ID:
        return tuple(canonical_id(value) for value in values)
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)


def _spelling(known: Enum, parameter: Parameter, value: object) -> str:
    for text, member in known.members.items():
        if member is value or member.value == value:
            return text
    raise Refused(
        Code.INVALID_FILTER, f"{UNRECOGNISED} cannot be filtered by ({parameter.name}); name a value of the standard."
    )


_HEX = frozenset("0123456789abcdef")


def canonical_id(value: object) -> str:
    """An id as the gateway writes it: lower case, no braces. Raises Refused with INVALID_ID if it is no UUID."""
    text = str(value).strip().lower().removeprefix("{").removesuffix("}")
    if [len(part) for part in text.split("-")] != [8, 4, 4, 4, 12] or not set(text.replace("-", "")) <= _HEX:
        raise Refused(Code.INVALID_ID, "An id is a UUID, e.g. 6c2bc5c9-61a7-4a0c-9b40-7a1e0e1b0a11.")
    return text


def period(on: object, during: object) -> Period | None:
    """The period of ``on`` or ``during``. Raises Refused with INVALID_DATE if both are given or it runs backwards."""
    on = None if on is strawberry.UNSET else on
    during = None if during is strawberry.UNSET else during
    if on is not None and during is not None:
        raise Refused(Code.INVALID_DATE, "Give on or during, not both.")
    if on is not None:
        day = date.fromisoformat(str(on))
        return Period(day, day)
    if not isinstance(during, DateRange):
        return None
    start = date.fromisoformat(during.from_) if during.from_ else None
    end = date.fromisoformat(during.to) if during.to else None
    if start is not None and end is not None and start > end:
        raise Refused(Code.INVALID_DATE, "The period ends before it begins.")
    return Period(start, end)


def bounded(first: object, maximum: int, default: int | None) -> int | None:
    """``first``, checked. Raises Refused with FIRST_OUT_OF_RANGE."""
    if first is strawberry.UNSET or first is None:
        return default
    if not isinstance(first, int) or not 1 <= first <= maximum:
        raise Refused(Code.FIRST_OUT_OF_RANGE, f"first is between 1 and {maximum}.")
    return first


def selector(resource: Resource, arguments: Mapping[str, object], maximum: int, default_first: int | None) -> Selector:
    """All arguments of a list as a selector. Raises Refused."""
    keys = arguments.get("order_by", strawberry.UNSET)
    if keys is strawberry.UNSET or keys is None:
        keys = []
    assert isinstance(keys, list)
    by_member = {member.value: name for name, member in order(resource.name).members.items()} if keys else {}
    return Selector(
        conditions(resource, arguments.get("filter", strawberry.UNSET)),
        period(arguments.get("on", strawberry.UNSET), arguments.get("during", strawberry.UNSET)),
        tuple(resource.sort_key[by_member[getattr(key, "value", key)]] for key in keys),
        bounded(arguments.get("first", strawberry.UNSET), maximum, default_first),
    )
