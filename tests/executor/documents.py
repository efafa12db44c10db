"""Random documents, written from the schema alone: whatever it lets one select is selected some time.

Aliases, fields said twice or thrice and merged, fragments with and without a name, on a type and on its interface, in
each other and in several places, variables with and without defaults, @skip and @include, ``__typename``, several
operations in one document. What is written is valid by construction; the tests validate it all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    Visitor,
    get_named_type,
    is_leaf_type,
    parse,
    print_ast,
    visit,
)

from gateway.app import schema
from sources.standard import RESOURCES

from ..hostile.worlds import DAYS, INVENTED, MOMENTS, NAMES, NOBODY, SOURCES, WORDS, ids

Draw = Callable[[Random], object]
"""A value of a variable, anew for every case; Undefined: not given."""
DEPTH = 4
"""The most levels of objects below a root field."""
FIELDS = 20
"""The fields of a document, about."""


@dataclass(frozen=True, eq=False)
class Document:
    """``operation``: the name to execute, where there are several. ``fields``: of which type, what is selected."""

    text: str
    variables: Mapping[str, Draw] = field(default_factory=dict)
    operation: str | None = None
    fields: frozenset[tuple[str, str]] = frozenset()

    @property
    def parsed(self) -> DocumentNode:
        return parse(self.text)

    def given(self, rng: Random) -> dict[str, Any]:
        """Values for its variables."""
        drawn = {name: draw(rng) for name, draw in self.variables.items()}
        return {name: value for name, value in drawn.items() if value is not Undefined}


@dataclass(eq=False)
class _Scope:
    """What response keys stand for where they are merged: field, arguments, and what is below them."""

    taken: dict[str, tuple[str, str, _Scope]] = field(default_factory=dict)


@cache
def _types() -> Mapping[str, Any]:
    return schema()._schema.type_map


@cache
def _pool(resource: str) -> tuple[str, ...]:
    return (*ids(resource), NOBODY)


_LEADS = {
    "parent": "Organisation", "organisation": "Organisation", "enroledAt": "Organisation", "group": "Group",
    "student": "Person", "person": "Person", "child": "Person", "owner": "Person", "member": "Person",
    "registeredBy": "Duty", "gradingTeacher": "Duty", "teacher": "Duty", "activity": "Activity",
    "calendarEvent": "CalendarEvent", "placement": "Placement", "syllabus": "Syllabus", "programme": "Programme",
}  # fmt: skip
"""Whose ids an argument takes, by its name."""
_PAIRS = (("from", "to"), ("onOrAfter", "onOrBefore"), ("after", "before"))
"""What begins and ends a period."""
_WHEN: Mapping[str, Mapping[str, Sequence[str]]] = {
    "Date": {
        "begins": ("2026-01-31", "2026-03-28", "2026-03-28", "2026-03-29"),
        "ends": ("2026-03-29", "2026-03-30", "2026-03-30", "2026-04-12"),
        "": (*DAYS, "2024-02-29"),
    },
    "DateTime": {
        "begins": ("2026-01-31T08:00:00+01:00", "2026-03-28T23:00:00Z", "2026-03-29T00:00:00+01:00"),
        "ends": ("2026-03-29T12:00:00+02:00", "2026-03-30T00:00:00+02:00", "2026-03-30T08:15:00.500+02:00"),
        "": (*MOMENTS, "2026-03-29T02:30:00Z"),
    },
}


@dataclass(eq=False)
class _Writer:
    rng: Random
    left: int = FIELDS
    declared: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Draw] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    known: list[tuple[str, str]] = field(default_factory=list)
    """Named fragments that can be spread again, and on which type they are."""
    fields: set[tuple[str, str]] = field(default_factory=set)
    added: bool = False
    """Whether it is written into another document, so that every key must be new."""
    _names: int = 0

    def chance(self, odds: float) -> bool:
        return self.rng.random() < odds

    def name(self, stem: str) -> str:
        self._names += 1
        return f"{'x' if self.added else ''}{stem}{self._names}"

    # Selections

    def selection(self, of: Any, scope: _Scope, depth: int) -> str:
        """Some fields of a type, never none."""
        possible = [each for each in of.fields if depth or is_leaf_type(get_named_type(of.fields[each].type))]
        count = min(len(possible), self.rng.choice((1, 2, 2, 3, 4, 6, 8)), max(1, self.left))
        names = self.rng.sample(possible, count) if possible else []
        if depth and self.chance(0.6):  # what leads on, and not only what is at the end
            leading = [each for each in possible if not is_leaf_type(get_named_type(of.fields[each].type))]
            names += self.rng.sample(leading, min(1, len(leading)))
        parts = [self.field(of, each, scope, depth) for each in names]
        if self.chance(0.15) and names:
            parts.append(self.field(of, self.rng.choice(names), scope, depth))
        if self.chance(0.15) or not parts:
            parts.insert(self.rng.randint(0, len(parts)), self.typename(scope))
        if self.chance(0.25):
            parts.append(self.apart(of, scope, depth))
        if self.known and self.chance(0.15):
            parts += self.again(of)
        return " ".join(each for each in parts if each)

    def typename(self, scope: _Scope) -> str:
        if self.added:
            return f"{self.name('t')}: __typename"
        key = self.rng.choice(("__typename", "__typename", "kind", "type", "name"))
        if scope.taken.setdefault(key, ("__typename", "", _Scope()))[0] != "__typename":
            return "__typename"
        return key if key == "__typename" else f"{key}: __typename{self.directives()}"

    def field(self, of: Any, name: str, scope: _Scope, depth: int) -> str:
        """A field, under a key that is free or stands for just this."""
        self.left -= 1
        declared = of.fields[name]
        kept = dict(self.declared), dict(self.variables)
        given = self.arguments(declared.args, of.name, name)
        key = self.name("a") if self.added else name
        if self.chance(0.2) and not self.added:
            key = self.rng.choice((*list(of.fields)[:6], "a", "b", "id", "data", "__a"))
        taken = scope.taken.get(key)
        if taken is not None and taken[0] == name and taken[1] != given and self.chance(0.5):
            self.declared, self.variables = kept
            given = taken[1]  # merged with what stands there
        if taken is not None and (taken[0], taken[1]) != (name, given):
            key, taken = self.name("f"), None
        if taken is None:
            taken = scope.taken[key] = (name, given, _Scope())
        self.fields.add((of.name, name))
        inner = get_named_type(declared.type)
        below = ""
        if not is_leaf_type(inner):
            below = f" {{ {self.selection(inner, taken[2], depth - 1)} }}"
        return f"{'' if key == name else f'{key}: '}{name}{given}{self.directives()}{below}"

    def apart(self, of: Any, scope: _Scope, depth: int) -> str:
        """Some more fields, in a fragment; of a type's interface too, where it has one."""
        on = of
        interfaces = of.interfaces if isinstance(of, GraphQLObjectType) else ()
        if interfaces and self.chance(0.4):
            on = self.rng.choice(interfaces)
        if isinstance(of, GraphQLInterfaceType):
            on = of
        if self.chance(0.5):
            head = self.rng.choice((f"... on {on.name}", "..." if on is of else f"... on {on.name}"))
            return f"{head}{self.directives()} {{ {self.selection(on, scope, depth)} }}"
        name = self.name("F")
        if self.chance(0.5):
            body = self.selection(on, scope, depth)
        else:  # it may stand elsewhere too: it has keys of its own
            body = " ".join((f"{self.name('t')}: __typename", *self._own_keys(on)))
            self.known.append((name, on.name))
        self.fragments[name] = f"fragment {name} on {on.name} {{ {body} }}"
        return f"...{name}{self.directives()}"

    def _own_keys(self, of: Any) -> list[str]:
        leaves = [each for each in of.fields if is_leaf_type(get_named_type(of.fields[each].type))]
        some = [each for each in self.rng.sample(leaves, min(3, len(leaves))) if not of.fields[each].args]
        self.fields.update((of.name, each) for each in some)
        return [f"{self.name('w')}: {each}{self.directives()}" for each in some]

    def again(self, of: Any) -> list[str]:
        """A fragment that stands elsewhere, once more."""
        names = {of.name, *(each.name for each in getattr(of, "interfaces", ()))}
        fitting = [name for name, on in self.known if on in names]
        return [f"...{self.rng.choice(fitting)}{self.directives()}"] if fitting else []

    def directives(self) -> str:
        if not self.chance(0.08):
            return ""
        names = self.rng.choice((("skip",), ("include",), ("skip", "include")))
        return "".join(f" @{name}(if: {self.condition()})" for name in names)

    def condition(self) -> str:
        if self.chance(0.25):
            return self.rng.choice(("true", "false"))
        flags = [each for each in self.declared if each.startswith("if")]
        if flags and self.chance(0.3):
            return f"${self.rng.choice(flags)}"
        name = self.name("if")
        if self.chance(0.5):
            self.declared[name] = f"${name}: Boolean! = {self.rng.choice(('true', 'false'))}"
            self.variables[name] = lambda rng: rng.choice((True, False, Undefined))
        else:
            self.declared[name] = f"${name}: Boolean!"
            self.variables[name] = lambda rng: rng.random() < 0.5
        return f"${name}"

    # Arguments

    def arguments(self, args: Mapping[str, Any], owner: str, name: str) -> str:
        parts: list[str] = []
        for argument, declared in args.items():
            required = isinstance(declared.type, GraphQLNonNull) and declared.default_value is Undefined
            odds = {"after": 0.02, "during": 0.03 if parts else 0.15, "first": 0.2}.get(argument, 0.12)
            if required or self.chance(odds):
                parts.append(f"{argument}: {self.argument(declared, argument, self.target(owner, name))}")
        return f"({', '.join(parts)})" if parts else ""

    def target(self, owner: str, name: str) -> str:
        """The resource whose ids a root field takes."""
        found = get_named_type(_types()[owner].fields[name].type).name.removesuffix("Connection")
        return found if found in RESOURCES else "Person"

    def argument(self, declared: Any, name: str, target: str) -> str:
        kind: GraphQLInputType = declared.type
        draw = _drawing(kind, name, target)
        if not self.chance(0.45):
            return self.literal(kind, name, target)
        return self.variable(kind, name, draw, optional=declared.default_value is not Undefined)

    def variable(self, kind: Any, name: str, draw: Draw, *, optional: bool = False) -> str:
        own = self.name(name)
        required = isinstance(kind, GraphQLNonNull)
        if self.chance(0.4):
            self.declared[own] = f"${own}: {kind} = {_literal(kind, draw(self.rng))}"
            self.variables[own] = lambda rng: draw(rng) if rng.random() < 0.5 else Undefined
        elif required:
            self.declared[own] = f"${own}: {kind}"
            self.variables[own] = draw
        else:
            self.declared[own] = f"${own}: {kind}"
            self.variables[own] = lambda rng: rng.choice((draw(rng), draw(rng), draw(rng), None, Undefined))
        return f"${own}"

    def literal(self, kind: Any, name: str, target: str) -> str:
        """A literal, in which there may be variables."""
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLInputObjectType) and (self.chance(0.1) or not _period(inner)):
            parts = []
            for each, declared in inner.fields.items():
                if isinstance(declared.type, GraphQLNonNull) or self.chance(1.5 / len(inner.fields)):
                    parts.append(f"{each}: {self.argument(declared, each, target)}")
            return f"{{{', '.join(parts)}}}"
        return _literal(inner, _drawing(inner, name, target)(self.rng))


def _drawing(kind: Any, name: str, target: str) -> Draw:
    """How values of an input type are drawn, that mostly make sense for the argument of that name."""
    if isinstance(kind, GraphQLNonNull):
        return _drawing(kind.of_type, name, target)
    if isinstance(kind, GraphQLList):
        one = _drawing(kind.of_type, name, target)
        return lambda rng: [one(rng) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 5)))]
    if isinstance(kind, GraphQLEnumType):
        values = list(kind.values)
        return lambda rng: rng.choice(values)
    if isinstance(kind, GraphQLInputObjectType):
        parts = {each: _drawing(of.type, each, target) for each, of in kind.fields.items()}
        needed = [each for each, of in kind.fields.items() if isinstance(of.type, GraphQLNonNull)]

        def make(rng: Random) -> dict[str, object]:
            some = rng.sample(list(parts), min(len(parts), rng.choice((0, 1, 1, 1, 2))))
            whole = list(parts) if _period(kind) and rng.random() < 0.95 else []
            return {each: parts[each](rng) for each in dict.fromkeys((*needed, *some, *whole))}

        return make
    return _LEAVES[kind.name](name, _LEADS.get(name, target))


def _period(kind: GraphQLInputObjectType) -> bool:
    """Whether it is a beginning and an end."""
    return tuple(kind.fields) in _PAIRS or tuple(reversed(kind.fields)) in _PAIRS


def _id(name: str, target: str) -> Draw:
    def make(rng: Random) -> str:
        id, lot = rng.choice(_pool(target)), rng.random()
        if lot < 0.85:
            return id
        return rng.choice((id.upper(), f"{{{id}}}", f" {id}")) if lot < 0.98 else rng.choice(("", "no id", "0" * 300))

    return make


def _text(name: str, target: str) -> Draw:
    if name in ("presentIn", "absentFrom", "source"):
        return lambda rng: rng.choice((*SOURCES[:2], *SOURCES)) if rng.random() < 0.97 else "nobody"
    if name == "after":
        return lambda rng: rng.choice(("", "no cursor", "AAAA"))
    return lambda rng: rng.choice((*WORDS, *NAMES, INVENTED, "201001019999", "1000", "Lärare"))


def _integer(name: str, target: str) -> Draw:
    if name == "first":
        return lambda rng: rng.choice((0, -1, 2**31 - 1)) if rng.random() < 0.03 else rng.choice((1, 2, 3, 50))
    return lambda rng: rng.choice((0, 1, 9, 100, 2**31 - 1, -(2**31)))


def _any(*values: object) -> Callable[[str, str], Draw]:
    return lambda name, target: lambda rng: rng.choice(values)


def _time(kind: str) -> Callable[[str, str], Draw]:
    def of(name: str, target: str) -> Draw:
        ends = [place for pair in _PAIRS for place, each in zip(("begins", "ends"), pair, strict=True) if each == name]
        usual = _WHEN[kind][ends[0] if ends else ""]
        return lambda rng: rng.choice(usual if rng.random() < 0.95 else _WHEN[kind][""])

    return of


_LEAVES: Mapping[str, Callable[[str, str], Draw]] = {
    "ID": _id,
    "String": _text,
    "Int": _integer,
    "Boolean": _any(True, False),
    "Date": _time("Date"),
    "DateTime": _time("DateTime"),
}


def _literal(kind: Any, value: object) -> str:
    """A value as it is written in a document."""
    if isinstance(kind, GraphQLNonNull):
        return _literal(kind.of_type, value)
    if isinstance(value, list):
        return f"[{', '.join(_literal(kind.of_type, each) for each in value)}]"
    if isinstance(value, dict):
        inner = {each: _literal(kind.fields[each].type, of) for each, of in value.items()}
        return f"{{{', '.join(f'{each}: {of}' for each, of in inner.items())}}}"
    return str(value) if isinstance(kind, GraphQLEnumType) else json.dumps(value, ensure_ascii=False)


def document(rng: Random, roots: Sequence[str] | None = None) -> Document:
    """A document; of ``roots`` alone, where they are given."""
    writer = _Writer(rng)
    query = _types()["Query"]
    scope = _Scope()
    parts = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        name = rng.choice(roots or list(query.fields))
        parts.append(writer.field(query, name, scope, rng.choice((2, 3, DEPTH))))
        if rng.random() < 0.1:
            parts[-1] = f"... on Query {{ {parts[-1]} }}"
    if rng.random() < 0.1:
        parts.append("__typename")
    if rng.random() < 0.03:
        parts.append('__type(name: "Person") { name fields { name type { name } } }')
    body = " ".join(parts)
    fragments = _spread(body, writer.fragments)
    used = set(re.findall(r"\$(\w+)", " ".join((body, *fragments))))
    declared = [each for name, each in writer.declared.items() if name in used]
    head = f"({', '.join(declared)})" if declared else ""
    lines = [f"query Asked{head} {{ {body} }}", *fragments]
    several = rng.random() < 0.05
    if several:
        lines.append("query Other { sources { name } }")
    variables = {name: draw for name, draw in writer.variables.items() if name in used}
    return Document("\n".join(lines), variables, "Asked" if several else None, frozenset(writer.fields))


@cache
def dense(resource: str) -> Document:
    """Some records of a resource, with everything in them that needs no other record."""
    of, asked = _types()[resource], set[tuple[str, str]]()
    text = f"query($ids: [ID!]!) {{ {RESOURCES[resource].plural}ByIds(ids: $ids) {{ {_everything(of, 3, asked)} }} }}"
    pool = _pool(resource)
    return Document(text, {"ids": lambda rng: rng.sample(pool, len(pool))}, None, frozenset(asked))


def fields_of(resource: str) -> list[str]:
    """Everything in a resource's records that needs no other record, field by field."""
    return _parts(_types()[resource], 3, set())


def _everything(of: Any, depth: int, asked: set[tuple[str, str]]) -> str:
    return " ".join(_parts(of, depth, asked) or ("__typename",))


def _parts(of: Any, depth: int, asked: set[tuple[str, str]]) -> list[str]:
    parts = []
    for name, each in of.fields.items():
        inner = get_named_type(each.type)
        leads = of.name in RESOURCES and name not in RESOURCES[of.name].columns
        if name in ("provenance", "raw") or any(isinstance(arg.type, GraphQLNonNull) for arg in each.args.values()):
            continue
        if is_leaf_type(inner):
            parts.append(name)
        elif depth and inner.name not in RESOURCES and not leads:
            parts.append(f"{name} {{ {_everything(inner, depth - 1, asked)} }}")
        else:
            continue
        asked.add((of.name, name))
    return parts


def _spread(body: str, fragments: Mapping[str, str]) -> list[str]:
    """The fragments that a body spreads, and those that they spread."""
    found: dict[str, str] = {}
    left = [body]
    while left:
        for name in re.findall(r"\.\.\.(x?F\d+)", left.pop()):
            if name not in found:
                found[name] = fragments[name]
                left.append(fragments[name])
    return list(found.values())


def grown(asked: Document, rng: Random) -> Document:
    """The document with more selected in some places, under keys of its own: fields, records below, root fields."""
    writer = _Writer(rng, added=True)
    types = TypeInfo(schema()._schema)

    class Adding(Visitor):
        def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode | None:
            of = types.get_parent_type()
            if of is None or of.name.startswith("__") or rng.random() > 0.35:
                return None
            if of.name == "Query":
                added = writer.field(of, rng.choice(list(of.fields)), _Scope(), 2)
            else:
                writer.left = 6
                added = writer.selection(of, _Scope(), rng.choice((0, 0, 1, 2)))
            (more,) = parse(f"{{ {added} }}").definitions
            assert isinstance(more, OperationDefinitionNode)
            return SelectionSetNode(selections=(*node.selections, *more.selection_set.selections))

    definitions = visit(asked.parsed, TypeInfoVisitor(types, Adding())).definitions
    operation = next(each for each in definitions if isinstance(each, OperationDefinitionNode))
    others = [print_ast(each) for each in definitions if isinstance(each, FragmentDefinitionNode)]
    body = print_ast(operation.selection_set)
    fragments = _spread(" ".join((body, *others)), writer.fragments | _fragments(asked))
    fragments = [each for each in fragments if each not in _fragments(asked).values()]
    used = set(re.findall(r"\$(\w+)", " ".join((body, *others, *fragments))))
    declared = [print_ast(each) for each in operation.variable_definitions or ()]
    declared += [each for name, each in writer.declared.items() if name in used]
    head = f"({', '.join(declared)})" if declared else ""
    text = "\n".join([*others, f"query Asked{head} {body}", *fragments])
    variables = asked.variables | {name: draw for name, draw in writer.variables.items() if name in used}
    return Document(text, variables, None, asked.fields | writer.fields)


def _fragments(asked: Document) -> dict[str, str]:
    """The fragments of a document."""
    definitions = asked.parsed.definitions
    return {each.name.value: print_ast(each) for each in definitions if isinstance(each, FragmentDefinitionNode)}
