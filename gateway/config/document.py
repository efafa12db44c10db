"""A YAML file as data, with the line of every key, and ``${NAME}`` replaced from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .problems import KeyPath, Problem, render

MAX_BYTES = 1024 * 1024
MAX_NODES = 100_000
"""Aliases can make a small file enormous, so what they unfold to is counted."""

_VARIABLE = re.compile(r"\$(\$?)\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class Document:
    """The data of a file, and everything found wrong with it so far, by key path."""

    file: str | None = None
    data: object = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    found: list[tuple[KeyPath, str]] = field(default_factory=list)
    substituted: set[KeyPath] = field(default_factory=set)
    """Where an environment variable stood: what is there now must not be shown."""

    def add(self, path: KeyPath, message: str) -> None:
        self.found.append((path, message))

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest key around it."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return line
        return None

    def problems(self) -> list[Problem]:
        """All that was found, in the file's order; of several at one key, the first."""
        first: dict[KeyPath, Problem] = {}
        for path, message in self.found:
            first.setdefault(path, Problem(render(path), message, self.file, self.line(path)))
        return sorted(first.values(), key=lambda problem: problem.line or 0)


def read(path: Path) -> Document:
    """The file's data. ``data`` is None if it cannot be read as YAML at all; ``found`` says what is wrong."""
    document = Document(file=str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        document.add((), f"cannot be read: {error.strerror}. Give the path of a configuration file.")
        return document
    if len(content) > MAX_BYTES:
        document.add((), f"is larger than {MAX_BYTES // 1024} KB.")
        return document
    loader: yaml.SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(content.decode("utf-8"))
        node = loader.get_single_node()
        document.data = {} if node is None else _Reader(loader, document).value(node, ())
    except UnicodeDecodeError:
        document.add((), "is not UTF-8 text.")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            document.lines[()] = mark.line + 1
        document.add((), f"is not YAML: {_without_quotations(error.problem)}.")
    except (yaml.YAMLError, _TooLargeError) as error:
        document.add((), f"is not YAML that can be read ({type(error).__name__.strip('_')}).")
    finally:
        if loader is not None:
            loader.dispose()
    return document


def _without_quotations(text: str | None) -> str:
    """A parser's own words without what it quotes of the file, which may be a secret."""
    return re.sub(r"""'[^']{2,}'|"[^"]{2,}"|'[^']{2,}$""", "…", text or "it cannot be parsed")


class _TooLargeError(Exception):
    pass


class _Reader:
    """Builds plain data from nodes; a key that stands twice, or is no text, is a problem instead of a surprise."""

    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self._loader = loader
        self._document = document
        self._nodes = 0

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _TooLargeError
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            value: object = self._loader.construct_object(node)
        except ValueError:
            self._document.add(path, "looks like a date or a number but is none. Put quotes around it.")
            return ""
        return value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        own = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        self._loader.flatten_mapping(node)
        data: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                self._document.lines.setdefault((*path, "?"), key.start_mark.line + 1)
                self._document.add((*path, "?"), "a key must be text. Put quotes around it.")
                continue
            name = str(key.value)
            self._document.lines[*path, name] = key.start_mark.line + 1
            if own.count(name) > 1 and name in data:
                self._document.add((*path, name), "stands twice. Keep one.")
            data[name] = self.value(value, (*path, name))
        return data


def substitute(document: Document, environ: Mapping[str, str]) -> None:
    """Replace ``${NAME}`` in every text value; ``$${`` stays as ``${``. A variable that is not set is a problem."""
    document.data = _substituted(document.data, (), document, environ)


def _substituted(value: object, path: KeyPath, document: Document, environ: Mapping[str, str]) -> object:
    if isinstance(value, Mapping):
        return {key: _substituted(item, (*path, str(key)), document, environ) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_substituted(item, (*path, index), document, environ) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return "${" + name + "}"
        document.substituted.add(path)
        if not _NAME.fullmatch(name):
            document.add(path, "holds ${…} without the name of a variable. Write ${NAME}, or $${ for a plain ${.")
        elif name not in environ:
            document.add(path, f"the environment variable {name} is not set. Set it before the gateway starts.")
        return environ.get(name, "")

    return _VARIABLE.sub(replace, value)
