"""The same records under ids of a source's own: the id of each thing, and every reference to it, rewritten."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

from sources.standard.values import references

Record = dict[str, object]
Records = Mapping[str, Sequence[Record]]


def own_id(source: str, id: str) -> str:
    """What the source calls the thing."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source}/{id}"))


def renamed(source: str, records: Records, resources: Collection[str]) -> dict[str, list[Record]]:
    """All records of a source, with its own ids for things of these resources."""
    found: dict[str, list[Record]] = {}
    for name, of in records.items():
        paths = [each.path for each in references() if each.resource == name and each.target in resources]
        found[name] = []
        for record in of:
            changed: object = record
            for path in paths:
                changed = _rename(changed, path, source)
            assert isinstance(changed, dict)
            if name in resources:
                changed = {**changed, "id": own_id(source, str(record["id"]))}
            found[name].append(changed)
    return found


def _rename(value: object, path: tuple[str, ...], source: str) -> object:
    if isinstance(value, list):
        return [_rename(item, path, source) for item in value]
    if not isinstance(value, dict):
        return value
    if not path:
        return {**value, "id": own_id(source, value["id"])}
    return {**value, path[0]: _rename(value[path[0]], path[1:], source)} if path[0] in value else value
