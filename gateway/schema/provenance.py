"""Where a record's facts come from."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.scalars import JSON

from resolvers import merge
from resolvers.entity import Entity
from resolvers.errors import Code, Refused
from sources.records import Row

from .fields import field, optional
from .scalars import DateTime


@strawberry.type(description="A source that has the record.")
class ProvenanceSource:
    name: str = strawberry.field(description="The source's name in the configuration.")
    id: strawberry.ID = strawberry.field(description="The id by which the source knows the record.")
    matched_by: str = strawberry.field(description="How the source's record was found to be this one, e.g. id.")
    fetched_at: DateTime = strawberry.field(description="When the source gave it.")
    from_cache: bool = strawberry.field(description="Whether it was read from the gateway's cache.")


@strawberry.type(description="The source of a property's value; a united list has one entry per contributing source.")
class ProvenanceField:
    name: str = strawberry.field(description="The property.")
    source: str = strawberry.field(description="The source that its value comes from.")


@strawberry.type(description="A property of which a source says something else than the value shown.")
class ProvenanceConflict:
    field: str = strawberry.field(description="The property.")
    source: str = strawberry.field(description="The source that says something else.")


@strawberry.type(description="Where a record's facts come from.")
class Provenance:
    sources: list[ProvenanceSource] = strawberry.field(description="The sources that have the record, in order.")
    fields: list[ProvenanceField] = strawberry.field(description="The source of each property that has a value.")
    conflicts: list[ProvenanceConflict] = strawberry.field(
        description="Where sources that are heard for a property say something else than its value, or have another "
        "content of the same entry of a united list. A source that says nothing is in no conflict."
    )
    issues: list[str] = strawberry.field(
        description="What is wrong with the record: dangling (it is referred to but found nowhere), or per source and "
        "property what could not be used of it."
    )


def provenance(entity: Entity) -> Provenance:
    """The provenance of a completed record, with all its servers heard."""
    rows = [(source, row) for source in entity.applied.servers if (row := entity.row(source)) is not None]
    issues = [] if entity.exists else ["dangling"]
    issues += [f"{source}: {issue}" for source, row in rows for issue in row.slab.issues.get(row.index, ())]
    return Provenance(
        sources=[
            ProvenanceSource(
                name=source,
                id=strawberry.ID(row.local_id),
                matched_by=_matched_by(entity, row),
                fetched_at=DateTime(row.slab.fetched_at.isoformat()),
                from_cache=row.slab.from_cache,
            )
            for source, row in rows
        ],
        fields=[
            ProvenanceField(name=column, source=source)
            for column in entity.resource.columns
            if column != "id" and entity.value(column) is not None
            for source in merge.contributors(entity, column)
        ],
        conflicts=[
            ProvenanceConflict(field=column, source=source)
            for column in entity.resource.columns
            if column != "id"
            for source in merge.conflicts(entity, column)
        ],
        issues=issues,
    )


def _matched_by(entity: Entity, row: Row) -> str:
    known = entity.operation.identified(entity.resource.name)
    return "id" if known is None else known.matched_by(row.source, row.local_id)


def raw(entity: Entity, source: str) -> object:
    """The record as one source sent it. Raises Refused where the configuration does not allow it."""
    federation = entity.operation.federation
    if not federation.raw:
        raise Refused(Code.RAW_DISABLED, "raw is off; the configuration can turn it on (raw: true).")
    if source not in federation.sources:
        raise Refused(Code.UNKNOWN_SOURCE, "No source of this name is configured.")
    row = entity.row(source)
    return None if row is None else row.slab.raw(row.index)


def raw_field() -> Any:
    def resolve(self: Entity, source: str) -> object:
        return raw(self, source)

    from inspect import Parameter

    return field(
        resolve,
        optional(JSON),
        name="raw",
        doc="The record as one source sent it, for finding faults. Off unless configured.",
        arguments={"source": ("source", str, "The source's name.", Parameter.empty)},
    )
