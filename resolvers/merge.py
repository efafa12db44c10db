"""One value from several sources, column by column, at the moment it is read (design: *Speaking*)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sources.standard.common import SECURITY_MARKING
from sources.standard.model import Property, Reference, Scalar, Structure

from .authority import STRICTEST, entry_key
from .instants import instant
from .places import PLACES, inside, place

if TYPE_CHECKING:
    from .entity import Entity

_ABSENT = object()


def value(entity: Entity, column: str) -> object:
    """The merged value of a column, from the rows in hand of the column's speakers."""
    if column == "meta":
        return _meta(entity)
    if column == STRICTEST:
        return strictest(said for _, said in spoken(entity, column))
    if entity.rules.resource.columns[column].many and entity.rules.unites(column):
        return _united(entity, column)
    return next((said for _, said in spoken(entity, column)), None)


def spoken(entity: Entity, column: str) -> Iterator[tuple[str, object]]:
    """What each speaker with a row says for the column, first authority first.

    A source whose profile declares the column speaks even by leaving it out: that means none. An undeclared one
    speaks only if the column is there; null counts as said, unless the profile says that it means absent.
    """
    scopes = entity.rules.scopes
    for speaker in entity.applied.speakers(column):
        row = entity.row(speaker.source)
        if row is None:
            continue
        said = row.value(column, _ABSENT)
        if said is None and entity.rules.capabilities[speaker.source].null_is_absent:
            said = _ABSENT
        if said is not _ABSENT:
            yield speaker.source, _in_scope(entity, column, speaker.source, said) if scopes else said
        elif speaker.declared:
            yield speaker.source, None


def _in_scope(entity: Entity, column: str, source: str, said: object) -> object:
    """What is said, without the entries that lie outside the source's scope."""
    scope, places = entity.rules.scopes.get(source), PLACES[entity.resource.name]
    if scope is None or column != places.entries or not isinstance(said, list):
        return said
    extents = entity.operation.extents
    return [
        entry
        for entry in said
        if not isinstance(entry, Mapping) or inside(place(places, entry.get), scope, extents) is not False
    ]


def contributors(entity: Entity, column: str) -> tuple[str, ...]:
    """The sources that the merged value of a column comes from (provenance)."""
    said = [(source, content) for source, content in spoken(entity, column)]
    if column == "meta":
        return tuple(source for source, content in said if content is not None)
    if column == STRICTEST:
        winner = strictest(content for _, content in said)
        return tuple(source for source, content in said if content is not None and content == winner)[:1]
    if entity.rules.resource.columns[column].many and entity.rules.unites(column):
        return tuple(source for source, content in said if content)
    return tuple(source for source, content in said[:1] if content is not None)


def conflicts(entity: Entity, column: str) -> tuple[str, ...]:
    """The sources that say something else of a column than its merged value, where nothing is not something.

    In a united list that is another content of an entry that an earlier source has too. ``meta`` is each source's own.
    """
    if column == "meta" or not entity.exists:
        return ()
    prop = entity.rules.resource.columns[column]
    said = [(source, content) for source, content in spoken(entity, column) if content is not None]
    if prop.many and entity.rules.unites(column):
        return _disagreeing(prop, said)
    merged = comparable(prop, entity.value(column))
    return tuple(source for source, content in said if comparable(prop, content) != merged)


def _disagreeing(prop: Property, said: Sequence[tuple[str, object]]) -> tuple[str, ...]:
    structure = prop.type if isinstance(prop.type, Structure) else None
    first: dict[object, tuple[str, object]] = {}
    found: dict[str, None] = {}
    for source, entries in said:
        for entry in entries if isinstance(entries, list) else ():
            content = comparable(replace(prop, many=False), entry)
            earlier, known = first.setdefault(entry_key(structure, entry), (source, content))
            if earlier != source and known != content:
                found[source] = None
    return tuple(found)


def comparable(prop: Property, value: object) -> object:
    """What a value says, so that equal is the same: of references only whom they name, of lists not the order."""
    if value is None:
        return None
    if prop.many and isinstance(value, list):
        return frozenset(Counter(comparable(replace(prop, many=False), each) for each in value).items())
    if isinstance(prop.type, Structure) and isinstance(value, Mapping):
        return tuple(comparable(inner, value.get(inner.name)) for inner in prop.type.properties)
    if isinstance(prop.type, Reference) and isinstance(value, Mapping):
        return value.get("id")
    return instant(str(value)) if prop.type is Scalar.DATE_TIME else value


_STRICTNESS = {marking: rank for rank, marking in enumerate(SECURITY_MARKING.values)}


def strictest(markings: Iterator[object]) -> object:
    """The strictest of the markings said. A marking that the standard does not know counts as protected."""
    found: object = None
    rank = -1
    for marking in markings:
        if marking is None:
            continue
        strictness = _STRICTNESS.get(str(marking), 1)
        if strictness > rank:
            found, rank = marking, strictness
    return found


def _meta(entity: Entity) -> object:
    """The earliest ``created`` and the latest ``modified`` of all sources that have the record."""
    said = [content for _, content in spoken(entity, "meta") if isinstance(content, Mapping)]
    if not said:
        return None
    created = [str(meta["created"]) for meta in said if meta.get("created") is not None]
    modified = [str(meta["modified"]) for meta in said if meta.get("modified") is not None]
    return {
        "created": min(created, key=instant, default=None),
        "modified": max(modified, key=instant, default=None),
    }


def _united(entity: Entity, column: str) -> object:
    """The entries of all speakers, each entry whole from the first that has it; None where nobody gave a list."""
    kind = entity.rules.resource.columns[column].type
    structure = kind if isinstance(kind, Structure) else None
    entries: dict[object, object] = {}
    found = False
    for _, said in spoken(entity, column):
        if isinstance(said, list):
            found = True
            for entry in said:
                entries.setdefault(entry_key(structure, entry), entry)
    return list(entries.values()) if found else None
