"""Everything that a plan needs before it can be printed: fetched level by level, for all records of a level at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql.pyutils import is_awaitable

from resolvers.columns import Read, reader
from resolvers.contracts import EntityId, Step
from resolvers.entity import Entity, Entry
from resolvers.steps.forward import entries_in_period, guarded, reference_id, visible_entries
from resolvers.steps.inverse import inverse, inverse_entries

from .context import Context
from .kinds import Back, Forward, Inverse, Part
from .plan import Attribute, Item, Resolved, Selection

Tables = dict[int, dict[Any, Any]]
"""Per item's number, what was found: by the id of the record it leads to (Forward, Back), else by its holder."""


def key_of(holder: object) -> object:
    """What a record, entry or other object is known by in the tables."""
    if isinstance(holder, Entity):
        return holder.id
    return id(holder.data) if isinstance(holder, Entry) else id(holder)


@dataclass(eq=False)
class Lookout:
    """Finds what is looked for. ``info_of`` makes graphql-core's info of a field that is asked through its resolver."""

    context: Context
    info_of: Any
    tables: Tables = field(default_factory=dict)
    kept: list[object] = field(default_factory=list)
    """What is known by its identity must stay alive."""
    _readers: dict[tuple[str, str], Read] = field(default_factory=dict)

    async def look(self, selection: Selection, holders: Sequence[Any]) -> None:
        """Find what the selection asks of these. Raises whatever a step or resolver raises."""
        if selection.records is not None:
            holders = list({holder.id: holder for holder in holders}.values())
        items = [item for item in selection.items if item.looked_for]
        if len(items) == 1:  # a task of its own would cost more than what is known already
            await self._item(selection, items[0], holders)
        else:
            await asyncio.gather(*(self._item(selection, item, holders) for item in items))

    async def _item(self, selection: Selection, item: Item, holders: Sequence[Any]) -> None:
        table = self.tables.setdefault(item.number, {})
        kind = item.kind
        if isinstance(kind, Forward):
            found = await self._forward(kind, selection, item, holders)
            table.update(found)
            below: Iterable[object] = found.values()
        elif isinstance(kind, Back):
            owners = await self.context.references(kind.relation.owner, [h.owner.id for h in holders], item.want)
            table.update((holder.owner.id, owners[holder.owner.id]) for holder in holders)
            below = table.values()
        else:
            if isinstance(kind, Part):
                values = await self._part(kind, selection, item, holders)
            elif isinstance(kind, Inverse):
                values = await self._inverse(kind, item, holders)
            elif isinstance(kind, Attribute):
                values = [getattr(holder, kind.name) for holder in holders]
            else:
                assert isinstance(kind, Resolved)
                values = await self._resolved(kind, item, holders)
            if not isinstance(kind, Attribute):
                table.update(zip(map(key_of, holders), values, strict=True))
            self.kept.append(values)
            below = values
        if item.below is not None and item.below.looked_for:
            await self.look(item.below, _flat(below))

    def _values(self, selection: Selection, column: str, holders: Sequence[Any]) -> Iterable[object]:
        if selection.records is None:
            return [holder.data.get(column) for holder in holders]
        key = (selection.records, column)
        read = self._readers.get(key)
        if read is None:
            operation = self.context.operation
            read = self._readers[key] = reader(operation, operation.federation.rules[selection.records], [column])
        return [read(holder)[0] for holder in holders]

    async def _forward(
        self, kind: Forward, selection: Selection, item: Item, holders: Sequence[Any]
    ) -> dict[EntityId, Entity | None]:
        operation = self.context.operation
        ids: dict[EntityId, None] = {}
        for value in self._values(selection, kind.column, holders):
            for each in (value if isinstance(value, list) else ()) if kind.many else (value,):
                found = reference_id(operation, kind.target, each)
                if found is not None:
                    ids[found] = None
        records = await self.context.references(kind.target, ids, item.want)
        return {id: records[id] for id in ids}

    async def _part(
        self, kind: Part, selection: Selection, item: Item, holders: Sequence[Any]
    ) -> list[list[Entry] | Entry | None]:
        values = list(self._values(selection, kind.column, holders))
        pairs = list(zip(holders, values, strict=True))
        if not kind.many:
            return [Entry(h.owner, kind.structure, v) if isinstance(v, dict) else None for h, v in pairs]
        operation = self.context.operation
        if not guarded(kind.structure):
            return [
                entries_in_period(operation, _entries(h, kind, v), item.period) if isinstance(v, list) else None
                for h, v in pairs
            ]
        want = item.want

        def step(owners: list[Entity]) -> Step[list[list[Entry]]]:
            listed = [(owner, owner.value(kind.column)) for owner in owners]
            return visible_entries(operation, kind.structure, listed, want)

        owners = [holder.owner for holder, value in pairs if isinstance(value, list)]
        found = await self.context.load_all(("entries", kind.column, kind.structure.name, want), owners, step)
        return [
            entries_in_period(operation, found[holder.owner], item.period) if isinstance(value, list) else None
            for holder, value in pairs
        ]

    async def _inverse(self, kind: Inverse, item: Item, holders: Sequence[Any]) -> list[Any]:
        operation, relation, asked, want = self.context.operation, kind.relation, item.selector, item.want
        assert asked is not None

        def records(parents: list[EntityId]) -> Step[list[list[Entity]]]:
            return inverse(operation, relation, parents, asked, want)

        def entries(parents: list[EntityId]) -> Step[list[list[Entry]]]:
            return inverse_entries(operation, relation, parents, asked, want)

        ids = [holder.id for holder in holders]
        found: Any
        if relation.back is None:
            found = await self.context.load_all(("inverse", relation.name, asked, want), ids, records)
        else:
            found = await self.context.load_all(("entries", relation.name, asked, want), ids, entries)
        return [found[id] for id in ids]

    async def _resolved(self, kind: Resolved, item: Item, holders: Sequence[Any]) -> list[Any]:
        resolve = kind.definition.resolve
        assert resolve is not None
        info = self.info_of(kind.parent, kind.definition, item.details)
        values: list[Any] = [resolve(holder, info, **kind.arguments) for holder in holders]
        waiting: list[tuple[int, Awaitable[Any]]] = [(n, v) for n, v in enumerate(values) if is_awaitable(v)]
        for (number, _), value in zip(waiting, await asyncio.gather(*(v for _, v in waiting)), strict=True):
            values[number] = value
        return values


def _entries(holder: Any, kind: Part, value: list[object]) -> list[Entry]:
    return [Entry(holder.owner, kind.structure, data) for data in value if isinstance(data, dict)]


def _flat(values: Iterable[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if isinstance(value, list):
            found += _flat(value)
        elif value is not None:
            found.append(value)
    return found
