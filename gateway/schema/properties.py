"""The properties of records and structures as GraphQL fields, made from the declarations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import strawberry
from strawberry.schema_directive import Location

from gateway.execution.context import Context
from gateway.execution.kinds import Form, Forward, Leaf, Part
from resolvers.contracts import Limits, Period, Step, Want
from resolvers.dated import dated
from resolvers.entity import Entity, Entry
from resolvers.steps.forward import entries_in_period, guarded, reference_id, visible_entries
from resolvers.want import TEXT
from sources.standard.model import Enumeration, Property, Reference, Scalar, Structure

from .enums import enumeration
from .fields import field, optional, optional_list
from .inputs import DateRange, period
from .registry import lazy
from .scalars import BY_KIND, Date

Holder = Entity | Entry
"""What a property is read from."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The standard requires this property. Sources leave it out all the same, so it can be null.",
)
class Required:
    pass


ON_AND_DURING: dict[str, tuple[str, Any, str, object]] = {
    "on": (
        "on",
        optional(Date),
        "Only what holds on this day; without on and during: all that sources hold.",
        strawberry.UNSET,
    ),
    "during": ("during", optional(DateRange), "Only what holds on at least one day of this period.", strawberry.UNSET),
}


def property_fields(prop: Property) -> dict[str, Any]:
    """The fields of one property, by name: the property itself, and its text beside an enumeration."""
    directives = [Required()] if prop.required and prop.name != "id" else []
    kind = prop.type
    if isinstance(kind, Enumeration):
        return _enumeration(prop, kind, directives)
    if isinstance(kind, Reference):
        return {prop.name: _reference(prop, kind, directives)}
    if isinstance(kind, Structure):
        return {prop.name: _structure(prop, kind, directives)}
    return {prop.name: _scalar(prop, kind, directives)}


_INT32 = range(-(2**31), 2**31)


def _scalar(prop: Property, kind: Scalar, directives: list[Any]) -> Any:
    name = prop.name

    def one(self: Holder) -> object:
        return self.value(name)

    def integer(self: Holder) -> object:
        value = self.value(name)
        return value if isinstance(value, int) and value in _INT32 else None

    resolver = integer if kind is Scalar.INTEGER else one
    type_ = BY_KIND[kind]
    returns = optional_list(type_) if prop.many else optional(type_)
    form = _FORMS.get(kind, Form.TEXT)
    leaf = Leaf(name, form, prop.many) if form is Form.TEXT or not prop.many else None
    return field(resolver, returns, name=name, doc=prop.doc, directives=directives, kind=leaf)


_FORMS = {Scalar.INTEGER: Form.INTEGER, Scalar.BOOLEAN: Form.BOOLEAN}


def _enumeration(prop: Property, kind: Enumeration, directives: list[Any]) -> dict[str, Any]:
    name = prop.name
    known = enumeration(kind)

    def many(self: Holder) -> object:
        value = self.value(name)
        return [known.member(each) for each in value if each is not None] if isinstance(value, list) else None

    def one(self: Holder) -> object:
        return known.member(self.value(name))

    def texts(self: Holder) -> object:
        value = self.value(name)
        return [str(each) for each in value if each is not None] if isinstance(value, list) else None

    def text(self: Holder) -> object:
        value = self.value(name)
        return None if value is None else str(value)

    wrap = optional_list if prop.many else optional
    names = {text: member.name for text, member in known.members.items()}
    return {
        name: field(
            many if prop.many else one,
            wrap(known.type),
            name=name,
            doc=prop.doc,
            directives=directives,
            kind=Leaf(name, Form.ENUM, prop.many, names),
        ),
        name + TEXT: field(
            texts if prop.many else text,
            wrap(str),
            name=name + TEXT,
            doc=f"{name} in the standard's spelling, or as the source sent it.",
            kind=Leaf(name, Form.ENUM_TEXT, prop.many),
        ),
    }


def context_of(info: Any) -> Context:
    context = info.context
    assert isinstance(context, Context)
    return context


def _reference(prop: Property, kind: Reference, directives: list[Any]) -> Any:
    name, target = prop.name, kind.target

    def one(self: Holder, info: Any) -> object:
        return follow(info, target, self.value(name))

    def many(self: Holder, info: Any) -> object:
        value = self.value(name)
        return follow_all(info, target, value) if isinstance(value, list) else None

    returns = optional_list(lazy(target)) if prop.many else optional(lazy(target))
    return field(
        many if prop.many else one,
        returns,
        name=name,
        doc=prop.doc,
        info=True,
        directives=directives,
        kind=Forward(name, target, prop.many),
    )


def follow(info: Any, target: str, reference: object) -> Awaitable[Entity | None] | None:
    """The record that a reference object leads to."""
    context = context_of(info)
    found = reference_id(context.operation, target, reference)
    if found is None:
        return None
    return context.reference(target, found, context.want(target, info._raw_info, info._raw_info.field_nodes))


async def follow_all(info: Any, target: str, references: list[object]) -> list[Entity]:
    """The records that a list of reference objects leads to, without hidden ones."""
    found = await asyncio.gather(
        *(followed for each in references if (followed := follow(info, target, each)) is not None)
    )
    return [entity for entity in found if entity is not None]


def _structure(prop: Property, kind: Structure, directives: list[Any]) -> Any:
    name = prop.name
    type_ = lazy(kind.name)
    if not prop.many:

        def one(self: Holder) -> object:
            value = self.value(name)
            return Entry(self.owner, kind, value) if isinstance(value, Mapping) else None

        return field(one, optional(type_), name=name, doc=prop.doc, directives=directives, kind=Part(name, kind))
    how = dated(kind)
    arguments = ON_AND_DURING if how is not None and how.days else None

    def many(self: Holder, info: Any, on: object = strawberry.UNSET, during: object = strawberry.UNSET) -> object:
        value = self.value(name)
        if not isinstance(value, list):
            return None
        asked = period(on, during)
        if guarded(kind):
            return _guarded(self, info, kind, name, asked)
        entries = [Entry(self.owner, kind, data) for data in value if isinstance(data, Mapping)]
        return entries_in_period(self.owner.operation, entries, asked)

    def checked(given: Mapping[str, object], limits: Limits) -> Period | None:
        return period(given.get("on", strawberry.UNSET), given.get("during", strawberry.UNSET))

    return field(
        many,
        optional_list(type_),
        name=name,
        doc=prop.doc,
        info=True,
        arguments=arguments,
        directives=directives,
        check=checked if arguments else None,
        kind=Part(name, kind, many=True, checked=checked if arguments else None),
    )


async def _guarded(holder: Holder, info: Any, kind: Structure, name: str, asked: Period | None) -> list[Entry]:
    """Entries that name persons: those of protected persons are left out."""
    context = context_of(info)
    people = Want()
    selection = context.selection(info._raw_info, info._raw_info.field_nodes)
    for guard in guarded(kind):
        nodes = selection.get(guard.name)
        if nodes:
            people |= context.want("Person", info._raw_info, nodes)
    operation = context.operation

    def step(owners: list[Entity]) -> Step[list[list[Entry]]]:
        return visible_entries(operation, kind, [(owner, owner.value(name)) for owner in owners], people)

    entries = await context.load(("entries", name, kind.name, people), holder.owner, step)
    return entries_in_period(operation, entries, asked)
