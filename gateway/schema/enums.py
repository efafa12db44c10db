"""The standard's enumerations as GraphQL enums, with UNRECOGNISED for what a source invents."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cache
from typing import Any

import strawberry
from strawberry.types.enum import EnumValueDefinition

from sources.standard import RESOURCES
from sources.standard.model import Enumeration

from .naming import constant, enum_name

UNRECOGNISED = "UNRECOGNISED"


@dataclass(frozen=True)
class Enum:
    """A GraphQL enum and its ways to and from the standard's spelling."""

    type: type[enum.Enum]
    members: dict[str, enum.Enum]
    """By the standard's spelling."""

    def member(self, text: object) -> enum.Enum | None:
        """The value for what a source sent; UNRECOGNISED for a spelling that the standard does not know."""
        if text is None:
            return None
        return self.members.get(str(text)) or self.type[UNRECOGNISED]


def _enum(name: str, doc: str, values: dict[str, EnumValueDefinition]) -> type[enum.Enum]:
    made: Any = enum.Enum(name, values)  # type: ignore[misc]
    type_: type[enum.Enum] = strawberry.enum(made, name=name, description=doc)
    return type_


@cache
def enumeration(of: Enumeration) -> Enum:
    """The GraphQL enum of an enumeration; the same object each time."""
    values: dict[str, EnumValueDefinition] = {
        enum_name(value): strawberry.enum_value(value, description=value) for value in of.values
    }
    assert len(values) == len(of.values), f"{of.name}: two values have the same GraphQL name"
    values[UNRECOGNISED] = strawberry.enum_value(
        UNRECOGNISED, description="A value that the standard does not know; the field's text has what the source sent."
    )
    made = _enum(of.name, of.doc, values)
    return Enum(made, {value: made[enum_name(value)] for value in of.values})


@cache
def order(resource_name: str) -> Enum:
    """The GraphQL enum of a resource's sort keys; values are the sort keys' exact spellings."""
    resource = RESOURCES[resource_name]
    values: dict[str, EnumValueDefinition] = {
        constant(key.name): strawberry.enum_value(key.name, description=f"The standard's sortkey {key.name}.")
        for key in resource.sort_keys
    }
    made = _enum(f"{resource.name}Order", f"What {resource.plural} can be sorted by.", values)
    return Enum(made, {key.name: made[constant(key.name)] for key in resource.sort_keys})
