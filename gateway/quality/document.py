"""The report as plain JSON values."""

from __future__ import annotations

from resolvers.quality import Finding, NotJudged

from .reading import Report


def document(report: Report) -> dict[str, object]:
    """``ok``, ``readAt``, ``from``, ``to``, and per source its lists and findings; at last what was not judged."""
    return {
        "ok": report.ok,
        "readAt": report.read_at.isoformat(timespec="seconds"),
        "from": report.asked.first.isoformat(),
        "to": report.asked.last.isoformat(),
        "sources": [
            {
                "source": source,
                "lists": [
                    {"resource": each.resource, "records": each.records, "code": each.code}
                    for each in report.lists
                    if each.source == source
                ],
                "findings": [_finding(each) for each in report.judgement.findings if each.source == source],
            }
            for source in report.sources
        ],
        "notJudged": [_not_judged(each) for each in report.judgement.not_judged],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "resource": finding.resource,
        "property": finding.path,
        "count": finding.count,
        "examples": list(finding.examples),
        "detail": finding.detail,
        "authority": finding.authority,
        "values": [{"value": value, "count": count} for value, count in finding.values],
        "ownIds": finding.own_ids,
    }


def _not_judged(each: NotJudged) -> dict[str, object]:
    return {
        "kind": each.kind,
        "source": each.source,
        "resource": each.resource,
        "property": each.path,
        "reason": each.reason,
    }
