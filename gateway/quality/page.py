"""The report as one HTML file: no script, nothing from elsewhere, readable in light and dark, on paper and by ear."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template

from resolvers.quality import Finding, Severity
from resolvers.survey import Kind

from . import words
from .reading import Report

_HERE = Path(__file__).parent


def page(report: Report) -> str:
    """The whole document."""
    styles = (_HERE / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    kinds = dict.fromkeys(finding.kind for finding in report.judgement.findings)
    return Template((_HERE / "report.html").read_text(encoding="utf-8")).substitute(
        policy=escape(f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"),
        styles=styles,
        summary=escape(words.summary(report)),
        read_at=escape(words.read_at(report)),
        read_at_machine=escape(report.read_at.isoformat(timespec="seconds")),
        period=escape(words.period(report)),
        overview=_overview(report),
        sources="\n".join(_source(report, source) for source in report.sources),
        not_judged=_not_judged(report),
        kinds=_kinds([kind for kind in Kind if kind in kinds]),
    )


def _overview(report: Report) -> str:
    rows = []
    for source in report.sources:
        lists = [each for each in report.lists if each.source == source]
        cells = [words.number(len(lists)), words.number(sum(each.records for each in lists))]
        for severity in Severity:
            count = sum(f.source == source and f.severity is severity for f in report.judgement.findings)
            cells.append(f'<span class="{severity}">{words.number(count)}</span>' if count else "–")
        numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
        rows.append(f'<tr><th scope="row"><a href="#{_anchor(report, source)}">{escape(source)}</a></th>{numbers}</tr>')
    heads = "".join(
        f'<th scope="col" class="number">{head}</th>' for head in ("Lists", "Records", "Errors", "Warnings", "Notices")
    )
    return _table("sources", "Sources", f'<th scope="col">Source</th>{heads}', rows)


def _source(report: Report, source: str) -> str:
    title = f'<h2 id="{_anchor(report, source)}">{escape(source)}</h2>'
    lists = ", ".join(
        f"{each.resource}&nbsp;{words.number(each.records)}{'' if each.code is None else ' (not whole)'}"
        for each in report.lists
        if each.source == source
    )
    found = [_row(finding) for finding in report.judgement.findings if finding.source == source]
    heads = (
        '<th scope="col">Level</th><th scope="col">What</th><th scope="col">Where</th>'
        '<th scope="col" class="number">Count</th><th scope="col">More</th>'
    )
    content = _table("findings", f"Findings at {escape(source)}", heads, found) if found else "<p>Nothing found.</p>"
    return f'<section>{title}<p class="lists">Records read: {lists}.</p>{content}</section>'


def _row(finding: Finding) -> str:
    more = f"<p>{escape(words.more(finding))}</p>" if words.more(finding) else ""
    if finding.examples:
        items = "".join(f"<li><code>{escape(each)}</code></li>" for each in finding.examples)
        shown = "1 example" if len(finding.examples) == 1 else f"{len(finding.examples)} examples"
        more += f"<details><summary>{shown}</summary><ul>{items}</ul></details>"
    return (
        f'<tr><td><span class="{finding.severity}">{finding.severity}</span></td>'
        f"<td>{escape(words.what(finding))}</td><td>{_breakable(words.where(finding))}</td>"
        f'<td class="number">{words.number(finding.count)}</td><td>{more}</td></tr>'
    )


def _breakable(path: str) -> str:
    return escape(path).replace(".", ".<wbr>")


def _table(name: str, caption: str, heads: str, rows: list[str]) -> str:
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0">'
        f'<table class="{name}"><caption>{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _not_judged(report: Report) -> str:
    if not report.judgement.not_judged:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in words.not_judged(report.judgement))
    return f'<section><h2>Not judged</h2><ul class="plain">{items}</ul></section>'


def _kinds(kinds: list[Kind]) -> str:
    if not kinds:
        return ""
    named = [(words.WHAT[kind].format(authority="another source"), words.EXPLAINED[kind]) for kind in kinds]
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>" for name, meaning in named)
    return f"<section><h2>What it means</h2><dl>{items}</dl></section>"


def _anchor(report: Report, source: str) -> str:
    return f"source-{report.sources.index(source) + 1}"
