"""Findings in words: the same in the table and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from resolvers.quality import Finding, Judgement, Severity
from resolvers.survey import Kind

if TYPE_CHECKING:
    from .reading import Report

WHAT: Mapping[Kind, str] = {
    Kind.NOT_READ: "not read to the end",
    Kind.NO_ID: "no usable id",
    Kind.DUPLICATE_ID: "same id again",
    Kind.OTHER_ID: "other id than {authority}",
    Kind.DUPLICATE_KEY: "one key, several ids",
    Kind.WRONG_TYPE: "unreadable value",
    Kind.MISSING: "required, but missing",
    Kind.DANGLING: "leads nowhere",
    Kind.UNKNOWN_VALUE: "unknown value",
    Kind.ORPHAN: "in no population source",
    Kind.DISAGREEMENT: "differs from {authority}",
}
"""What is wrong, in a few words."""

EXPLAINED: Mapping[Kind, str] = {
    Kind.NOT_READ: "The list broke off; counted are the records that came before.",
    Kind.NO_ID: "The record is no object or has no id that can be used: it is lost.",
    Kind.DUPLICATE_ID: "The source sent several records with the same id: the first one counts.",
    Kind.OTHER_ID: "A strong key (civicNo, eduPersonPrincipalName, globally unique external identifier, "
    "schoolUnitCode) says that two sources mean the same, but they have different ids for it. Where hardly any ids "
    "agree, one of the two has ids of its own: declare them with own_ids for that source.",
    Kind.DUPLICATE_KEY: "The source has the same strong key under several ids.",
    Kind.WRONG_TYPE: "The value is not of the standard's type and was left out.",
    Kind.MISSING: "The standard requires the property; the record, or a part of it, lacks it.",
    Kind.DANGLING: "A reference to a record that no source has. Counted are references.",
    Kind.UNKNOWN_VALUE: "The standard's list of values does not have it. Clients see UNRECOGNISED.",
    Kind.ORPHAN: "No source of the population (authority, exists) has the record: to clients it does not exist.",
    Kind.DISAGREEMENT: "The source says something else than the one that the configuration believes.",
}
"""What a kind means, in a sentence."""


def what(finding: Finding) -> str:
    return WHAT[finding.kind].format(authority=finding.authority)


def where(finding: Finding) -> str:
    """``Person``, ``Person.civicNo``, ``Person by civicNo`` where the property is what gave a record away."""
    if finding.path is None:
        return finding.resource
    if finding.kind is Kind.OTHER_ID:
        return f"{finding.resource} by {finding.path}"
    return f"{finding.resource}.{finding.path}"


def more(finding: Finding) -> str:
    """What else there is to say; empty where there is nothing."""
    match finding.kind:
        case Kind.UNKNOWN_VALUE:
            return ", ".join(f"{value} ({number(count)})" for value, count in finding.values)
        case Kind.DANGLING:
            return f"no source has this {finding.detail}"
        case Kind.ORPHAN:
            return f"not in {finding.detail}"
        case Kind.OTHER_ID if finding.own_ids:
            return "own ids? set own_ids for this source"
    return finding.detail or ""


def not_judged(judgement: Judgement) -> list[str]:
    """``leads nowhere (CalendarEvent is read for a period only): narvaro Attendance.calendarEvent, …``, per reason."""
    places: dict[str, list[str]] = {}
    for each in judgement.not_judged:
        why = f"{WHAT[each.kind].format(authority='another source')} ({each.reason})"
        place = each.resource if each.path is None else f"{each.resource}.{each.path}"
        places.setdefault(why, []).append(place if each.source is None else f"{each.source} {place}")
    return [f"{why}: {', '.join(found)}" for why, found in places.items()]


def period(report: Report) -> str:
    return f"{report.asked.first} to {report.asked.last}"


def read_at(report: Report) -> str:
    return f"{report.read_at:%Y-%m-%d %H:%M} ({report.timezone})"


def summary(report: Report) -> str:
    """The report in one line."""
    records = sum(each.records for each in report.lists)
    read = ", ".join(
        (counted(len(report.sources), "source"), counted(len(report.lists), "list"), counted(records, "record"))
    )
    if report.ok:
        return f"{read}: nothing found."
    found = []
    for severity in Severity:
        count = sum(finding.severity is severity for finding in report.judgement.findings)
        found.append(counted(count, severity))
    return f"{read}: {', '.join(found[:-1])} and {found[-1]}."


def counted(count: int, noun: str) -> str:
    """``1 list``, ``2 lists``."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def number(count: int) -> str:
    """``12 345``, with a space that does not break."""
    return f"{count:,}".replace(",", "\N{NO-BREAK SPACE}")
