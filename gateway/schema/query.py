"""The query type: root fields of every resource, the sources, and what they deleted."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionContext

from gateway.explain.admission import Admission
from resolvers.cost import Deletions
from resolvers.deleted import deleted
from sources.standard import RESOURCES
from sources.standard.feeds import ENTITY_TYPE

from . import activity, attendance, duty, facility, grade, group, organisation, person, placement, study
from .connection import GapEntry, gap_entry, root_fields
from .enums import enumeration
from .fields import field, optional, optional_list
from .naming import python_name
from .properties import context_of
from .scalars import SCALARS, DateTime
from .types import remaining_structures

AREAS = (activity, attendance, duty, facility, grade, group, organisation, person, placement, study)
"""The modules that make the types of the resources."""


@strawberry.type(description="A configured source.")
class Source:
    name: str = strawberry.field(description="Its name in the configuration.")
    resources: list[str] = strawberry.field(description="The resources that it serves, by their type's name.")


@strawberry.type(description="A record that a source says it deleted.")
class DeletedEntity:
    source: str = strawberry.field(description="The source. Others may still have the record.")
    resource: str = strawberry.field(description="The kind of record, by its type's name.")
    id: strawberry.ID = strawberry.field(description="The record's id.")


@strawberry.type(description="What sources deleted.")
class DeletedEntities:
    nodes: list[DeletedEntity] = strawberry.field(description="The deleted records.")
    complete: bool = strawberry.field(description="Whether every source answered.")
    gaps: list[GapEntry] = strawberry.field(description="The sources that did not.")


def _sources(self: object, info: Any) -> list[Source]:
    federation = context_of(info).operation.federation
    return [
        Source(
            name=name,
            resources=[resource for resource in RESOURCES if resource in source.capabilities.resources],
        )
        for name, source in federation.sources.items()
    ]


async def _deleted(
    self: object, info: Any, after: object = strawberry.UNSET, resources: object = strawberry.UNSET
) -> DeletedEntities:
    kinds = enumeration(ENTITY_TYPE).members
    names = [name for name, kind in kinds.items() if kind in resources] if isinstance(resources, list) else None
    since = after if isinstance(after, str) else None
    found, gaps = await deleted(context_of(info).operation, since, names)
    return DeletedEntities(
        nodes=[DeletedEntity(source=each.source, resource=each.resource, id=strawberry.ID(each.id)) for each in found],
        complete=not gaps,
        gaps=[gap_entry(gap) for gap in gaps],
    )


class Schema(strawberry.Schema):
    """Strawberry's schema without its logging, which writes messages and the query: both can hold personal data."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """``gateway.execution.http`` logs errors, without values."""


def build_schema(
    execution: type[StrawberryGraphQLCoreExecutionContext] | None = None, of: type[Schema] = Schema
) -> Schema:
    """The GraphQL schema of the whole standard. It does not depend on the configuration.

    ``execution``: what executes operations instead of Strawberry's own executor. ``of``: the class of the schema.
    """
    remaining_structures()
    fields: dict[str, Any] = {}
    for resource in RESOURCES.values():
        fields |= root_fields(resource)
    entity_type = enumeration(ENTITY_TYPE).type
    fields["sources"] = field(
        _sources, list[Source], name="sources", doc="The configured sources, in the order of the configuration.",
        info=True,
    )  # fmt: skip
    fields["deletedEntities"] = field(
        _deleted,
        DeletedEntities,
        name="deletedEntities",
        doc="Records that sources say they deleted; another source may still have them.",
        info=True,
        leading=lambda given, limits: (Deletions(),),
        arguments={
            "after": ("after", optional(DateTime), "Deleted later than this instant (exclusive).", strawberry.UNSET),
            "resources": ("entities", optional_list(entity_type), "Only records of these kinds.", strawberry.UNSET),
        },
    )
    query = type("Query", (), {})
    for name, made in fields.items():
        setattr(query, python_name(name), made)
    return of(
        strawberry.type(query, description="One view of all that the school authority's systems hold."),
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=execution,
        extensions=[Admission],
    )
