"""Writes the pages of the documentation that are facts of the code: python docs/generate.py. A test holds them current.

docs/relations.md   the standard's references, both ways
docs/errors.md      every extensions.code
docs/cli.md         the command's help
docs/profiles.md    what the profiles of sources declare
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Mapping, Set
from dataclasses import fields
from enum import StrEnum
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from gateway.cli import parser  # noqa: E402
from resolvers.errors import Code, GapCode  # noqa: E402
from resolvers.relations import RELATIONS, Relation  # noqa: E402
from sources.capabilities import ALL, Capabilities, Filter  # noqa: E402
from sources.errors import RETRYABLE, FaultCode  # noqa: E402
from sources.profiles import PROFILES, Profile  # noqa: E402
from sources.profiles.conformant import CONFORMANT  # noqa: E402
from sources.standard import RESOURCES  # noqa: E402

NOTE = "<!-- Made by docs/generate.py; do not edit. -->\n"


def relations() -> str:
    """The page of the relations."""
    lines = [
        "# Relations",
        "",
        NOTE,
        f"The standard has {len(RELATIONS)} references. Each can be followed in both directions. The property that",
        "refers owns the relation: a record is found backwards if its merged property names the other. The ways to",
        "find it at a source only yield candidates; the gateway takes the one with the fewest calls.",
        "",
        "A field with a period must be asked with `during: {from, to}`; a dated one may be asked with `on` or",
        "`during`.",
        "",
        "| reference | leads to | backwards | gives | time | ways to find it at a source |",
        "|---|---|---|---|---|---|",
    ]
    for relation in RELATIONS:
        time = "a period" if relation.window else "dated" if relation.dated else ""
        lines.append(
            f"| `{relation.name}` | {relation.target} | `{relation.target}.{relation.inverse}` | {_gives(relation)} "
            f"| {time} | {_ways(relation)} |"
        )
    return "\n".join(lines) + "\n"


def _gives(relation: Relation) -> str:
    if relation.back is None or relation.entry is None:
        return relation.owner
    return f"{relation.entry_name or relation.entry.name} with `{relation.back}`"


def _ways(relation: Relation) -> str:
    ways = []
    if relation.lookup is not None:
        ways.append(f"lookup by `{relation.lookup.name}`")
    if relation.parameter is not None:
        ways.append(f"filter `{relation.parameter.name}`")
    if relation.expand is not None:
        ways.append(f"expand `{relation.expand.name}`")
    return ", ".join([*ways, "list of the period" if relation.resource.window else "whole list"])


def errors() -> str:
    """The page of the codes."""
    lines = [
        "# Codes",
        "",
        NOTE,
        "Every error has an `extensions.code` from one of these lists. No text holds personal data.",
        "",
        "## What the gateway refuses",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| `{code}` | {doc} |" for code, doc in _documented(Code)),
        "",
        "## What a source did not give: gaps",
        "",
        "| code | meaning | worth trying again |",
        "|---|---|---|",
        *(
            f"| `{code}` | {doc} | {'yes' if FaultCode(code) in RETRYABLE else 'no'} |"
            for code, doc in _documented(FaultCode)
        ),
        *(f"| `{code}` | {doc} | no |" for code, doc in _documented(GapCode)),
    ]
    return "\n".join(lines) + "\n"


def _documented(of: type[StrEnum]) -> list[tuple[str, str]]:
    """The values of an enumeration, each with the string that stands below it in the source."""
    source = inspect.getsource(of)
    docs = dict(re.findall(r'^    (\w+) = [^\n]*\n    """(.*?)"""', source, re.MULTILINE | re.DOTALL))
    return [(str(each), " ".join(docs[each.name].split()).replace("``", "`")) for each in of]


def cli() -> str:
    """The page of the command."""
    made = parser()
    commands = next(each for each in made._actions if isinstance(each, argparse._SubParsersAction))
    parts = ["# The command", "", NOTE, "```text", _help(made), "```", ""]
    for name, command in commands.choices.items():
        parts += [f"## {name}", "", "```text", _help(command), "```", ""]
    return "\n".join(parts).rstrip() + "\n"


def _help(of: argparse.ArgumentParser) -> str:
    of.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=100)
    return of.format_help().strip()


def profiles() -> str:
    """The page of the profiles."""
    parts = [
        "# Profiles",
        "",
        NOTE,
        "What is known of how kinds of systems depart from the standard. `profile` names one for a source; each line",
        "below is a default that the key of the same name in the [configuration](configuration.md) replaces. What is",
        "not named is as in the standard.",
        "",
    ]
    for profile in PROFILES.values():
        parts += [f"## {profile.name}", "", profile.doc, ""]
        declared = _declared(profile)
        if declared:
            parts += ["| key | default |", "|---|---|", *(f"| `{key}` | {text} |" for key, text in declared), ""]
    return "\n".join(parts).rstrip() + "\n"


def _declared(profile: Profile) -> list[tuple[str, str]]:
    """The keys in which a profile differs from what is taken of a source otherwise, and their values."""
    found = []
    for each in fields(Capabilities):
        value = getattr(profile.capabilities, each.name)
        if value != getattr(CONFORMANT.capabilities, each.name):
            key = "lookup_chunk" if each.name == "chunk" else each.name
            found.append((key, _value(value, profile.capabilities.resources if key != "resources" else frozenset())))
    if profile.timezone != CONFORMANT.timezone:
        found.append(("timezone", f"`{profile.timezone}`"))
    return found


def _value(value: object, served: frozenset[str]) -> str:
    if isinstance(value, frozenset):
        return _resources(value, served)
    if not isinstance(value, Mapping):
        return f"`{'null' if value is None else value}`"
    # Resources of which the same is said stand together.
    together: dict[str, set[str]] = {}
    for resource in filter(value.__contains__, RESOURCES):
        together.setdefault(_said(value[resource]), set()).add(resource)
    return "; ".join(f"{_resources(names, served)}: {said}" for said, names in together.items())


def _resources(names: Set[str], served: frozenset[str]) -> str:
    whole = served or RESOURCES.keys()
    return "all" if names >= whole else ", ".join(r.plural for r in RESOURCES.values() if r.name in names)


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        shown = {name: what if isinstance(what, Filter) else f"with `{what}`" for name, what in value.items()}
        named = [f"`{name}` {what}" for name, what in shown.items() if name != ALL]
        return ", ".join([*named, f"{'any other' if named else 'any'} {value[ALL]}"] if ALL in value else named)
    if isinstance(value, frozenset):
        return ", ".join(f"`{name}`" for name in sorted(value)) or "none"
    return f"`{value}`"


PAGES = {"relations.md": relations, "errors.md": errors, "cli.md": cli, "profiles.md": profiles}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
