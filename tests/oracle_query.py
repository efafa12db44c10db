"""A GraphQL query answered by the oracle: field by field over merged records, in plain Python.

Of root fields it knows those by id, by ids, and lists; of arguments ``filter`` with the standard's parameters, ``on``,
``during``, ``orderBy`` and ``first``. Whatever else a query holds is an error here, never a silent difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from graphql.utilities import value_from_ast_untyped

from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Property, Reference, Resource, Structure

from .official_relations import BACKWARDS, OfficialRelation
from .oracle import Entry, Oracle, Period, Record
from .oracle_filters import Filters, Given

DEFAULT_FIRST = 50
LEADING_BACK = {relation.back for relation in BACKWARDS.values() if relation.back is not None}
ARGUMENTS = {"id", "ids", "filter", "on", "during", "orderBy", "first"}


def answer(oracle: Oracle, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The ``data`` of the query's one operation. A required part that is missing gives no null up the tree here."""
    document = parse(query)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return _Answer(oracle, variables or {}, fragments).root(operation.selection_set)


def enum_name(text: str) -> str:
    """An enumeration's value in GraphQL: upper case, without accents, anything else ``_``."""
    letters = unicodedata.normalize("NFD", text)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"\W+", "_", plain).upper()


@dataclass
class _Answer:
    oracle: Oracle
    variables: Mapping[str, Any]
    fragments: Mapping[str, FragmentDefinitionNode]

    # The query

    def fields(self, selection: SelectionSetNode | None) -> Iterator[tuple[str, str, FieldNode, dict[str, Any]]]:
        """The response key, name, node and arguments of each field, fragments spread."""
        assert selection is not None
        for node in selection.selections:
            if isinstance(node, FieldNode):
                given = {
                    each.name.value: value_from_ast_untyped(each.value, self.variables) for each in node.arguments or ()
                }
                assert given.keys() <= ARGUMENTS, f"the oracle does not know {given.keys() - ARGUMENTS}"
                name = node.name.value
                yield (node.alias.value if node.alias else name), name, node, given
            elif isinstance(node, InlineFragmentNode):
                yield from self.fields(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                yield from self.fields(self.fragments[node.name.value].selection_set)

    def root(self, selection: SelectionSetNode) -> dict[str, Any]:
        return {key: self.root_field(name, node, given) for key, name, node, given in self.fields(selection)}

    def root_field(self, name: str, node: FieldNode, given: Mapping[str, Any]) -> Any:
        for resource in RESOURCES.values():
            if name == resource.name[:1].lower() + resource.name[1:]:
                return self.shown(self.oracle.by_id(resource.name, given["id"]), node)
            if name == f"{resource.plural}ByIds":
                return [self.shown(self.oracle.by_id(resource.name, id), node) for id in given["ids"]]
            if name == resource.plural:
                return self.connection(resource, node, given)
        raise KeyError(name)

    def connection(self, resource: Resource, node: FieldNode, given: Mapping[str, Any]) -> dict[str, Any]:
        limit = given.get("first", DEFAULT_FIRST)
        assert not resource.window, "lists with a required window are not in the oracle"
        period = _period(given)
        found = [each for each in self.oracle.all(resource.name) if period is None or self.within(each, period)]
        found = self.filtered(found, resource, given)
        if given.get("orderBy"):
            found = self.oracle.ordered(found, _sort_keys(resource, given["orderBy"]))
        page = found[:limit]
        known: dict[str, Any] = {"complete": True, "gaps": []}
        answers = {}
        for key, name, inner, _ in self.fields(node.selection_set):
            if name == "nodes":
                answers[key] = [self.shown(record, inner) for record in page]
            elif name == "pageInfo":
                assert [each[1] for each in self.fields(inner.selection_set)] == ["hasNextPage"]
                answers[key] = {"hasNextPage": len(found) > limit}
            else:
                answers[key] = known[name]
        return answers

    def filtered(self, records: list[Record], resource: Resource, given: Mapping[str, Any]) -> list[Record]:
        """The records that the ``filter`` argument selects."""
        asked = given.get("filter", {})
        filters = Filters(self.oracle, subtree=_subtree(asked))
        parameters = _parameters(resource, asked)
        return [record for record in records if filters.selects(record, parameters)]

    # Records and entries

    def shown(self, of: Record | Entry | None, node: FieldNode) -> dict[str, Any] | None:
        if of is None:
            return None
        return {key: self.value(of, name, inner, given) for key, name, inner, given in self.fields(node.selection_set)}

    def value(self, of: Record | Entry, name: str, node: FieldNode, given: Mapping[str, Any]) -> Any:
        kind = of.resource if isinstance(of, Record) else of.structure
        if name == "__typename":
            return kind.name
        if isinstance(of, Record):
            if name == "id":
                return of.id
            if name == "displayName":
                return of.name
            if name == "calendarEvents" and kind.name in ("Duty", "Group"):
                return self.listed(self.events(of), RESOURCES["CalendarEvent"], node, given)
            relation = BACKWARDS.get((kind.name, name))
            if relation is not None:
                return self.backwards(of, relation, node, given)
        elif kind.name == "DutyAssignment" and name == "person":
            return self.shown(self.teacher(of), node)
        elif name == of.back or (name in LEADING_BACK and name not in {prop.name for prop in kind.properties}):
            return self.shown(of.owner, node)
        return self.property(of, kind, name, node, given)

    def property(
        self, of: Record | Entry, kind: Resource | Structure, name: str, node: FieldNode, given: Mapping[str, Any]
    ) -> Any:
        declared = {prop.name: prop for prop in kind.properties}
        prop = declared[name] if name in declared else declared[name.removesuffix(TEXT)]
        value = of[prop.name]
        if value is None:
            return None
        if isinstance(prop.type, Reference):
            return self.reference(prop, value, node)
        if isinstance(prop.type, Structure):
            return self.structure(of, prop.type, value, node, given)
        if isinstance(prop.type, Enumeration) and name == prop.name:
            assert set(value if prop.many else [value]) <= {*prop.type.values}, "the demonstration invents no values"
            return [*map(enum_name, value)] if prop.many else enum_name(value)
        return value

    def reference(self, prop: Property, value: Any, node: FieldNode) -> Any:
        assert isinstance(prop.type, Reference)
        target = prop.type.target
        if not prop.many:
            return self.shown(self.oracle.follow(target, value), node)
        found = [self.oracle.follow(target, each) for each in value]
        return [self.shown(record, node) for record in found if record is not None]

    def structure(
        self, of: Record | Entry, kind: Structure, value: Any, node: FieldNode, given: Mapping[str, Any]
    ) -> Any:
        owner = of if isinstance(of, Record) else of.owner
        if not isinstance(value, list):
            return self.shown(Entry(owner, kind, value), node)
        return self.listed_entries(self.oracle.entries(owner, kind, value), node, given)

    def backwards(self, of: Record, relation: OfficialRelation, node: FieldNode, given: Mapping[str, Any]) -> Any:
        if relation.back is not None:
            return self.listed_entries(self.oracle.entries_to(relation, of.id), node, given)
        return self.listed(self.oracle.owners(relation, of.id), RESOURCES[relation.owner], node, given)

    def listed(
        self, records: Sequence[Record], resource: Resource, node: FieldNode, given: Mapping[str, Any]
    ) -> list[Any]:
        """Records in the order of their ids, or as ``orderBy`` says."""
        period = _period(given)
        found = [record for record in records if period is None or self.within(record, period)]
        found = self.filtered(found, resource, given)
        found = self.oracle.ordered(found, _sort_keys(resource, given.get("orderBy", ())))
        return [self.shown(record, node) for record in found[: given.get("first")]]

    def listed_entries(self, entries: Sequence[Entry], node: FieldNode, given: Mapping[str, Any]) -> list[Any]:
        period = _period(given)
        found = [entry for entry in entries if period is None or self.within(entry, period)]
        return [self.shown(entry, node) for entry in found[: given.get("first")]]

    def within(self, of: Record | Entry, period: Period) -> bool:
        return self.oracle.in_period(of, period)

    # Derived fields

    def teacher(self, of: Entry) -> Record | None:
        """Of a teacher's part in an activity: the person of the duty."""
        duty = self.oracle.follow("Duty", of["duty"])
        return None if duty is None else self.oracle.follow("Person", duty["person"])

    def events(self, of: Record) -> list[Record]:
        """The events of a duty's or group's activities, and those with an exception for the duty; whatever the dates.

        As the standard's filters ``teacher`` and ``group`` of calendar events.
        """
        activities = self.oracle.owners(BACKWARDS[of.resource.name, "activities"], of.id)
        found = [e for a in activities for e in self.oracle.owners(BACKWARDS["Activity", "calendarEvents"], a.id)]
        if of.resource.name == "Duty":
            found += self.oracle.owners(BACKWARDS["Duty", "teacherExceptions"], of.id)
        return list({record.id: record for record in found}.values())


TEXT = "Text"
"""Appended to an enumeration's name: its value in the standard's spelling."""


def _subtree(asked: Mapping[str, Any]) -> bool:
    """What ``subtree`` says, wherever it stands (once at most)."""
    found = [each["subtree"] for each in (asked, asked.get("relationship", {})) if "subtree" in each]
    return all(found)


def _parameters(resource: Resource, asked: Mapping[str, Any], above: str = "") -> Given:
    """``{startDate: {onOrBefore: ...}}`` is the parameter ``startDate.onOrBefore`` with one value."""
    found: dict[str, Sequence[str]] = {}
    for key, value in asked.items():
        name = above + {"entityType": "entity.type"}.get(key, key)
        if isinstance(value, Mapping):
            found |= _parameters(resource, value, f"{name}.")
        elif key != "subtree":
            kind = resource.parameter[name].type
            values = value if isinstance(value, list) else [value]
            spelling = {enum_name(each): each for each in kind.values} if isinstance(kind, Enumeration) else {}
            found[name] = [spelling.get(each, each) for each in values]
    return found


def _period(given: Mapping[str, Any]) -> Period | None:
    if "on" in given:
        day = date.fromisoformat(given["on"])
        return day, day
    if "during" not in given:
        return None
    first, last = (given["during"].get(end) for end in ("from", "to"))
    return (date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None)


def _sort_keys(resource: Resource, order: Sequence[str]) -> list[Any]:
    """``START_TIME_ASC`` is the sort key ``StartTimeAsc``."""
    by_name = {key.name.lower(): key for key in resource.sort_keys}
    return [by_name[name.replace("_", "").lower()] for name in order]
