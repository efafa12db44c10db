"""What a probe found to be otherwise than declared, as data and as keys of the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..standard import RESOURCES


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. ``resource`` is empty for what concerns the whole source.

    ``what`` is the configuration's key, with the query parameter for filters. ``value`` is what the key should hold;
    ``by_hand``: only a person can say. Nothing in it is a value of a record.
    """

    resource: str
    what: str
    declared: str
    found: str
    value: object = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """Something that the probe could not find out, and why: it stays as it is declared."""

    resource: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe of one source gave."""

    findings: tuple[Finding, ...]
    open: tuple[Open, ...]


def section(findings: Iterable[Finding]) -> dict[str, object]:
    """The keys of a source's section in the configuration that declare what was found."""
    result: dict[str, object] = {}
    for each in findings:
        if each.by_hand:
            continue
        key, _, parameter = each.what.partition(".")
        if not each.resource:
            result[key] = each.value
            continue
        of = result.setdefault(key, {})
        assert isinstance(of, dict)
        plural = RESOURCES[each.resource].plural
        if parameter:
            of.setdefault(plural, {})[parameter] = each.value
        else:
            of[plural] = each.value
    return result
