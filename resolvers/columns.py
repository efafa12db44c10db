"""Many columns of many records: generated code that coalesces the sources' rows as ``merge.value`` would.

``Entity.value`` asks, for every value anew, who speaks and who has a row. For a list that is the same for all records,
so that it is written down once, as Python source. What depends on the single record (scopes, ``when``), what is united
and what has a rule of its own is left to ``merge``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType

from . import merge
from .authority import STRICTEST, Rules
from .entity import Entity
from .operation import Operation

Read = Callable[[Entity], Sequence[object]]
"""The merged values of a record, in the order of the columns asked for; all None where nobody has it."""


def reader(operation: Operation, rules: Rules, columns: Sequence[str]) -> Read:
    """How the columns of a resource's records are read in this operation, once their rows are in hand."""
    if not rules.settled or rules.scopes:
        return _one_by_one(columns)
    code = _code(rules, tuple(columns))
    namespace: dict[str, object] = {
        f"rows{number}": operation.rows(name, rules.resource.name).get for number, name in enumerate(rules.servers)
    }
    namespace |= {"merged": merge.value, "ABSENT": object(), "NOTHING": (None,) * len(columns), "EMPTY": {}}
    exec(code, namespace)
    made: Read = namespace["read"]  # type: ignore[assignment]
    return made


def _one_by_one(columns: Sequence[str]) -> Read:
    return lambda entity: [entity.value(column) for column in columns]


@lru_cache(maxsize=2048)
def _code(rules: Rules, columns: Sequence[str]) -> CodeType:
    return _compiled(_source(rules, columns))


@lru_cache(maxsize=512)
def _compiled(source: str) -> CodeType:
    return compile(source, "<columns>", "exec")


def _source(rules: Rules, columns: Sequence[str]) -> str:
    numbers = {name: number for number, name in enumerate(rules.servers)}
    asked = {speaker.source for column in columns for speaker in rules.speakers(column)} | {*rules.population}
    lines = ["def read(entity):", "    id = entity.id"]
    for number in sorted(numbers[name] for name in asked if name in numbers):
        lines.append(f"    row{number} = rows{number}(id)")
    known = [f"row{numbers[name]} is None" for name in rules.population]
    lines.append(f"    if {' and '.join(known) or 'True'}: return NOTHING")
    for number in sorted(numbers[name] for name in asked if name in numbers):
        lines.append(
            f"    record{number} = EMPTY if row{number} is None else row{number}.slab.records[row{number}.index]"
        )
    for place, column in enumerate(columns):
        lines += _column(rules, numbers, column, f"value{place}")
    values = "".join(f"value{place}, " for place in range(len(columns)))
    return "\n".join([*lines, f"    return ({values})"])


def _column(rules: Rules, numbers: dict[str, int], column: str, value: str) -> list[str]:
    """The statements that find one value: the first speaker's that says something."""
    if column == "meta":
        return [f"    {value} = merged(entity, 'meta')"]
    speakers = rules.speakers(column)
    if not speakers:
        return [f"    {value} = None"]
    united = rules.resource.columns[column].many and rules.unites(column)
    if len(speakers) == 1:
        lines = [f"    {value} = record{numbers[speakers[0].source]}.get({column!r})"]
        if united:  # it may have an entry twice
            lines.append(f"    if {value}.__class__ is list and len({value}) > 1: {value} = merged(entity, {column!r})")
        return lines
    if united or column == STRICTEST:
        return [f"    {value} = merged(entity, {column!r})"]
    lines = [f"    {value} = ABSENT"]
    for speaker in speakers:
        number = numbers[speaker.source]
        silent = not speaker.declared and rules.capabilities[speaker.source].null_is_absent
        lines += [
            f"    if {value} is ABSENT and row{number} is not None:",
            f"        {value} = record{number}.get({column!r}, {'None' if speaker.declared else 'ABSENT'})",
            *([f"        if {value} is None: {value} = ABSENT"] if silent else []),
        ]
    return [*lines, f"    if {value} is ABSENT: {value} = None"]
