"""Decorators that make GraphQL types out of declarations: schema files hold only what is derived beyond them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from gateway.execution.context import DERIVED
from gateway.execution.kinds import DisplayName, Identity
from resolvers.entity import Entity as Record
from resolvers.relations import RELATIONS
from sources.standard import RESOURCES
from sources.standard.common import META
from sources.standard.model import Property, Structure
from sources.standard.values import structures

from . import registry
from .fields import field, optional
from .inverses import back_field, back_fields, inverse_fields
from .naming import python_name
from .properties import property_fields
from .provenance import Provenance, provenance, raw_field
from .registry import lazy

T = TypeVar("T", bound=type)


Entity: Any = strawberry.interface(
    type(
        "Entity",
        (),
        {
            "__annotations__": {"id": strawberry.ID, "meta": optional(lazy("Meta")), "provenance": Provenance},
            "id": strawberry.field(description="The gateway's id: a UUID in lower case."),
            "meta": strawberry.field(description="When the record was created and last changed."),
            "provenance": strawberry.field(description="Where its facts come from."),
        },
    ),
    description="Everything that has an identity.",
)


def derived(*columns: str) -> Callable[[T], T]:
    """Marks a resolver with the columns it reads."""

    def mark(resolver: T) -> T:
        resolver.__columns__ = frozenset(columns)  # type: ignore[attr-defined]
        return resolver

    return mark


def _add(cls: type, fields: dict[str, Any]) -> None:
    for name, made in fields.items():
        setattr(cls, python_name(name), made)


def entity(name: str) -> Callable[[type], type]:
    """Makes a class the GraphQL type of a resource: adds its properties and its relations in both directions."""
    resource = RESOURCES[name]

    def make(cls: type) -> type:
        fields: dict[str, Any] = {}
        for prop in resource.properties:
            if prop.name not in ("id", "meta"):
                fields |= property_fields(prop)
        if "displayName" not in resource.columns:
            fields["displayName"] = _display_name(name)
        fields |= inverse_fields(name)
        fields["id"] = field(lambda self: self.id, strawberry.ID, name="id", doc=_id_doc(name), kind=Identity())
        fields["meta"] = _meta(name)
        fields["provenance"] = field(provenance, Provenance, name="provenance", doc="Where its facts come from.")
        fields["raw"] = raw_field()
        own = {attribute: value for attribute, value in vars(cls).items() if not attribute.startswith("__")}
        DERIVED[name] = {
            made.graphql_name or attribute: getattr(made.base_resolver.wrapped_func, "__columns__", frozenset())
            for attribute, made in own.items()
            if hasattr(made, "base_resolver")
        }
        made = type(
            name,
            (Entity,),
            {"__doc__": cls.__doc__, "is_type_of": classmethod(lambda _, record, info: _is(record, name))},
        )
        _add(made, fields)
        for attribute, value in own.items():
            setattr(made, attribute, value)
        described = f"{resource.doc} ({resource.swedish[:1].upper()}{resource.swedish[1:]}.)"
        type_ = strawberry.type(made, name=name, description=described)
        registry.register(name, type_)
        return type_

    return make


def _is(record: object, name: str) -> bool:
    return isinstance(record, Record) and record.resource.name == name


def _id_doc(name: str) -> str:
    resource = RESOURCES[name]
    if resource.has_id:
        return "The gateway's id: a UUID in lower case, the same in every participating system."
    return (
        f"The standard gives no id to a {name}: this is a UUIDv5 of {', '.join(resource.key)}, unless its source sends "
        "one."
    )


def _display_name(name: str) -> Any:
    columns = RESOURCES[name].display_name
    doc = f"A name to show: {' and '.join(columns)}." if columns else "A name to show; this type has none, so null."
    return field(
        lambda self: self.display_name(), optional(str), name="displayName", doc=doc, kind=DisplayName(columns)
    )


def _meta(name: str) -> Any:
    prop = RESOURCES[name].columns.get("meta", Property("meta", META, "None: the standard has no meta here."))
    return property_fields(prop)["meta"]


def structure(name: str) -> Callable[[type], type]:
    """Makes a class the GraphQL type of a structure, with further fields of its own."""
    of = next(each for each in structures() if each.name == name)

    def make(cls: type) -> type:
        own = {attribute: value for attribute, value in vars(cls).items() if not attribute.startswith("__")}
        return structure_type(of, own)

    return make


def structure_type(of: Structure, own: dict[str, Any] | None = None) -> type:
    fields: dict[str, Any] = {}
    for prop in of.properties:
        fields |= property_fields(prop)
    fields |= back_fields(of)
    made = type(of.name, (), {})
    _add(made, fields)
    for attribute, value in (own or {}).items():
        setattr(made, attribute, value)
    type_ = strawberry.type(made, name=of.name, description=of.doc)
    registry.register(of.name, type_)
    return type_


def remaining_structures() -> None:
    """The types of all structures that no schema file adds anything to, and of the entries of renamed inverses."""
    for each in structures():
        if not hasattr(registry, each.name):
            structure_type(each)
    for relation in RELATIONS:
        if relation.entry_name is not None and relation.entry is not None:
            fields: dict[str, Any] = {}
            for prop in relation.entry.properties:
                if prop.name != relation.path[-1]:
                    fields |= property_fields(prop)
            assert relation.back is not None
            fields[relation.back] = back_field(relation)
            made = type(relation.entry_name, (), {})
            _add(made, fields)
            type_ = strawberry.type(made, name=relation.entry_name, description=relation.doc)
            registry.register(relation.entry_name, type_)


__all__ = ["Entity", "derived", "entity", "lazy", "remaining_structures", "structure"]
