"""What one operation's resolvers share: the operation, and a loader per relation, arguments and want."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from graphql import FieldNode
from strawberry.dataloader import DataLoader

from resolvers.completeness import Gaps
from resolvers.contracts import EntityId, Step, Want
from resolvers.driver import at_once, run
from resolvers.entity import Entity
from resolvers.operation import Operation
from resolvers.steps.forward import references
from resolvers.trace import fetching_for
from resolvers.want import want

from .batches import Batch, Known
from .selection import Children, ResolveInfo, children

if TYPE_CHECKING:
    from gateway.explain.explained import Explained

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

DERIVED: dict[str, dict[str, frozenset[str]]] = {}
"""Per type, the columns that its derived fields read; filled by the schema's type decorators."""


@dataclass(slots=True, eq=False)
class Logical:
    """What a document says with given values of @skip and @include, as far as it has been read.

    It depends on nothing else, and so may be kept for the next execution of the same document; its nodes are the keys.
    """

    selections: dict[Hashable, Children] = field(default_factory=dict)
    wants: dict[Hashable, Want] = field(default_factory=dict)
    fields: dict[Hashable, tuple[object, Any]] = field(default_factory=dict)
    """graphql-core's groups of fields; with what makes up the key, which is known by its identity."""
    roots: dict[int, tuple[object, Any]] = field(default_factory=dict)
    """The operation's own fields, by the identity of their group of nodes."""
    plans: dict[Hashable, Any] = field(default_factory=dict)
    """Selections as they are planned, by type and by the identity of their group of fields."""
    checked: set[Hashable] = field(default_factory=set)
    """Root fields below which all arguments stand in the document, and are right."""


class Context:
    """The context value of one GraphQL operation."""

    def __init__(self, operation: Operation, logical: Logical | None = None) -> None:
        self.operation = operation
        self.explained: Explained | None = None
        """What the client wants to see of how the operation is executed; None: nothing."""
        self.logical = Logical() if logical is None else logical
        self.in_pieces = False
        """Whether whoever prints the answer takes lists as ``pages.Pieces``."""
        self.pages: Any = None
        """What takes over the records of the one list that is asked for next (``pages.Pages``), page by page."""
        self.nulls: dict[tuple[str, str], tuple[str | int, ...]] = {}
        """Per source and code of a gap, the path of a root field that is null because of it."""
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}
        self._kept: list[object] = []
        self._batches: dict[Hashable, Batch[Any, Any]] = {}

    def null_because(self, gaps: Gaps, path: Sequence[str | int]) -> None:
        for gap in gaps.all():
            self.nulls.setdefault((gap.source, gap.code), tuple(path))

    def fetching_for(self, *path: str) -> AbstractContextManager[None]:
        """What is fetched inside is noted as being for a field of the query, where somebody wants to see it."""
        return nullcontext() if self.operation.trace is None else fetching_for([path])

    def keep(self, found: object) -> None:
        """Keep something alive as long as the operation: what is known by its identity."""
        self._kept.append(found)

    def load(self, key: Hashable, item: K, step: Callable[[list[K]], Step[Sequence[V]]]) -> Awaitable[V]:
        """The value of one item, fetched together with all others that are asked for under the same key."""
        known = self._batches.get(key)
        if known is not None and item in known.values:
            return Known(known.values[item])
        loader = self._loaders.get(key)
        if loader is None:

            async def batch(items: list[K]) -> Sequence[V]:
                return await run(self.operation, step(items))

            loader = self._loaders[key] = DataLoader(load_fn=batch)
        self.operation.rounds.patiently()
        return cast("Awaitable[V]", loader.load(item))

    def load_all(
        self, key: Hashable, items: Iterable[K], step: Callable[[list[K]], Step[Sequence[V]]]
    ) -> Awaitable[Mapping[K, V]]:
        """The values of many items, under the same keys as ``load``."""
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = Batch(self.operation, step)
        return cast("Awaitable[Mapping[K, V]]", batch.all(items))

    def references(
        self, target: str, ids: Iterable[EntityId], asked: Want
    ) -> Awaitable[Mapping[EntityId, Entity | None]]:
        """The records referred to; None where the policy hides one."""
        if not asked.everything and not asked.columns and not self.operation.federation.policy.columns(target):
            ids = list(ids)
            found = at_once(references(self.operation, target, ids, asked))
            if found is not None:
                return Known(dict(zip(ids, found, strict=True)))
        return self.load_all(
            ("reference", target, asked), ids, lambda ids: references(self.operation, target, ids, asked)
        )

    def reference(self, target: str, id: EntityId, asked: Want) -> Awaitable[Entity | None]:
        """The record referred to; None where the policy hides it."""
        return self.load(("reference", target, asked), id, lambda ids: references(self.operation, target, ids, asked))

    def selection(self, info: ResolveInfo, nodes: Sequence[FieldNode]) -> Children:
        key = tuple(id(node) for node in nodes)
        found = self.logical.selections.get(key)
        if found is None:
            found = self.logical.selections[key] = children(info, nodes)
        return found

    def want(self, resource: str, info: ResolveInfo, nodes: Sequence[FieldNode]) -> Want:
        """What is asked of ``resource`` by the selections below ``nodes``."""
        key = (resource, tuple(id(node) for node in nodes))
        found = self.logical.wants.get(key)
        if found is None:
            derived: Mapping[str, frozenset[str]] = DERIVED.get(resource, {})
            selected = self.selection(info, nodes)
            below = {
                name: self.selection(info, each)
                for name, each in selected.items()
                if any(node.selection_set for node in each) and not any(node.arguments for node in each)
            }
            found = self.logical.wants[key] = want(resource, selected, derived, below)
        return found
