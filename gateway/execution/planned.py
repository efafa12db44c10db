"""Execution by plan: records are completed all at once, not one coroutine and one future per value.

graphql-core goes on to execute the operation; where it comes to complete records, the plan of their selection does
that: it finds everything below them level by level, and prints it. What the plan does not cover, and what graphql-core
might print otherwise, graphql-core completes, from the same rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    VariableValues,
    default_field_resolver,
    default_type_resolver,
    get_named_type,
)
from graphql.execution.collect_fields import collect_fields
from graphql.execution.executor import SELECTIONS_NESTED_TOO_DEEPLY
from graphql.pyutils import is_awaitable
from strawberry.execution import optimized_is_awaitable
from strawberry.schema import Schema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import ExecutionResult

from resolvers.errors import Refused
from sources.standard import RESOURCES

from .context import Context
from .lookout import Lookout
from .pages import Pages, Pieces
from .plan import Planner, Selection, Unplanned
from .prepared import Prepared
from .printing import FAILED, PrintAll, entry_types, page_printer, printer
from .root import RootField, root_field

PAGE = 250
"""Records that are printed in one turn of the event loop."""


class PlannedExecution(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with plans for records."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        if isinstance(self.context_value, Context):
            self.context_value.operation.rounds.patience = 0  # plans tell when they wait
        return super().execute_operation(serially)

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Any, position_context: Any
    ) -> Any:
        if path.prev is None and isinstance(self.context_value, Context):
            field = self._root_field(parent_type, field_details_list)
            if field is not None:
                return self._asked(field, parent_type, field_details_list, path)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def _root_field(self, of: GraphQLObjectType, details: Any) -> RootField | None:
        known = self.context_value.logical.roots.get(id(details))
        if known is None:
            try:
                made = root_field(self._strawberry, of, [each.node for each in details])
            except GraphQLError:
                return None
            known = self.context_value.logical.roots[id(details)] = (details, made)
        found: RootField | None = known[1]
        return found

    async def _asked(self, field: RootField, of: GraphQLObjectType, details: Any, path: Any) -> Any:
        returns = field.declared.type
        try:
            info = self.build_resolve_info(field.declared, [*field.nodes], of, path)
            if self.context_value.in_pieces and self._alone(of):
                self.context_value.pages = self._pages(returns, details, info)
            value = await _awaited(field.ask(self._strawberry, info, self.variable_values))
            return await _awaited(self.complete_value(returns, details, info, path, value, None))
        except Exception as failure:  # noqa: BLE001  # as graphql-core does it
            self.handle_field_error(failure, returns, details, path)
            return None

    def _alone(self, root: GraphQLObjectType) -> bool:
        """Whether the operation asks for one thing, so that nothing else comes upon its records."""
        return len(self.collect_root(root)) == 1

    def _pages(self, connection: Any, details: Any, info: Any) -> Pages | None:
        """What prints the records of a connection as they come; None where they are needed for more."""
        if not isinstance(connection, GraphQLObjectType) or "nodes" not in connection.fields:
            return None
        below = [*self.collect_subfields(connection, details).grouped_field_set.values()]
        names = [each[0].node.name.value for each in below]
        of = get_named_type(connection.fields["nodes"].type)
        if "edges" in names or names.count("nodes") != 1 or not isinstance(of, GraphQLObjectType):
            return None
        selection = self._plan(of, below[names.index("nodes")], info)
        operation = self.context_value.operation
        found = None if selection is None else page_printer(selection, operation)
        return None if found is None else Pages(operation, *found)

    async def _in_pieces(
        self, return_type: GraphQLList[Any], details: Any, info: Any, path: Any, pages: Pages
    ) -> Pieces:
        """The records that were taken over, with those that graphql-core completes."""
        number, pieces = 0, []
        for count, part in pages.parts:
            if isinstance(part, bytes):
                pieces.append(part)
            else:
                completed = await self._by_core(return_type.of_type, details, info, path.add_key(number, None), part)
                pieces.append(orjson.dumps(completed))
            number += count
        return Pieces(pieces)

    @property
    def _strawberry(self) -> Schema:
        found: Schema = self.schema.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        return found

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        of = return_type.of_type
        named = of.of_type if isinstance(of, GraphQLNonNull) else of
        if isinstance(result, Pages):
            return self._in_pieces(return_type, field_details_list, info, path, result)
        if result.__class__ is list and result and isinstance(named, GraphQLObjectType):
            selection = self._plan(named, field_details_list, info)
            if selection is not None:
                return self._several(selection, return_type, field_details_list, info, path, result, position_context)
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def complete_object_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        planned = return_type.name in RESOURCES or return_type.name in entry_types()
        selection = self._plan(return_type, field_details_list, info) if planned else None
        if selection is None:
            return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)
        return self._single(selection, return_type, field_details_list, info, path, result, position_context)

    def _plan(self, of: GraphQLObjectType, details: Any, info: Any) -> Selection | None:
        context = self.context_value
        if of.name.startswith("__") or not isinstance(context, Context):
            return None
        planner, plans, key = Planner(self, context, info, self._strawberry), context.logical.plans, (of, id(details))
        try:
            known = plans.get(key)
            if known is not None:
                return planner.bind(known)
            made = plans[key] = planner.select(of, details)
        except (Unplanned, Refused, GraphQLError):
            context.operation.rounds.patiently()
            return None
        return made

    def collect_root(self, root: GraphQLObjectType) -> Any:
        """The groups of the operation's own fields. Raises GraphQLError."""
        fields = self.context_value.logical.fields
        known = fields.get(root)
        if known is None:
            try:
                made = collect_fields(self.schema, self.fragments, self.variable_values, root, self.operation)
            except RecursionError:
                made = None
            if made is None:
                raise GraphQLError(SELECTIONS_NESTED_TOO_DEEPLY, self.operation)
            known = fields[root] = (None, made)
        return known[1].grouped_field_set

    def collect_subfields(self, return_type: GraphQLObjectType, field_details_list: Any) -> Any:
        """The same groups for the same fields, also in the next execution of what the context's ``logical`` is of."""
        context = self.context_value
        if not isinstance(context, Context):
            return super().collect_subfields(return_type, field_details_list)
        fields, key = context.logical.fields, (return_type, id(field_details_list))
        known = fields.get(key)
        if known is None:
            made = super().collect_subfields(return_type, field_details_list)
            known = fields[key] = (field_details_list, made)
        return known[1]

    async def _found(self, selection: Selection, info: Any, objects: Sequence[Any]) -> PrintAll | None:
        """How the objects are printed, after everything below them was found; None where that failed."""

        def info_of(parent: GraphQLObjectType, definition: Any, details: Any) -> Any:
            return self.build_resolve_info(definition, [each.node for each in details], parent, info.path)

        context = self.context_value
        lookout = Lookout(context, info_of)
        try:
            explained = context.explained
            fields = () if explained is None else explained.fields(info.path.as_list())
            await lookout.look(selection, objects, fields)
        except Exception:  # noqa: BLE001  # graphql-core comes upon it again, and reports it
            return None
        show = printer(selection, context.operation, lookout.tables)
        context.keep(lookout)
        return show

    async def _several(
        self,
        selection: Selection,
        return_type: GraphQLList[Any],
        details: Any,
        info: Any,
        path: Any,
        result: list[Any],
        position_context: Any,
    ) -> list[Any]:
        show = await self._found(selection, info, [each for each in result if each is not None])
        if show is None:
            listed: list[Any] = await _awaited(
                super().complete_list_value(return_type, details, info, path, result, position_context)
            )
            return listed
        of = return_type.of_type
        shown: list[Any] = []
        for start in range(0, len(result), PAGE):
            if start:
                await asyncio.sleep(0)
            shown += show(each for each in result[start : start + PAGE] if each is not None)
        if None in result:
            there = iter(shown)
            missing = FAILED if isinstance(of, GraphQLNonNull) else None
            shown = [missing if each is None else next(there) for each in result]
        for number, each in enumerate(shown):
            if each is FAILED:
                shown[number] = await self._by_core(of, details, info, path.add_key(number, None), result[number])
        return shown

    async def _by_core(self, of: Any, details: Any, info: Any, path: Any, item: Any) -> Any:
        """One record of a list, completed by graphql-core."""
        try:
            if item is None:
                return self.complete_value(of, details, info, path, item, None)
            named = of.of_type if isinstance(of, GraphQLNonNull) else of
            return await _awaited(super().complete_object_value(named, details, info, path, item, None))
        except Exception as failure:  # noqa: BLE001  # as graphql-core does it
            self.handle_field_error(failure, of, details, path)
            return None

    async def _single(
        self, selection: Selection, return_type: Any, details: Any, info: Any, path: Any, result: Any, position: Any
    ) -> Any:
        show = await self._found(selection, info, [result])
        shown = FAILED if show is None else show((result,))[0]
        if shown is not FAILED:
            return shown
        return await _awaited(super().complete_object_value(return_type, details, info, path, result, position))


async def _awaited(completed: Any) -> Any:
    return await completed if is_awaitable(completed) else completed


async def execute(
    schema: Schema, prepared: Prepared, variables: VariableValues, context: Context, extensions: Any = None
) -> ExecutionResult:
    """What graphql-core's ``execute`` gives for a prepared operation, whose variables were read.

    ``extensions``: what the request says beside the operation, for resolvers that ask.
    """
    core = schema._schema
    context.operation.rounds.patience = 0  # plans tell when they wait
    executor = PlannedExecution(
        core,
        prepared.fragments,
        prepared.details,
        None,
        context,
        prepared.operation,
        variables,
        default_field_resolver,
        default_type_resolver,
        default_field_resolver,
        is_awaitable=optimized_is_awaitable,
        operation_extensions=extensions,
    )
    root = core.query_type
    assert root is not None
    try:
        groups = executor.collect_root(root)
        data = await _awaited(executor.execute_root_grouped_field_set(root, None, groups, False, None))
    except GraphQLError as error:
        executor.collected_errors.add(error, None)
        data = None
    return ExecutionResult(data, executor.collected_errors.errors or None)
