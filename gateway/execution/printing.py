"""Printing what was found: Python source made of a plan, which takes only what graphql-core would print unchanged.

Anything else raises ``Doubtful``, and graphql-core completes that record itself, so that messages, paths, locations and
the propagation of nulls are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import CodeType
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    Undefined,
    is_leaf_type,
)

from gateway.schema.enums import UNRECOGNISED
from resolvers.authority import Rules
from resolvers.columns import Reading, Unread, reading, reading_decoded
from resolvers.operation import Operation
from resolvers.relations import RELATIONS
from resolvers.steps.forward import reference_id
from sources.decoding import plain
from sources.shape import Shape
from sources.standard.values import structures

from .kinds import Back, DisplayName, Form, Forward, Identity, Inverse, Leaf, Part
from .lookout import Tables, key_of
from .plan import Attribute, Item, Selection, Typename

Print = Callable[[Any], Any]
"""From a record, an entry or another object to what is answered of it. Raises one of WRONG."""
PrintAll = Callable[[Iterable[Any]], list[Any]]
"""The same of many; FAILED stands for those of which it would raise."""


class Doubtful(Exception):
    """A value that graphql-core may print otherwise, or refuse."""


WRONG = (Doubtful, Unread, GraphQLError, AttributeError, KeyError, TypeError, ValueError)
"""What printing raises where graphql-core may have something else to say."""


FAILED: Any = object()
"""What stands for an object that cannot be printed."""


def printer(selection: Selection, operation: Operation, tables: Tables) -> PrintAll:
    """How objects of the selection are printed, once everything below it was found."""
    return _Printer(operation, tables).all(selection)


def page_printer(selection: Selection, operation: Operation) -> tuple[PrintAll, Shape] | None:
    """How records are printed as one source's pages give them; None where more must be known of them."""
    return _Printer(operation, {}).decoded(selection)


def _one_by_one(show: Print) -> PrintAll:
    def show_all(objects: Iterable[Any]) -> list[Any]:
        shown = []
        for each in objects:
            try:
                shown.append(show(each))
            except WRONG:
                shown.append(FAILED)
        return shown

    return show_all


@lru_cache(maxsize=512)
def _compiled(source: str) -> CodeType:
    return compile(source, "<plan>", "exec")


_DECODED = ("decoded",)
"""By what a selection keeps the program for records as pages give them."""


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


def _common() -> _Names:
    return _Names({"Doubtful": Doubtful, "texts": _texts, "several": _several, "UNKNOWN": UNRECOGNISED})


@dataclass(eq=False)
class _Printer:
    operation: Operation
    tables: Tables
    _made: dict[int, Print] = field(default_factory=dict)
    _several: dict[int, PrintAll] = field(default_factory=dict)

    def of(self, selection: Selection) -> Print:
        """The function for one selection. Its source depends on the plan's shape alone, and is compiled once."""
        found = self._made.get(id(selection))
        if found is not None:
            return found
        shape = tuple(item.looked_for for item in selection.items)
        program: Program | None = selection.programs.get(shape)
        if program is None:
            program = selection.programs[shape] = self._program(selection)
        names = self._bound(program, selection)
        made: Print = names["show"]
        self._made[id(selection)] = made
        self._several[id(selection)] = names.get("show_all", _one_by_one(made))
        return made

    def _bound(self, program: Program, selection: Selection) -> dict[str, Any]:
        names = dict(program.names)
        for name, bound in program.bound.items():
            names[name] = bound(self, selection)
        exec(program.code, names)
        return names

    def all(self, selection: Selection) -> PrintAll:
        """The function for many objects of one selection."""
        self.of(selection)
        return self._several[id(selection)]

    def _program(self, selection: Selection) -> Program:
        names = _common()
        if selection.records is not None:
            read = reading(self._rules(selection), _all_columns(selection), _parts(selection))
            source = self._record(selection, names, read)
        elif selection.type.name in entry_types():
            source = self._entry(selection, names)
        else:
            source = self._object(selection, names)
        return Program(_compiled(source), names.same, names.bound)

    # The three kinds of objects

    def decoded(self, selection: Selection) -> tuple[PrintAll, Shape] | None:
        """The function for records as one source's pages give them, and the shape that they must have; None where more
        must be known of them."""
        if selection.looked_for or selection.records is None:
            return None
        if _DECODED not in selection.programs:
            selection.programs[_DECODED] = self._decoded(selection)
        program: tuple[Program, Shape] | None = selection.programs[_DECODED]
        return None if program is None else (self._bound(program[0], selection)["show_all"], program[1])

    def _decoded(self, selection: Selection) -> tuple[Program, Shape] | None:
        found = reading_decoded(self._rules(selection), _all_columns(selection), _parts(selection))
        if found is None:
            return None
        names = _common()
        return Program(_compiled(self._record(selection, names, found[0])), names.same, names.bound), found[1]

    def _rules(self, selection: Selection) -> Rules:
        assert selection.records is not None
        return self.operation.federation.rules[selection.records]

    def _record(self, selection: Selection, names: _Names, read: Reading) -> str:
        columns = _all_columns(selection)
        names.same |= {**read.names, "WRONG": WRONG, "FAILED": FAILED}
        names.bound["operation"] = lambda printer, _: printer.operation
        variables = {column: f"value{number}" for number, column in enumerate(columns)}
        lines: list[str] = []
        shown = self._fields(selection, names, lines, lambda column: variables[column], "entity.id", read.parts)
        body = [*read.lines, *lines, f"out.append({shown})"]
        return "\n".join(
            [
                *read.bound,
                "def show_all(entities):",
                "    out = []",
                *(f"    {line}" for line in read.head),
                "    for entity in entities:",
                "        try:",
                *(f"            {line}" for line in body),
                "        except WRONG:",
                "            out.append(FAILED)",
                *(f"    {line}" for line in read.tail),
                "    return out",
                "def show(entity):",
                "    shown = show_all((entity,))[0]",
                "    if shown is FAILED: raise Doubtful",
                "    return shown",
            ]
        )

    def _entry(self, selection: Selection, names: _Names) -> str:
        return self._one(selection, names, ["get = entity.data.get"], lambda column: f"get({column!r})")

    def _object(self, selection: Selection, names: _Names) -> str:
        return self._one(selection, names, [], str)

    def _one(self, selection: Selection, names: _Names, lines: list[str], value: Callable[[str], str]) -> str:
        names.same["key_of"] = key_of
        shown = self._fields(selection, names, lines, value, "key_of(entity)", frozenset())
        return "\n".join(["def show(entity):", *(f"    {line}" for line in lines), f"    return {shown}"])

    def _fields(
        self,
        selection: Selection,
        names: _Names,
        lines: list[str],
        value: Callable[[str], str],
        key: str,
        parts: frozenset[str],
    ) -> str:
        """The expression of what is printed of ``entity``, behind statements that are added to ``lines``."""
        fields = []
        for place, item in enumerate(selection.items):
            if isinstance(item.kind, Part) and not item.looked_for and item.kind.column in parts:
                expression = _in_parts(item.kind, item, place, names, value(item.kind.column))
            else:
                expression = self._item(selection, item, place, names, lines, value, key)
            fields.append(f"{item.key!r}: {expression}")
        return f"{{{', '.join(fields)}}}"

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
            return "entity.id"
        if isinstance(kind, Leaf):
            return _leaf(kind, own, place, names, lines, value(kind.column))
        if isinstance(kind, DisplayName):
            parts = ", ".join(value(column) for column in kind.columns)
            return f"' '.join([str(part) for part in [{parts}] if part]) or None"
        found = f"found{place}"
        assert item.below is not None or not isinstance(kind, Forward | Back | Part | Inverse)
        if isinstance(kind, Forward):
            names.bound[found] = lambda printer, own: printer._forward(kind, own.items[place])
            lines.append(f"{own} = {value(kind.column)}")
            return f"None if {own} is None else {found}({own})"
        if isinstance(kind, Back):
            names.bound[found] = lambda printer, own: printer._lookup(own.items[place])
            return f"{found}(entity.owner.id)"
        if isinstance(kind, Part) and not item.looked_for:
            return self._part(kind, place, own, found, names, lines, value(kind.column))
        names.bound[found] = lambda printer, own: printer._completing(own.items[place].type, own.items[place].below)
        if isinstance(kind, Attribute):
            return f"{found}(entity.{kind.name})"
        names.bound[f"table{place}"] = lambda printer, own: printer.tables[own.items[place].number]
        return f"{found}(table{place}[{key}])"

    def _part(self, kind: Part, place: int, own: str, found: str, names: _Names, lines: list[str], value: str) -> str:
        """An entry or entries that stand in the record as they are."""
        names.bound[found] = lambda printer, own: printer._unwrapped(own.items[place])
        lines.append(f"{own} = {value}")
        if not kind.many:
            lines.append(f"if {own}.__class__ is not dict and {own} is not None: raise Doubtful")
            return f"None if {own} is None else {found}({own})"
        lines.append(f"if {own}.__class__ is not list and {own} is not None: raise Doubtful")
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

    def _records(self, below: Selection) -> Print:
        """A list of records, as graphql-core completes it."""
        show = self.all(below)

        def listed(value: Any) -> Any:
            if value is None:
                return None
            if value.__class__ is not list:
                raise Doubtful
            shown = show(value)
            if FAILED in shown:
                raise Doubtful
            return shown

        return listed

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
            if below is not None and below.records is not None and isinstance(of.of_type, GraphQLNonNull):
                return self._records(below)

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


def _all_columns(selection: Selection) -> list[str]:
    return list(dict.fromkeys(column for item in selection.items for column in _columns(item)))


def _parts(selection: Selection) -> dict[str, frozenset[str]]:
    """The columns of which only plain properties of their objects are printed, and which."""
    found: dict[str, frozenset[str]] = {}
    whole: set[str] = set()
    for item in selection.items:
        kind = item.kind
        if not isinstance(kind, Part) or item.looked_for or item.below is None:
            continue
        names = [each.kind.column for each in item.below.items if isinstance(each.kind, Leaf)]
        leaves = sum(not isinstance(each.kind, Typename) for each in item.below.items)
        if len(names) < leaves or not plain(kind.structure, names):
            whole.add(kind.column)
        found[kind.column] = found.get(kind.column, frozenset()).union(names)
    return {column: names for column, names in found.items() if column not in whole}


def _in_parts(kind: Part, item: Item, place: int, names: _Names, value: str) -> str:
    """The expression of entries that come as objects of the properties asked for, each of its own type."""
    assert item.below is not None
    fields = []
    for number, each in enumerate(item.below.items):
        if isinstance(each.kind, Typename):
            fields.append(f"{each.key!r}: {item.below.type.name!r}")
            continue
        assert isinstance(each.kind, Leaf)
        own = f"each.{each.kind.column}"
        if each.kind.form is Form.ENUM:
            known = f"names{place}_{number}"
            names.same[known] = each.kind.names
            own = f"None if {own} is None else {known}.get({own}, UNKNOWN)"
        elif each.kind.form is Form.INTEGER:
            own = f"{own} if {own} is None or -2147483648 <= {own} <= 2147483647 else None"
        fields.append(f"{each.key!r}: {own}")
    shown = f"{{{', '.join(fields)}}}"
    if kind.many:
        return f"None if {value} is None else [{shown} for each in {value}]"
    return f"None if {value} is None else [{shown} for each in ({value},)][0]"


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
    lines.append(f"{own} = {value}")
    match kind.form:
        case Form.INTEGER:
            lines.append(f"if {own}.__class__ is not int and {own} is not None: raise Doubtful")
            return f"{own} if {own} is None or -2147483648 <= {own} <= 2147483647 else None"
        case Form.BOOLEAN:
            lines.append(f"if {own}.__class__ is not bool and {own} is not None: raise Doubtful")
            return own
        case _:
            lines.append(f"if {own}.__class__ is not str and {own} is not None: raise Doubtful")
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
def entry_types() -> frozenset[str]:
    """The types whose objects are entries."""
    named = {relation.entry_name for relation in RELATIONS if relation.entry_name is not None}
    return frozenset({each.name for each in structures()} | named)
