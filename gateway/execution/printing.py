"""Printing what was found: Python source made of a plan, which takes only what graphql-core would print unchanged.

Anything else raises ``Doubtful``, and graphql-core completes that record itself, so that messages, paths, locations and
the propagation of nulls are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import CodeType
from typing import Any

from graphql import GraphQLLeafType, GraphQLList, GraphQLNonNull, GraphQLOutputType, Undefined, is_leaf_type

from gateway.schema.enums import UNRECOGNISED
from resolvers.columns import reader
from resolvers.operation import Operation
from resolvers.relations import RELATIONS
from resolvers.steps.forward import reference_id
from sources.standard.values import structures

from .kinds import Back, DisplayName, Form, Forward, Identity, Inverse, Leaf, Part
from .lookout import Tables, key_of
from .plan import Attribute, Item, Selection, Typename

Print = Callable[[Any], Any]
"""From a record, an entry or another object to what is answered of it. Raises Doubtful, or what reading it raises."""


class Doubtful(Exception):
    """A value that graphql-core may print otherwise, or refuse."""


def printer(selection: Selection, operation: Operation, tables: Tables) -> Print:
    """How objects of the selection are printed, once everything below it was found."""
    return _Printer(operation, tables).of(selection)


@lru_cache(maxsize=512)
def _compiled(source: str) -> CodeType:
    return compile(source, "<plan>", "exec")


Bound = Callable[["_Printer", Selection], Any]
"""What a name in a program stands for in one operation."""


@dataclass(eq=False)
class Program:
    """What prints the objects of a selection, but for what an operation found. It is kept with the selection."""

    code: CodeType
    names: Mapping[str, Any]
    bound: Mapping[str, Bound]


@dataclass(eq=False)
class _Names:
    """``same``: in every operation."""

    same: dict[str, Any] = field(default_factory=dict)
    bound: dict[str, Bound] = field(default_factory=dict)


@dataclass(eq=False)
class _Printer:
    operation: Operation
    tables: Tables
    _made: dict[int, Print] = field(default_factory=dict)

    def of(self, selection: Selection) -> Print:
        """The function for one selection. Its source depends on the plan's shape alone, and is compiled once."""
        found = self._made.get(id(selection))
        if found is not None:
            return found
        shape = tuple(item.looked_for for item in selection.items)
        program: Program | None = selection.programs.get(shape)
        if program is None:
            program = selection.programs[shape] = self._program(selection)
        names = dict(program.names)
        for name, bound in program.bound.items():
            names[name] = bound(self, selection)
        exec(program.code, names)
        made: Print = names["show"]
        self._made[id(selection)] = made
        return made

    def _program(self, selection: Selection) -> Program:
        names = _Names({"Doubtful": Doubtful, "texts": _texts, "several": _several, "UNKNOWN": UNRECOGNISED})
        if selection.records is not None:
            source = self._record(selection, names)
        elif selection.type.name in _entry_types():
            source = self._entry(selection, names)
        else:
            source = self._object(selection, names)
        return Program(_compiled(source), names.same, names.bound)

    # The three kinds of objects

    def _record(self, selection: Selection, names: _Names) -> str:
        columns = list(dict.fromkeys(column for item in selection.items for column in _columns(item)))
        resource = selection.records
        assert resource is not None
        names.bound["read"] = lambda p, _: reader(p.operation, p.operation.federation.rules[resource], columns)
        variables = {column: f"c{number}" for number, column in enumerate(columns)}
        lines = ["def show(e):", "    id = e.id"]
        if columns:
            lines.append(f"    {''.join(f'{each}, ' for each in variables.values())}= read(e)")
        return self._body(selection, names, lines, lambda column: variables[column], "id")

    def _entry(self, selection: Selection, names: _Names) -> str:
        lines = ["def show(e):", "    get = e.data.get"]
        names.same["key_of"] = key_of
        return self._body(selection, names, lines, lambda column: f"get({column!r})", "key_of(e)")

    def _object(self, selection: Selection, names: _Names) -> str:
        names.same["key_of"] = key_of
        return self._body(selection, names, ["def show(e):"], str, "key_of(e)")

    def _body(
        self, selection: Selection, names: _Names, lines: list[str], value: Callable[[str], str], key: str
    ) -> str:
        parts = []
        for place, item in enumerate(selection.items):
            expression = self._item(selection, item, place, names, lines, value, key)
            parts.append(f"{item.key!r}: {expression}")
        return "\n".join([*lines, f"    return {{{', '.join(parts)}}}"])

    # One field each: statements, and the expression of what is printed

    def _item(
        self,
        selection: Selection,
        item: Item,
        place: int,
        names: _Names,
        lines: list[str],
        value: Callable[[str], str],
        key: str,
    ) -> str:
        kind, own = item.kind, f"v{place}"
        if isinstance(kind, Typename):
            return repr(selection.type.name)
        if isinstance(kind, Identity):
            return "id"
        if isinstance(kind, Leaf):
            return _leaf(kind, own, place, names, lines, value(kind.column))
        if isinstance(kind, DisplayName):
            parts = ", ".join(value(column) for column in kind.columns)
            return f"' '.join([str(part) for part in [{parts}] if part]) or None"
        found = f"found{place}"
        assert item.below is not None or not isinstance(kind, Forward | Back | Part | Inverse)
        if isinstance(kind, Forward):
            names.bound[found] = lambda p, s: p._forward(kind, s.items[place])
            lines.append(f"    {own} = {value(kind.column)}")
            return f"None if {own} is None else {found}({own})"
        if isinstance(kind, Back):
            names.bound[found] = lambda p, s: p._lookup(s.items[place])
            return f"{found}(e.owner.id)"
        if isinstance(kind, Part) and not item.looked_for:
            return self._part(kind, place, own, found, names, lines, value(kind.column))
        names.bound[found] = lambda p, s: p._completing(s.items[place].type, s.items[place].below)
        if isinstance(kind, Attribute):
            return f"{found}(e.{kind.name})"
        names.bound[f"table{place}"] = lambda p, s: p.tables[s.items[place].number]
        return f"{found}(table{place}[{key}])"

    def _part(self, kind: Part, place: int, own: str, found: str, names: _Names, lines: list[str], value: str) -> str:
        """An entry or entries that stand in the record as they are."""
        names.bound[found] = lambda p, s: p._unwrapped(s.items[place])
        lines.append(f"    {own} = {value}")
        if not kind.many:
            lines.append(f"    if {own} is not None and {own}.__class__ is not dict: raise Doubtful")
            return f"None if {own} is None else {found}({own})"
        lines.append(f"    if {own} is not None and {own}.__class__ is not list: raise Doubtful")
        return f"None if {own} is None else [{found}(each) for each in {own} if each.__class__ is dict]"

    def _unwrapped(self, item: Item) -> Print:
        assert item.below is not None
        return _Unwrapped(self.of(item.below)).show

    def _forward(self, kind: Forward, item: Item) -> Print:
        operation, target, show = self.operation, kind.target, self._lookup(item)

        def one(reference: object) -> Any:
            found = reference_id(operation, target, reference)
            return None if found is None else show(found)

        def many(references: object) -> Any:
            if not isinstance(references, list):
                return None
            return [shown for each in references if (shown := one(each)) is not None]

        return many if kind.many else one

    def _lookup(self, item: Item) -> Print:
        """From an id to what is printed of the record: once, however often it appears."""
        assert item.below is not None
        if item.bare:
            show = self.of(item.below)
            return lambda id: show(_Named(id))
        table, show = self.tables[item.number], self.of(item.below)
        printed: dict[str, Any] = {}

        def look(id: str) -> Any:
            try:
                return printed[id]
            except KeyError:
                record = table[id]
                made = printed[id] = None if record is None else show(record)
                return made

        return look

    def _completing(self, of: GraphQLOutputType | None, below: Selection | None) -> Print:
        """A value of a GraphQL type, as graphql-core completes it."""
        if isinstance(of, GraphQLNonNull):
            inner = self._completing(of.of_type, below)

            def required(value: Any) -> Any:
                shown = inner(value)
                if shown is None:
                    raise Doubtful
                return shown

            return required
        if isinstance(of, GraphQLList):
            each = self._completing(of.of_type, below)

            def listed(value: Any) -> Any:
                if value is None:
                    return None
                if value.__class__ is not list:
                    raise Doubtful
                return [each(item) for item in value]

            return listed
        if below is None:
            assert is_leaf_type(of)
            return _serialised(of)
        show = self.of(below)
        return lambda value: None if value is None else show(value)


class _Unwrapped:
    """An entry as the bare object that it is, so that none need be made for what is only printed."""

    __slots__ = ("show",)

    def __init__(self, show: Print) -> None:
        bare = _Bare()

        def shown(data: Mapping[str, object]) -> Any:
            bare.data = data
            return show(bare)

        self.show = shown


class _Named:
    """A record of which only the id is asked."""

    __slots__ = ("id",)

    def __init__(self, id: str) -> None:
        self.id = id


class _Bare:
    __slots__ = ("data",)
    data: Mapping[str, object]


def _columns(item: Item) -> tuple[str, ...]:
    """The columns of the record that printing an item reads."""
    kind = item.kind
    if isinstance(kind, DisplayName):
        return kind.columns
    if isinstance(kind, Leaf | Forward) or (isinstance(kind, Part) and not item.looked_for):
        return (kind.column,)
    return ()


def _leaf(kind: Leaf, own: str, place: int, names: _Names, lines: list[str], value: str) -> str:
    if kind.form is Form.ENUM:
        names.same[f"names{place}"] = kind.names
    if kind.many:
        if kind.form is Form.ENUM:
            return f"several({value}, names{place})"
        return f"texts({value}, {kind.form is Form.ENUM_TEXT})"
    lines.append(f"    {own} = {value}")
    match kind.form:
        case Form.INTEGER:
            lines.append(f"    if {own} is not None and {own}.__class__ is not int: raise Doubtful")
            return f"{own} if {own} is None or -2147483648 <= {own} <= 2147483647 else None"
        case Form.BOOLEAN:
            lines.append(f"    if {own} is not None and {own}.__class__ is not bool: raise Doubtful")
            return own
        case _:
            lines.append(f"    if {own} is not None and {own}.__class__ is not str: raise Doubtful")
            return own if kind.form is not Form.ENUM else f"None if {own} is None else names{place}.get({own}, UNKNOWN)"


def _texts(value: object, without_nulls: bool) -> list[str] | None:
    """A list of texts. Of an enumeration's texts, nulls are left out; anywhere else they are an error."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise Doubtful
    found: list[str] = []
    for each in value:
        if each.__class__ is str:
            found.append(each)
        elif each is not None or not without_nulls:
            raise Doubtful
    return found


def _several(value: object, names: Mapping[str, str]) -> list[str] | None:
    texts = _texts(value, True)
    return None if texts is None else [names.get(text, UNRECOGNISED) for text in texts]


def _serialised(of: GraphQLLeafType) -> Print:
    coerce = of.coerce_output_value

    def leaf(value: Any) -> Any:
        if value is None:
            return None
        shown = coerce(value)
        if shown is None or shown is Undefined:
            raise Doubtful
        return shown

    return leaf


@cache
def _entry_types() -> frozenset[str]:
    """The types whose objects are entries."""
    named = {relation.entry_name for relation in RELATIONS if relation.entry_name is not None}
    return frozenset({each.name for each in structures()} | named)
