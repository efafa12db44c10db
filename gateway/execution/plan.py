"""What a selection asks of the objects it is made on, as a tree that is read once for all of them.

Fields are collected by graphql-core's own rules (fragments, aliases, @skip, @include); what a field reads is said by
its kind, and a field without one is asked through its resolver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    get_argument_values,
    get_named_type,
    is_leaf_type,
)
from strawberry.types.arguments import convert_arguments

from resolvers.contracts import Period, Selector, Want
from resolvers.steps.forward import guarded
from sources.standard import RESOURCES

from .context import Context
from .kinds import Back, Forward, Identity, Inverse, Kind, Part, kind_of
from .selection import ResolveInfo, variables, varies


class Unplanned(Exception):
    """Something that a plan does not cover: graphql-core does it."""


class Collector(Protocol):
    """graphql-core's executor, as far as it is needed here."""

    def collect_subfields(self, return_type: GraphQLObjectType, field_details_list: Any) -> Any: ...


@dataclass(frozen=True)
class Attribute:
    """A plain attribute of an object that is no record (a connection, a page)."""

    name: str


@dataclass(frozen=True)
class Resolved:
    """A field that is asked through its resolver."""

    parent: GraphQLObjectType
    definition: GraphQLField
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Typename:
    pass


@dataclass(eq=False)
class Item:
    """One field of the answer. ``number``: where what was found for it stands, in the order of the plan.

    ``want``: what is asked of the records it leads to; ``period``, ``selector``: its arguments; ``details``: its nodes,
    as graphql-core groups them. ``declared``: its field, where the operation's variables stand in its arguments.
    """

    number: int
    key: str
    kind: Kind | Attribute | Resolved | Typename
    type: GraphQLOutputType | None = None
    below: Selection | None = None
    want: Want = field(default_factory=Want)
    period: Period | None = None
    selector: Selector | None = None
    details: Any = None
    declared: GraphQLField | None = None
    bare: bool = False
    """Of records referred to, nothing is asked but what the references themselves say."""

    @property
    def varies(self) -> bool:
        """Whether it is another with other values of the operation's variables."""
        return self.declared is not None or (self.below is not None and self.below.varies)

    @cached_property
    def looked_for(self) -> bool:
        """Whether something must be found before the item can be printed: records, or entries that may be shown."""
        kind = self.kind
        if isinstance(kind, Part):
            deeper = self.below is not None and self.below.looked_for
            return deeper or self.period is not None or (kind.many and bool(guarded(kind.structure)))
        if isinstance(kind, Forward):
            return not self.bare
        if isinstance(kind, Attribute):
            return self.below is not None
        return isinstance(kind, Inverse | Back | Resolved)


@dataclass(eq=False)
class Selection:
    """The fields of one object. ``records``: the resource, if it is a record; None for entries and other objects."""

    type: GraphQLObjectType
    items: list[Item] = field(default_factory=list)
    programs: dict[tuple[bool | str, ...], Any] = field(default_factory=dict)
    """What prints it (``printing.Program``), by which items are looked for; shared with what is bound of it."""

    @property
    def records(self) -> str | None:
        return self.type.name if self.type.name in RESOURCES else None

    @cached_property
    def looked_for(self) -> bool:
        return any(item.looked_for for item in self.items)

    @cached_property
    def varies(self) -> bool:
        """Whether it is another with other values of the operation's variables."""
        return any(item.varies for item in self.items)


@dataclass(eq=False)
class Planner:
    """Makes the plan of one selection, in one operation."""

    collector: Collector
    context: Context
    info: ResolveInfo
    schema: Any
    _count: int = 0

    def select(self, of: GraphQLObjectType, details: Any) -> Selection:
        """The selection on objects of a type. Raises Unplanned, and Refused for arguments that cannot be asked with."""
        made = Selection(of)
        collected = self.collector.collect_subfields(of, details)
        for key, inner in collected.grouped_field_set.items():
            made.items.append(self._item(of, key, inner))
        return made

    def bind(self, selection: Selection) -> Selection:
        """A selection that was made before, with this operation's variables. Raises what ``select`` raises."""
        if not selection.varies:
            return selection
        return Selection(
            selection.type, [self._bound(selection.type, item) for item in selection.items], selection.programs
        )

    def _bound(self, of: GraphQLObjectType, item: Item) -> Item:
        if not item.varies:
            return item
        made = replace(item)
        if made.below is not None:
            made.below = self.bind(made.below)
        if made.declared is not None:
            nodes = [each.node for each in made.details]
            definition: Any = made.declared.extensions["strawberry-definition"]
            if isinstance(made.kind, Resolved):
                made.kind = self._other(of, made.declared, definition, nodes[0])
            self._arguments(made, made.declared, definition, nodes)
        return made

    def _item(self, of: GraphQLObjectType, key: str, details: Any) -> Item:
        number, self._count = self._count, self._count + 1
        nodes = [each.node for each in details]
        name = nodes[0].name.value
        if name == "__typename":
            return Item(number, key, Typename(), details=details)
        declared = of.fields.get(name)
        if declared is None:
            raise Unplanned(name)
        definition: Any = declared.extensions.get("strawberry-definition")
        if definition is None:
            raise Unplanned(name)
        kind = kind_of(definition)
        item = Item(
            number, key, kind or self._other(of, declared, definition, nodes[0]), declared.type, details=details
        )
        if varies(nodes[0]):
            item.declared = declared
        named = get_named_type(declared.type)
        if isinstance(named, GraphQLObjectType):
            item.below = self.select(named, details)
        elif not is_leaf_type(named):
            raise Unplanned(name)
        self._arguments(item, declared, definition, nodes)
        return item

    def _other(
        self, of: GraphQLObjectType, declared: GraphQLField, definition: Any, node: FieldNode
    ) -> Attribute | Resolved:
        if definition.base_resolver is None and not definition.extensions and not definition.permission_classes:
            return Attribute(definition.python_name)
        return Resolved(of, declared, get_argument_values(declared, node, variables(self.info)))

    def _arguments(self, item: Item, declared: GraphQLField, definition: Any, nodes: Sequence[FieldNode]) -> None:
        kind = item.kind
        if isinstance(kind, Forward):
            item.want = self._want(kind.target, nodes)
            item.bare = self._bare(kind, item)
        elif isinstance(kind, Back):
            item.want = self._want(kind.relation.owner, nodes)
        elif isinstance(kind, Part) and kind.many:
            if kind.checked is not None:
                limits = self.context.operation.federation.limits
                item.period = kind.checked(self._given(declared, definition, nodes[0]), limits)
            item.want = self._people(kind, nodes)
        elif isinstance(kind, Inverse):
            limits = self.context.operation.federation.limits
            item.selector = kind.checked(self._given(declared, definition, nodes[0]), limits)
            back = kind.relation.back
            below = nodes if back is None else self.context.selection(self.info, nodes).get(back, [])
            item.want = self._want(kind.relation.owner, below) if below else Want()

    def _bare(self, kind: Forward, item: Item) -> bool:
        """Whether the id alone is printed, and no more need be known in order to show it."""
        assert item.below is not None
        known = all(isinstance(each.kind, Identity | Typename) for each in item.below.items)
        return known and not self.context.operation.federation.policy.columns(kind.target)

    def _people(self, kind: Part, nodes: Sequence[FieldNode]) -> Want:
        """What is asked of the persons whom guarded entries name: they are fetched only once."""
        wanted = Want()
        selected = self.context.selection(self.info, nodes)
        for guard in guarded(kind.structure):
            if guard.name in selected:
                wanted |= self._want("Person", selected[guard.name])
        return wanted

    def _want(self, resource: str, nodes: Sequence[FieldNode]) -> Want:
        return self.context.want(resource, self.info, nodes)

    def _given(self, declared: GraphQLField, definition: Any, node: FieldNode) -> Mapping[str, object]:
        if not declared.args:
            return {}
        found: Mapping[str, object] = convert_arguments(
            get_argument_values(declared, node, variables(self.info)),
            definition.arguments,
            scalar_registry=self.schema.schema_converter.scalar_registry,
            config=self.schema.config,
        )
        return found
