"""The official OpenAPI file of SS 12000 2.1.0, corrected, as a source of JSON schemas.

The file is not part of this repository: the environment variable ``SS12000_OPENAPI`` names it. Its own errors are
corrected by a list with reasons, ``fixtures/openapi_corrections.yaml``.
"""

from __future__ import annotations

import copy
import os
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

VARIABLE = "SS12000_OPENAPI"
WITHOUT_FILE = f"the official OpenAPI file of SS 12000 2.1.0 is not in this repository; {VARIABLE} names none"
CORRECTIONS = Path(__file__).parent / "fixtures" / "openapi_corrections.yaml"

needs_openapi = pytest.mark.skipif(not os.environ.get(VARIABLE), reason=WITHOUT_FILE)
"""Marks a test that reads the official file."""


class CorrectionError(Exception):
    """A correction does not meet what it corrects: the official file is not the one the list was made for."""


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """YAML as JSON sees it: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_corrections() -> dict[str, Any]:
    """The fixture: ``corrections`` (a list of where, from, to, reason) and ``exceptions`` (names with reasons)."""
    with CORRECTIONS.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, _Loader)
    return loaded


def correct(document: dict[str, Any], corrections: list[dict[str, Any]]) -> None:
    """Applies corrections to a document, in place. Raises CorrectionError where one does not meet its ``from``."""
    for correction in corrections:
        *way, last = correction["where"]
        place = document
        for key in way:
            if key not in place:
                raise CorrectionError(f"{correction['where']}: there is no {key!r}")
            place = place[key]
        found = {"from": place[last]} if last in place else {}
        expected = {"from": correction["from"]} if "from" in correction else {}
        if found != expected:
            raise CorrectionError(
                f"{correction['where']}: expected {expected or 'nothing'}, found {found or 'nothing'}"
            )
        if "to" in correction:
            place[last] = copy.deepcopy(correction["to"])
        else:
            del place[last]


def as_json_schema(node: Any) -> None:
    """OpenAPI 3.0's ``nullable: true`` as JSON Schema's union with null, in place and at every depth."""
    if isinstance(node, dict):
        # A property may itself be named "nullable"; only the keyword is a bare true beside a schema's own keywords.
        if node.get("nullable") is True:
            del node["nullable"]
            if isinstance(node.get("type"), str):
                node["type"] = [node["type"], "null"]
                if "enum" in node and None not in node["enum"]:
                    node["enum"] = [*node["enum"], None]
            else:
                schema = dict(node)
                node.clear()
                node["anyOf"] = [schema, {"type": "null"}]
        for value in node.values():
            as_json_schema(value)
    elif isinstance(node, list):
        for value in node:
            as_json_schema(value)


@cache
def _corrected(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        document: dict[str, Any] = yaml.load(file, _Loader)
    correct(document, load_corrections()["corrections"])
    as_json_schema(document)
    return document


def load_openapi() -> dict[str, Any]:
    """The corrected document, its schemas being JSON schemas. Shared by all callers: not to be changed.

    Skips the calling test where ``SS12000_OPENAPI`` is unset; raises OSError where it names no file.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(WITHOUT_FILE)
    return _corrected(path)


def response_schema(method: str, path: str) -> dict[str, Any]:
    """The schema of an operation's successful answer, e.g. ``("GET", "/persons/{id}")``.

    It carries the document's components, so its ``$ref`` resolve. Raises KeyError where the standard has no such
    operation or no body in its answer.
    """
    document = load_openapi()
    responses = document["paths"][path][method.lower()]["responses"]
    answer = next(answer for status, answer in responses.items() if status.startswith("2"))
    return {"allOf": [answer["content"]["application/json"]["schema"]], "components": document["components"]}


FORMATS = jsonschema.FormatChecker()
"""The formats that jsonschema knows by itself, and the two it would need further packages for."""

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    """RFC 3339, section 5.6: with an offset."""
    if not isinstance(value, str):
        return True
    return bool(RFC_3339.fullmatch(value) and datetime.fromisoformat(value.upper()))


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@cache
def response_validator(method: str, path: str) -> jsonschema.Draft202012Validator:
    """A validator, formats included, of an operation's successful answer: ``.iter_errors(json.loads(body))``."""
    return jsonschema.Draft202012Validator(response_schema(method, path), format_checker=FORMATS)
