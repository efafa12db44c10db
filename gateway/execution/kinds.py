"""What a GraphQL field reads, as data: so that a plan can read it of many records at once, without its resolver.

A field of no kind is asked through its resolver, record by record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from resolvers.contracts import Limits, Period, Selector
from resolvers.relations import Relation
from sources.standard.model import Structure


class Form(Enum):
    """What must be in a column, and what is printed of it."""

    TEXT = auto()
    INTEGER = auto()
    BOOLEAN = auto()
    ENUM = auto()
    ENUM_TEXT = auto()


@dataclass(frozen=True)
class Leaf:
    """A value of a record or entry, or (of texts and enumerations) several.

    ``names``: of an enumeration, GraphQL's name for each of the standard's values.
    """

    column: str
    form: Form
    many: bool = False
    names: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Identity:
    """The id of a record."""


@dataclass(frozen=True)
class DisplayName:
    """The name of a record, by the one rule of its type."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Forward:
    """The record that a reference leads to, or the records."""

    column: str
    target: str
    many: bool = False


@dataclass(frozen=True)
class Part:
    """An object without id in a record, or a list of such. ``checked`` reads the arguments, where there are any."""

    column: str
    structure: Structure
    many: bool = False
    checked: Callable[[Mapping[str, object], Limits], Period | None] | None = None


@dataclass(frozen=True)
class Inverse:
    """What refers to a record: records, or the entries in them. ``checked`` reads the arguments."""

    relation: Relation
    checked: Callable[[Mapping[str, object], Limits], Selector]


@dataclass(frozen=True)
class Back:
    """The record that an entry stands in."""

    relation: Relation


Kind = Leaf | Identity | DisplayName | Forward | Part | Inverse | Back

_KINDS: dict[Callable[..., Any], Kind] = {}


def register(resolver: Callable[..., Any], kind: Kind) -> None:
    """Say what the field of a resolver reads."""
    _KINDS[resolver] = kind


def kind_of(definition: Any) -> Kind | None:
    """The kind of a Strawberry field."""
    resolver = definition.base_resolver
    return None if resolver is None else _KINDS.get(resolver.wrapped_func)
