"""The report as text, per source a block, the worst first."""

from __future__ import annotations

import textwrap
from typing import TextIO

from resolvers.quality import Finding

from . import words
from .reading import Report

HEAD = ("LEVEL", "WHAT", "WHERE", "COUNT", "")


def write(report: Report, out: TextIO, width: int) -> None:
    """Print the report in lines of about ``width`` characters."""
    print(f"SS 12000 data quality, {words.read_at(report)}. Periods: {words.period(report)}.", file=out)
    rows = {finding: _row(finding) for finding in report.judgement.findings}
    widths = [max(map(len, column)) for column in zip(HEAD, *rows.values(), strict=True)]
    for source in report.sources:
        lists = [each for each in report.lists if each.source == source]
        records = words.counted(sum(each.records for each in lists), "record")
        found = [finding for finding in rows if finding.source == source]
        ending = "" if found else ", nothing found"
        print(f"\n{source}: {words.counted(len(lists), 'list')}, {records}{ending}", file=out)
        if found:
            print(_aligned(HEAD, widths), file=out)
        for finding in found:
            print(_aligned(rows[finding], widths), file=out)
            if finding.examples:
                print(_wrapped(f"e.g. {' '.join(finding.examples)}", width, " " * (4 + widths[0])), file=out)
    if report.judgement.not_judged:
        print("\nNot judged:", file=out)
        for text in words.not_judged(report.judgement):
            print(_wrapped(text, width, "  "), file=out)
    print(f"\n{words.summary(report)}", file=out)


def _row(finding: Finding) -> tuple[str, ...]:
    return (
        str(finding.severity),
        words.what(finding),
        words.where(finding),
        words.number(finding.count),
        words.more(finding),
    )


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    first, what, where, count, more = row
    return f"  {first:<{widths[0]}}  {what:<{widths[1]}}  {where:<{widths[2]}}  {count:>{widths[3]}}  {more}".rstrip()


def _wrapped(text: str, width: int, indent: str) -> str:
    """Lines of about ``width``, the second and on a little further in; no id is broken."""
    following = indent + " " * 5
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=following, break_long_words=False, break_on_hyphens=False
    )
