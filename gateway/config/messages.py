"""pydantic's errors in the file's own terms: the key path, and the fix. Values are never repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from .fields import PROBLEM
from .problems import KeyPath, suggestion

# JSON Schema is a tree of untyped JSON by nature.
Schema = Mapping[str, Any]

_PLAIN = {
    "missing": "is required.",
    "string_type": "must be text. Put quotes around it.",
    "int_type": "must be a whole number.",
    "int_parsing": "must be a whole number.",
    "int_from_float": "must be a whole number.",
    "bool_type": "must be true or false.",
    "bool_parsing": "must be true or false.",
    "model_type": "must be a mapping of keys to values.",
    "model_attributes_type": "must be a mapping of keys to values.",
    "dict_type": "must be a mapping of keys to values.",
    "tuple_type": "must be a list.",
    "string_pattern_mismatch": "may hold ASCII letters, digits and hyphens only, and is of limited length.",
    "string_too_short": "is empty.",
}


def translate(error: ErrorDetails, data: object, schema: Schema) -> tuple[KeyPath, str]:
    """The key path and the message for one pydantic error in ``data``; ``schema`` is the file's JSON Schema."""
    kind = error["type"]
    context: Mapping[str, object] = error.get("ctx") or {}
    path = key_path(error["loc"], data)
    if kind == PROBLEM:
        return path, str(context["text"])
    if kind == "extra_forbidden":
        return path, f"is not a key here. {suggestion(str(path[-1]), keys(schema, path[:-1], data))}"
    if kind == "union_tag_not_found":
        return (*path, "type"), "is required: one of none, bearer, api_key, oauth2."
    if kind == "union_tag_invalid":
        return (*path, "type"), f"must be one of {context['expected_tags']}."
    if kind in ("literal_error", "enum"):
        return path, f"must be {context['expected']}."
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        return path, f"must be at {'least' if 'ge' in context else 'most'} {bound}."
    if kind in ("too_short", "missing") and path == ("sources",):
        return path, "must name at least one source."
    if kind == "too_short":
        return path, "is empty. Name at least one."
    return path, _PLAIN.get(kind, "is not valid here.")


def key_path(location: Sequence[int | str], data: object) -> KeyPath:
    """The path of keys in ``data`` for pydantic's location, which also holds the names of union members."""
    path: list[int | str] = []
    here: object = data
    for index, step in enumerate(location):
        if isinstance(here, Mapping):
            last = index == len(location) - 1
            if step == "[key]" or (step not in here and not last):
                continue
            path.append(step)
            here = here.get(step)
        elif isinstance(here, list | tuple) and isinstance(step, int):
            path.append(step)
            here = here[step] if step < len(here) else None
    return tuple(path)


def keys(schema: Schema, path: KeyPath, data: object) -> list[str]:
    """The keys that may stand in the mapping at ``path``; of several shapes, those of the one that ``type`` names."""
    here = _resolve(schema, schema)
    value = data
    for step in path:
        here = _variant(here, value, schema)
        value = value.get(step) if isinstance(value, Mapping) else None
        named = [*here.get("patternProperties", {}).values(), here.get("additionalProperties"), here.get("items")]
        here = _resolve(here.get("properties", {}).get(step) or next(filter(None, named), {}), schema)
    return list(_variant(here, value, schema).get("properties", {}))


def _variant(here: Schema, value: object, schema: Schema) -> Schema:
    mapping = here.get("discriminator", {}).get("mapping", {})
    tag = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(tag, str) or tag not in mapping:
        return here
    return _resolve({"$ref": mapping[tag]}, schema)


def _resolve(here: Schema, schema: Schema) -> Schema:
    while "$ref" in here:
        here = schema["$defs"][here["$ref"].removeprefix("#/$defs/")]
    return here
