"""What /deletedEntities says, in either of the forms that are in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .canonical import read_id
from .capabilities import Capabilities
from .errors import CallError, FaultCode
from .paging import following
from .standard import RESOURCES
from .standard.feeds import DELETED_KEYS

_RESOURCE_OF = {**DELETED_KEYS, **{name.casefold(): name for name in RESOURCES}}
"""Resource names by every spelling that is seen for them, case-folded: the keys of the lists, the entities' names."""

_TYPE_KEYS = ("entityType", "entity", "resource", "type")
"""Where an entry of the flat form names its resource."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ids by resource name. ``unreadable``: something in it was no id, or of no known form."""

    ids: Mapping[str, frozenset[str]]
    unreadable: bool
    next: str | None

    @property
    def names(self) -> frozenset[str]:
        """What stands on the page, each with its resource."""
        return frozenset(f"{name} {identity}" for name, ids in self.ids.items() for identity in ids)


def read(decoded: object, capabilities: Capabilities, token: str | None) -> Page:
    """Read a page that was asked for with ``token``.

    It is ``{"data": {"persons": [id, …]}}``, or ``{"data": [{"entityType": …, "id": …}, …]}``, or bare.
    Keys are read in any case and in both numbers; those of no readable resource (subscriptions) are passed over.
    Raises CallError (SOURCE_ANSWER_INVALID) where it is neither form.
    """
    data = decoded.get("data", decoded) if isinstance(decoded, dict) else decoded
    if isinstance(data, list):
        entries = [(_type_of(entry), entry) for entry in data]
    elif isinstance(data, dict):
        lists = [(key, value) for key, value in data.items() if key != "pageToken" and value is not None]
        if not all(isinstance(value, list) for key, value in lists if key.casefold() in _RESOURCE_OF):
            raise CallError(FaultCode.SOURCE_ANSWER_INVALID)
        entries = [(key, entry) for key, value in lists if isinstance(value, list) for entry in value]
    else:
        raise CallError(FaultCode.SOURCE_ANSWER_INVALID)
    ids: dict[str, set[str]] = {}
    unreadable = False
    for key, entry in entries:
        identity = read_id(entry.get("id") if isinstance(entry, dict) else entry)
        if key is None or identity is None:
            unreadable = True
        elif key.casefold() in _RESOURCE_OF:
            ids.setdefault(_RESOURCE_OF[key.casefold()], set()).add(identity)
    next_page = following(capabilities, decoded, len(entries), token)
    return Page({name: frozenset(found) for name, found in ids.items()}, unreadable, next_page)


def _type_of(entry: object) -> str | None:
    if isinstance(entry, dict):
        for key in _TYPE_KEYS:
            if isinstance(entry.get(key), str):
                return str(entry[key])
    return None


def united(pages: Iterable[Page], entities: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """All pages together; only of ``entities`` where some are named, for sources that send the rest as well."""
    result: dict[str, frozenset[str]] = {}
    for page in pages:
        for name, ids in page.ids.items():
            if not entities or name in entities:
                result[name] = result.get(name, frozenset()) | ids
    return result
