"""What one source's list leaves behind once it is read: ids, who refers to whom, digests and tallies.

No value of a record is kept, but of enumerations those that the standard does not know: values are compared by keyed
digests, under a key of one run. So a survey of a whole municipality fits into memory, and there is nothing in it that
a report could give away.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

import orjson

from sources.records import Record, Slab
from sources.standard import RESOURCES
from sources.standard.common import SECURITY_MARKING
from sources.standard.model import Enumeration, Property, PropertyType, Reference, Scalar, Structure
from sources.standard.values import references

from .authority import STRICTEST, Rules, entry_key
from .instants import instant

SIZE = 8
"""Bytes of a digest."""
SILENT = bytes(SIZE)
"""The source says nothing about the property."""
NONE = bytes(SIZE - 1) + b"\x01"
"""The source says that there is none."""
MAX_VALUES = 50
"""The most unknown values of one property that are told apart."""

_REFERRED = frozenset(reference.target for reference in references())
"""The resources that something refers to."""

Path = str
"""Property names from the record inwards, joined by dots."""


class Kind(StrEnum):
    """What can be wrong, the worst first."""

    NOT_READ = "not_read"
    NO_ID = "no_id"
    DUPLICATE_ID = "duplicate_id"
    OTHER_ID = "other_id"
    DUPLICATE_KEY = "duplicate_key"
    WRONG_TYPE = "wrong_type"
    MISSING = "missing_required"
    DANGLING = "dangling"
    UNKNOWN_VALUE = "unknown_value"
    ORPHAN = "orphan"
    DISAGREEMENT = "disagreement"


@dataclass(slots=True)
class Tally:
    """How many, and ids of the first of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, id: str, keep: int) -> None:
        self.count += 1
        if len(self.examples) < keep and id not in self.examples:
            self.examples.append(id)


class Digests:
    """Keyed digests of one run: equal values have equal ones, and nobody can compute them from outside."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._ids: dict[str, str] = {}
        self.markings = {self.of(each): rank for rank, each in enumerate(SECURITY_MARKING.values)}
        """How strict a marking is, by its digest."""
        self.names: set[bytes] = set()
        """The words in the names of the persons that came."""

    def of(self, value: object) -> bytes:
        return blake2b(orjson.dumps(value), key=self._key, digest_size=SIZE).digest()

    def words(self, text: str) -> Iterator[bytes]:
        """The words of a text, whatever their case."""
        return (self.of(word) for word in re.findall(r"[^\W\d_]+", text.casefold()))

    def same(self, id: str) -> str:
        """An equal id, always the same object: what is referred to comes many times."""
        return self._ids.setdefault(id, id)


@dataclass(slots=True)
class _Seen:
    """What one record shows."""

    missing: dict[Path, None] = field(default_factory=dict)
    unknown: dict[tuple[Path, str], None] = field(default_factory=dict)
    references: dict[tuple[Path, str, str], None] = field(default_factory=dict)
    """Path, target resource, id."""


class Survey:
    """One list of one source. ``add`` its slabs; ``begin_part`` between the parts of a period that is split."""

    def __init__(self, source: str, rules: Rules, digests: Digests, examples: int) -> None:
        self.source = source
        self.resource = rules.resource.name
        self.records = 0
        self.code: str | None = None
        """Why the list is not whole: a fault's code."""
        self.status: int | None = None
        self.ids: set[str] = set()
        self.tallies: dict[tuple[Kind, Path, str], Tally] = {}
        """By kind, path, and what was expected of a value that could not be read."""
        self.unknown: dict[Path, dict[str, int]] = {}
        self.references: dict[tuple[Path, str], dict[str, Tally]] = {}
        """By path and target resource: the target's id, and who refers to it."""
        self.said: dict[str, bytes] = {}
        """Per id, the digests of ``columns``, one after the other."""
        self.entries: dict[str, dict[str, bytes]] = {}
        """Per united list and id, a digest of each entry's key and one of its content, one after the other."""
        self.keys: dict[str, dict[bytes, str]] = {}
        """Per strong key, its digest and whose it is."""
        self._digests = digests
        self._examples = examples
        self._earlier: set[str] = set()
        capabilities = rules.capabilities[source]
        holds = capabilities.holds.get(self.resource)
        lacks = capabilities.list_lacks.get(self.resource, frozenset())
        self._null_is_absent = capabilities.null_is_absent
        self._properties = RESOURCES[self.resource].properties
        self._excused = lacks if holds is None else lacks | (frozenset(rules.resource.columns) - holds - {"id", "meta"})
        """What the configuration says that these records do not have."""
        compared = [c for c in rules.resource.columns if _compared(rules, c, source)]
        self._declared = {c for c in compared if holds is not None and c in holds and c not in lacks}
        self._united = [c for c in compared if _by_entry(rules, c)]
        self.columns = [c for c in compared if c not in self._united]

    @property
    def complete(self) -> bool:
        return self.code is None

    def fail(self, code: str, status: int | None = None) -> None:
        self.code, self.status = code, status

    def begin_part(self) -> None:
        """What came before may come again: the parts of a period overlap."""
        self._earlier = set(self.ids)

    def add(self, slab: Slab) -> None:
        if slab.unusable:
            self._tally(Kind.NO_ID, "").count += slab.unusable
        referred = self.resource in _REFERRED
        for index, (id, record) in enumerate(zip(slab.ids, slab.records, strict=True)):
            self._add(self._digests.same(id) if referred else id, record, slab.issues.get(index, ()))

    def _add(self, id: str, record: Record, issues: Sequence[str]) -> None:
        if id in self._earlier:
            return
        self.records += 1
        if id in self.ids:
            self._tally(Kind.DUPLICATE_ID, "").add(id, self._examples)
            return  # the first one counts, as everywhere
        self.ids.add(id)
        unreadable = set()
        for issue in issues:
            path, _, expected = issue.partition(": ")
            unreadable |= {path, path.removesuffix(".id")}
            self._tally(Kind.WRONG_TYPE, path, expected).add(id, self._examples)
        seen = _Seen()
        _inspect(record, self._properties, "", seen)
        for path in seen.missing:
            if path not in unreadable and path not in self._excused:
                self._tally(Kind.MISSING, path).add(id, self._examples)
        self._note_unknown(id, seen)
        for path, target, referred in seen.references:
            known = self.references.setdefault((path, target), {})
            if RESOURCES[target].window:
                continue  # read for a period only: it cannot be known what is not there
            referred = self._digests.same(referred)
            tally = known.get(referred)
            if tally is None:
                tally = known[referred] = Tally()
            tally.add(id, self._examples)
        self._note_values(id, record)
        self._note_keys(id, record)
        if self.resource == "Person":
            for column in RESOURCES["Person"].parameter["nameContains"].columns:
                self._digests.names.update(self._digests.words(str(record.get(column) or "")))

    def _tally(self, kind: Kind, path: Path, detail: str = "") -> Tally:
        return self.tallies.setdefault((kind, path, detail), Tally())

    def _note_unknown(self, id: str, seen: _Seen) -> None:
        for path in dict.fromkeys(path for path, _ in seen.unknown):
            self._tally(Kind.UNKNOWN_VALUE, path).add(id, self._examples)
        for path, value in seen.unknown:
            values = self.unknown.setdefault(path, {})
            if value in values or len(values) < MAX_VALUES:
                values[value] = values.get(value, 0) + 1

    def _note_values(self, id: str, record: Record) -> None:
        if self.columns:
            self.said[id] = b"".join(self._said(record, column) for column in self.columns)
        for column in self._united:
            said = record.get(column)
            if isinstance(said, list) and said:
                self.entries.setdefault(column, {})[id] = b"".join(self._entries(column, said))

    def _said(self, record: Record, column: str) -> bytes:
        if column not in record or (record[column] is None and self._null_is_absent):
            return NONE if column in self._declared else SILENT
        declared = RESOURCES[self.resource].columns[column]
        value = comparable(declared.type, record[column], many=declared.many)
        return NONE if value is None else self._digests.of(value)

    def _entries(self, column: str, said: Sequence[object]) -> Iterator[bytes]:
        kind = RESOURCES[self.resource].columns[column].type
        structure = kind if isinstance(kind, Structure) else None
        for entry in said:
            # repr, not JSON: an entry's key is made of tuples
            yield self._digests.of(repr(entry_key(structure, entry)))
            yield self._digests.of(comparable(kind, entry))

    def _note_keys(self, id: str, record: Record) -> None:
        for name, read in STRONG_KEYS.get(self.resource, {}).items():
            known = self.keys.setdefault(name, {})
            for digest in {self._digests.of(key) for key in read(record)}:
                if known.setdefault(digest, id) != id:
                    self._tally(Kind.DUPLICATE_KEY, name).add(id, self._examples)

    def values(self, column: str) -> Iterator[tuple[str, bytes]]:
        """What the source says for one of ``columns``, per id; nothing where it is silent."""
        if column not in self.columns:
            return
        start = self.columns.index(column) * SIZE
        for id, said in self.said.items():
            digest = said[start : start + SIZE]
            if digest != SILENT:
                yield id, digest


def _compared(rules: Rules, column: str, source: str) -> bool:
    """Whether what the source says for a column is held against what another says."""
    names = rules.speaker_names(column)
    return column not in ("id", "meta") and len(names) > 1 and source in names


def _by_entry(rules: Rules, column: str) -> bool:
    return column != STRICTEST and rules.resource.columns[column].many and rules.unites(column)


def _inspect(value: Mapping[str, object], properties: Sequence[Property], prefix: str, seen: _Seen) -> None:
    """Note what is missing, unknown or referred to in an object of these properties, and inside it."""
    for declared in properties:
        path = prefix + declared.name
        found = value.get(declared.name)
        if found is None:
            if declared.required:
                seen.missing[path] = None
            continue
        kind = declared.type
        if isinstance(kind, Scalar):
            continue
        for item in found if isinstance(found, list) else (found,):
            if isinstance(kind, Enumeration):
                if item not in kind.values and item != "":
                    seen.unknown[path, str(item)] = None
            elif not isinstance(item, Mapping):
                continue
            elif isinstance(kind, Reference):
                seen.references[path, kind.target, str(item["id"])] = None
            else:
                _inspect(item, kind.properties, f"{path}.", seen)


def comparable(kind: PropertyType, value: object, *, many: bool = False) -> object:
    """The fact in a canonical value, as JSON that is equal where the fact is; None where there is none.

    Instants are compared, not their spelling; references by id; lists without regard to order; null is as good as
    left out, and no entry as good as no list.
    """
    if many and isinstance(value, list):
        items = [comparable(kind, item) for item in value]
        return sorted(items, key=orjson.dumps) or None
    if isinstance(kind, Reference) and isinstance(value, Mapping):
        return value["id"]
    if isinstance(kind, Structure) and isinstance(value, Mapping):
        inner = ((p.name, comparable(p.type, value.get(p.name), many=p.many)) for p in kind.properties)
        return [[name, item] for name, item in inner if item is not None] or None
    if kind is Scalar.DATE_TIME and isinstance(value, str):
        return instant(value).timestamp()
    return value


# Strong keys: what makes two records the same thing, whatever their ids


def _civic_no(record: Record) -> Iterator[str]:
    """The number with its century; one of ten characters gets it from the birth date, or is no key."""
    civic = record.get("civicNo")
    value = civic.get("value") if isinstance(civic, Mapping) else None
    text = re.sub(r"[^0-9A-Z]", "", str(value or "").upper())
    born = str(record.get("birthDate") or "").replace("-", "")
    if len(text) == 10 and len(born) == 8 and text[:4] == born[2:6]:
        text = born[:2] + text
    if len(text) == 12:
        yield text


def _sign_ins(record: Record) -> Iterator[str]:
    names = record.get("eduPersonPrincipalNames")
    yield from (str(name).strip().lower() for name in (names if isinstance(names, list) else ()) if str(name).strip())


def _identifiers(record: Record) -> Iterator[str]:
    entries = record.get("externalIdentifiers")
    for entry in entries if isinstance(entries, list) else ():
        if entry.get("globallyUnique") is True and entry.get("value") and entry.get("context"):
            yield f"{entry['context']}\n{entry['value']}"


def _school_unit(record: Record) -> Iterator[str]:
    code = str(record.get("schoolUnitCode") or "").strip()
    if code:
        yield code


STRONG_KEYS: Mapping[str, Mapping[Path, Callable[[Record], Iterator[str]]]] = {
    "Person": {"civicNo": _civic_no, "eduPersonPrincipalNames": _sign_ins, "externalIdentifiers": _identifiers},
    "Organisation": {"schoolUnitCode": _school_unit},
}
