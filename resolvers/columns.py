"""Many columns of many records: generated code that coalesces the sources' rows as ``merge.value`` would.

``Entity.value`` asks, for every value anew, who speaks and who has a row. For a list that is the same for all records,
so that it is written down once, as Python source. What depends on the single record (scopes, ``when``), and what is
united from several or has a rule of its own, is left to ``merge``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import UNSET

from sources.shape import Shape
from sources.standard.model import Reference, Structure

from . import merge
from .authority import STRICTEST, Rules
from .contracts import Want
from .entity import Entity
from .operation import Operation
from .policy import OPEN_MARKING

Read = Callable[[Iterable[Entity]], "list[Sequence[object] | None]"]
"""Of each record its merged values, in the order of the columns asked for; None where nobody has it."""

Parts = Mapping[str, frozenset[str]]
"""Of columns that are objects, or lists of such, the properties of these that are read."""


MOST = 512
"""Readers that are kept per resource; then all are made anew."""


class Unread(Exception):
    """A record of which the parts alone do not tell what its column is; the whole column does."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Python source that reads columns of one record after the other.

    ``bound`` stands where ``operation`` is known, ``head`` before the loop, ``tail`` behind it. ``lines`` go from
    ``entity`` to ``value0``, ``value1`` …; where ``known`` (an expression, evaluated behind them) is false, nobody has
    it, and all are None. ``parts`` are the columns that come as objects with attributes instead of as mappings. The
    lines raise Unread.
    """

    bound: Sequence[str]
    head: Sequence[str]
    tail: Sequence[str]
    lines: Sequence[str]
    known: str
    names: Mapping[str, object]
    parts: frozenset[str]


def shape(rules: Rules, want: Want) -> Shape | None:
    """What must be decoded of a source's records for ``want``; None: all of them."""
    if not rules.resource.has_id:
        return None
    return _shape(rules, want.columns, dict(want.parts))


def _shape(rules: Rules, columns: Iterable[str], parts: Parts) -> Shape:
    asked = frozenset(columns).intersection(rules.resource.columns)
    narrowed = {name: names for name in asked & parts.keys() if (names := _narrowed(rules, name, parts)) is not None}
    return Shape(asked, narrowed, tells_absence=len(rules.servers) > 1)


def _narrowed(rules: Rules, column: str, parts: Parts) -> frozenset[str] | None:
    """The properties that entries are decoded by; None where they must be whole: to be merged with others."""
    declared = rules.resource.columns[column]
    assert isinstance(declared.type, Structure)
    if len(rules.speakers(column)) != 1 or not rules.settled or rules.scopes:
        return None
    if not declared.many or not rules.unites(column):
        return parts[column]
    keys = _simple_keys(declared.type)
    return parts[column] | keys if keys else None


def _simple_keys(structure: Structure) -> frozenset[str]:
    """Properties in which two entries that are not the same may differ: part of their key."""
    plain = {p.name for p in structure.properties if not p.many and not isinstance(p.type, Reference | Structure)}
    return frozenset(structure.entry_key) & plain


def reader(operation: Operation, rules: Rules, columns: Sequence[str]) -> Read:
    """How the columns of a resource's records are read in this operation, once their rows are in hand."""
    key = tuple(columns)
    made = rules.readers.get(key)
    if made is None:
        if len(rules.readers) >= MOST:
            rules.readers.clear()
        made = rules.readers[key] = _reader(rules, columns)
    bound: Read = made(operation)  # type: ignore[operator]
    return bound


def _reader(rules: Rules, columns: Sequence[str]) -> Callable[[Operation], Read]:
    read = reading(rules, columns, {})
    values = "".join(f"value{place}, " for place in range(len(columns)))
    source = [
        "def made(operation):",
        *(f"    {line}" for line in read.bound),
        "    def read(entities):",
        "        found = []",
        *(f"        {line}" for line in read.head),
        "        for entity in entities:",
        *(f"            {line}" for line in read.lines),
        f"            found.append(({values}) if {read.known} else None)",
        *(f"        {line}" for line in read.tail),
        "        return found",
        "    return read",
    ]
    namespace = dict(read.names)
    exec(compile("\n".join(source), "<columns>", "exec"), namespace)
    made: Callable[[Operation], Read] = namespace["made"]  # type: ignore[assignment]
    return made


def reading(rules: Rules, columns: Sequence[str], parts: Parts) -> Reading:
    """How they are read one by one, in code of which this is a part. ``parts``: columns that may come in parts."""
    if not rules.settled or rules.scopes:
        each = [f"value{place} = entity.value({column!r})" for place, column in enumerate(columns)]
        return Reading((), (), (), each, "entity.exists", {}, frozenset())
    asked = _shape(rules, columns, parts)
    numbers = {name: number for number, name in enumerate(rules.servers)}
    names = {"merged": merge.value, "UNSET": UNSET, "SHAPE": asked, "OPEN": _OPEN, "Unread": Unread}
    speaking = {speaker.source for column in columns for speaker in rules.speakers(column)}
    used = sorted(numbers[name] for name in speaking | {*rules.population} if name in numbers)
    sole = rules.population[0] if len(rules.population) == 1 else None
    known = " or ".join(f"row{numbers[name]} is not None" for name in rules.population) or "False"
    lines = [f"row{number} = rows{number}(entity.id)" for number in used]
    inner = [
        line for name in rules.servers if name in speaking for line in _decoded(numbers[name], certain=name == sole)
    ]
    for place, column in enumerate(columns):
        inner += _column(rules, numbers, column, f"value{place}", column in asked.parts, sole)
    nothing = [f"value{place} = None" for place in range(len(columns))]
    lines += [f"if {known}:", *(f"    {line}" for line in inner or ["pass"])]
    if nothing:
        lines += ["else:", *(f"    {line}" for line in nothing)]
    by_number = {number: name for name, number in numbers.items()}
    bound = [f"rows{n} = operation.rows({by_number[n]!r}, {rules.resource.name!r}).get" for n in used]
    reading = [numbers[name] for name in rules.servers if name in speaking]
    bound += [f"last{n} = [None, None]" for n in reading]
    head = [f"slab{n}, columns{n} = last{n}" for n in reading]
    tail = [f"last{n}[:] = slab{n}, columns{n}" for n in reading]
    return Reading(bound, head, tail, lines, known, names, frozenset(asked.parts))


def reading_decoded(rules: Rules, columns: Sequence[str], parts: Parts) -> tuple[Reading, Shape] | None:
    """How columns are read where one source has all that there is of the records: ``entity`` is the decoded record
    itself, in the shape given. None where that does not tell all of what its columns are."""
    asked = _shape(rules, columns, parts)
    if len(rules.servers) != 1 or not rules.settled or rules.scopes:
        return None
    lines: list[str] = []
    for place, column in enumerate(columns):
        value, in_parts = f"value{place}", column in asked.parts
        if column not in asked.columns or (column == "meta" and not in_parts):
            return None
        lines.append(f"{value} = entity.{column}" if rules.speakers(column) else f"{value} = None")
        if rules.resource.columns[column].many and rules.unites(column):
            again = _distinct(rules, column, value) if in_parts else "raise Unread"
            lines += [f"if {value}.__class__ is list and len({value}) > 1:", f"    {again}"]
    return Reading((), (), (), lines, "True", {"Unread": Unread}, frozenset(asked.parts)), asked


_OPEN = frozenset({UNSET, None, OPEN_MARKING})


def _decoded(number: int, *, certain: bool) -> list[str]:
    """From the row of a source to its record's columns."""
    lines = [
        f"if row{number}.slab is not slab{number}:",
        f"    columns{number} = row{number}.slab.columns(SHAPE)",
        f"    slab{number} = row{number}.slab",
        f"record{number} = columns{number}[row{number}.index]",
    ]
    return lines if certain else [f"if row{number} is not None:", *(f"    {line}" for line in lines)]


def _column(
    rules: Rules, numbers: Mapping[str, int], column: str, value: str, in_parts: bool, sole: str | None
) -> list[str]:
    """The statements that find one value: the first speaker's that says something."""
    speakers = rules.speakers(column)
    if not speakers:
        return [f"{value} = None"]
    if column == "meta" and not in_parts:
        return [f"{value} = merged(entity, 'meta')"]
    united = rules.resource.columns[column].many and rules.unites(column)
    if len(speakers) == 1:
        number = numbers[speakers[0].source]
        said = f"record{number}.{column}"
        if speakers[0].source != sole:
            said = f"None if row{number} is None else {said}"
        lines = [f"{value} = {said}"]
        if len(rules.servers) > 1:
            lines.append(f"if {value} is UNSET: {value} = None")
        if united:  # it may have an entry twice
            again = _distinct(rules, column, value) if in_parts else f"{value} = merged(entity, {column!r})"
            lines += [f"if {value}.__class__ is list and len({value}) > 1:", f"    {again}"]
        return lines
    if column == STRICTEST:
        each = [numbers[speaker.source] for speaker in speakers]
        tests = " and ".join(f"(row{n} is None or record{n}.{column} in OPEN)" for n in each)
        any_open = " or ".join(f"(row{n} is not None and record{n}.{column} == {OPEN_MARKING!r})" for n in each)
        return [
            f"if {tests}: {value} = {OPEN_MARKING!r} if {any_open} else None",
            f"else: {value} = merged(entity, {column!r})",
        ]
    if united:
        return [f"{value} = merged(entity, {column!r})"]
    lines = [f"{value} = UNSET"]
    for speaker in speakers:
        number = numbers[speaker.source]
        silent = not speaker.declared and rules.capabilities[speaker.source].null_is_absent
        lines += [
            f"if {value} is UNSET and row{number} is not None:",
            f"    {value} = record{number}.{column}",
            *([f"    if {value} is UNSET: {value} = None"] if speaker.declared else []),
            *([f"    if {value} is None: {value} = UNSET"] if silent else []),
        ]
    return [*lines, f"if {value} is UNSET: {value} = None"]


def _distinct(rules: Rules, column: str, value: str) -> str:
    kind = rules.resource.columns[column].type
    assert isinstance(kind, Structure)
    key = "".join(f"each.{name}, " for name in sorted(_simple_keys(kind)))
    return f"if len({{({key}) for each in {value}}}) < len({value}): raise Unread"
