"""From the surveys of all lists and the huvudman's decisions to findings: what is wrong at which source, and where.

Findings hold ids, counts and the names of sources, resources and properties; of what records say they hold nothing but
values of enumerations that the standard does not know, and of these only what can be no person's data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sources.standard import RESOURCES

from .authority import STRICTEST, Rules
from .federation import Federation
from .survey import NONE, SIZE, STRONG_KEYS, Digests, Kind, Path, Survey, Tally

Surveys = Mapping[str, Mapping[str, Survey]]
"""By resource name, then by source."""

EXAMPLES = 5
"""How many ids a finding shows where nobody says otherwise."""
SHOWN_FROM = 3
"""An unknown value is shown if this many records have it: what one record alone has may be about a person."""
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|[ /.-]){0,39}")
_FEW_DIGITS = re.compile(r"\D*(?:\d\D*){0,4}")
HARDLY = 0.5
"""Two sources use ids of their own if they share less than this part of the smaller one's."""


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Records are lost, or say less or something else than they should."""
    WARNING = "warning"
    """Records are read, but something in them leads nowhere or is not understood."""
    NOTICE = "notice"
    """Sources say different things; the configuration decides."""


SEVERITIES: Mapping[Kind, Severity] = {
    Kind.NOT_READ: Severity.ERROR,
    Kind.NO_ID: Severity.ERROR,
    Kind.DUPLICATE_ID: Severity.ERROR,
    Kind.OTHER_ID: Severity.ERROR,
    Kind.DUPLICATE_KEY: Severity.ERROR,
    Kind.WRONG_TYPE: Severity.ERROR,
    Kind.MISSING: Severity.ERROR,
    Kind.DANGLING: Severity.WARNING,
    Kind.UNKNOWN_VALUE: Severity.WARNING,
    Kind.ORPHAN: Severity.NOTICE,
    Kind.DISAGREEMENT: Severity.NOTICE,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at one source, in one property of one resource.

    ``count`` is of records; of references for ``dangling``; for ``not_read`` of the records that came before the list
    broke off. ``authority`` is the source that is believed instead. ``values`` are unknown values, each with its
    count; ``detail`` is what was expected, a fault's code, or the target of a reference.
    """

    source: str
    resource: str
    kind: Kind
    path: Path | None
    count: int
    examples: tuple[str, ...] = ()
    detail: str | None = None
    authority: str | None = None
    values: tuple[tuple[str, int], ...] = ()
    own_ids: bool = False
    """Whether nearly all ids differ, so that the source seems to have its own."""

    @property
    def severity(self) -> Severity:
        return SEVERITIES[self.kind]


@dataclass(frozen=True, slots=True)
class NotJudged:
    """What could not be judged: of a source or of all (None), in which property, and why."""

    kind: Kind
    resource: str
    reason: str
    source: str | None = None
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """``findings`` by source in configured order, each source's worst first."""

    findings: tuple[Finding, ...]
    not_judged: tuple[NotJudged, ...]


def judge(federation: Federation, surveys: Surveys, digests: Digests, examples: int = EXAMPLES) -> Judgement:
    """What is wrong in the lists that were read. ``surveys`` has one entry per source and resource that it serves."""
    judging = _Judging(federation, surveys, digests, examples)
    found = [*judging.single(), *judging.dangling()]
    for name, lists in surveys.items():
        if len(lists) > 1:
            rules = federation.rules[name]
            found += [*judging.orphans(rules), *judging.disagreements(rules), *judging.other_ids(rules)]
    sources = list(federation.sources)
    kinds, severities = list(Kind), list(Severity)
    found.sort(
        key=lambda f: (
            sources.index(f.source),
            severities.index(f.severity),
            -f.count,
            kinds.index(f.kind),
            list(RESOURCES).index(f.resource),
            f.path or "",
        )
    )
    return Judgement(tuple(found), tuple(judging.not_judged))


def showable(value: str, count: int) -> bool:
    """Whether an unknown value of an enumeration may be shown: a short word that several records have.

    Letters, digits (at most four), spaces, ``/``, ``-`` and ``.``: no address, no number of a person fits.
    """
    return count >= SHOWN_FROM and bool(_WORD.fullmatch(value) and _FEW_DIGITS.fullmatch(value))


class _Judging:
    def __init__(self, federation: Federation, surveys: Surveys, digests: Digests, examples: int) -> None:
        self._federation = federation
        self._surveys = surveys
        self._digests = digests
        self._keep = examples
        self.not_judged: list[NotJudged] = []

    def single(self) -> Iterator[Finding]:
        """What a list shows by itself."""
        for lists in self._surveys.values():
            for survey in lists.values():
                if survey.code is not None:
                    detail = survey.code if survey.status is None else f"{survey.code} (HTTP {survey.status})"
                    yield Finding(survey.source, survey.resource, Kind.NOT_READ, None, survey.records, detail=detail)
                for (kind, path, detail), tally in survey.tallies.items():
                    values = self._shown(survey.unknown.get(path, {})) if kind is Kind.UNKNOWN_VALUE else ()
                    yield self._finding(survey, kind, path, tally, detail=detail or None, values=values)

    def _shown(self, values: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
        """The values that may be shown, the most frequent first; none with a word of somebody's name."""
        names = self._digests.names
        found = (
            (value, count)
            for value, count in values.items()
            if showable(value, count) and names.isdisjoint(self._digests.words(value))
        )
        return tuple(sorted(found, key=lambda each: (-each[1], each[0])))

    def _finding(self, survey: Survey, kind: Kind, path: Path, tally: Tally, **more: object) -> Finding:
        # Who a marking is about may not be said where the policy goes by it.
        told = path not in self._federation.policy.columns(survey.resource)
        examples = tuple(tally.examples[: self._keep]) if told else ()
        return Finding(
            survey.source,
            survey.resource,
            kind,
            path or None,
            tally.count,
            examples,
            **more,  # type: ignore[arg-type]
        )

    # References

    def dangling(self) -> Iterator[Finding]:
        """References to what no source has."""
        for lists in self._surveys.values():
            for survey in lists.values():
                for (path, target), referred in survey.references.items():
                    if RESOURCES[target].window:
                        period = f"{target} is read for a period only"
                        self._pass(Kind.DANGLING, survey.resource, period, survey.source, path)
                        continue
                    known = self._known(survey.source, target)
                    found = Tally()
                    for id, tally in referred.items():
                        if not any(id in ids for ids in known):
                            found.count += tally.count
                            found.examples += tally.examples
                    if not found.count or target not in self._surveys:
                        continue
                    reason = self._unknowable(survey.source, target)
                    if reason is not None:
                        self._pass(Kind.DANGLING, survey.resource, reason, survey.source, path)
                        continue
                    found.examples = list(dict.fromkeys(found.examples))
                    yield self._finding(survey, Kind.DANGLING, path, found, detail=target)

    def _known(self, source: str, target: str) -> list[set[str]]:
        """The ids that a reference of this source may mean."""
        lists = self._surveys.get(target, {})
        if self._own_ids(source, target):
            return [lists[source].ids] if source in lists else []
        return [survey.ids for name, survey in lists.items() if not self._own_ids(name, target)]

    def _unknowable(self, source: str, target: str) -> str | None:
        """Why it is not known what there is of a target that somebody serves; None where it is."""
        lists = self._surveys[target]
        if self._own_ids(source, target):
            return None if source in lists else f"{source} has ids of its own for {target}, which it does not serve"
        return self._own_population(target) or self._incomplete(lists)

    def _own_population(self, resource: str) -> str | None:
        """Why the ids that exist are not known: a source that brings records into being has ids of its own."""
        own = [name for name in self._federation.rules[resource].population if self._own_ids(name, resource)]
        return f"{', '.join(own)} has ids of its own for {resource}" if own else None

    def _own_ids(self, source: str, resource: str) -> bool:
        return resource in self._federation.sources[source].capabilities.own_ids

    def _incomplete(self, lists: Mapping[str, Survey]) -> str | None:
        missing = [survey for survey in lists.values() if not survey.complete]
        return f"{missing[0].resource} was not read from {', '.join(s.source for s in missing)}" if missing else None

    def _pass(
        self, kind: Kind, resource: str, reason: str, source: str | None = None, path: Path | None = None
    ) -> None:
        self.not_judged.append(NotJudged(kind, resource, reason, source, path))

    # Several sources of one resource

    def _comparable(self, rules: Rules, kind: Kind) -> dict[str, Survey]:
        """The lists whose ids mean the same, first authority first."""
        lists = self._surveys[rules.resource.name]
        own = [name for name in lists if self._own_ids(name, rules.resource.name)]
        if own:
            self._pass(kind, rules.resource.name, f"{', '.join(own)} has ids of its own", ", ".join(own))
        return {name: lists[name] for name in rules.servers if name in lists and name not in own}

    def orphans(self, rules: Rules) -> Iterator[Finding]:
        """Records of sources outside the population that no source of the population has."""
        if set(rules.servers) == set(rules.population):
            return
        lists = self._comparable(rules, Kind.ORPHAN)
        inside = {name: self._surveys[rules.resource.name][name] for name in rules.population}
        reason = self._own_population(rules.resource.name) or self._incomplete(inside)
        if rules.resource.window:
            reason = "it is read for a period only"
        if reason is not None:
            self._pass(Kind.ORPHAN, rules.resource.name, reason)
            return
        there = self._population(rules, lists)
        for survey in (lists[name] for name in lists if name not in rules.population):
            found = Tally()
            for id in sorted(survey.ids - there):
                found.add(id, self._keep)
            if found.count:
                yield self._finding(survey, Kind.ORPHAN, "", found, detail=", ".join(rules.population))

    def _population(self, rules: Rules, lists: Mapping[str, Survey]) -> set[str]:
        return set().union(*(lists[name].ids for name in rules.population if name in lists))

    def disagreements(self, rules: Rules) -> Iterator[Finding]:
        """Properties for which a source says something else than the one that is believed.

        A source that has nothing does not disagree; one that is believed to have nothing is disagreed with.
        """
        if not rules.settled:
            self._pass(Kind.DISAGREEMENT, rules.resource.name, "who is believed depends on the record: when, scope")
            return
        lists = self._comparable(rules, Kind.DISAGREEMENT)
        reason = self._incomplete(lists)
        if reason is not None:
            self._pass(Kind.DISAGREEMENT, rules.resource.name, f"{reason}; compared is what came")
        there = self._population(rules, lists)
        for column in rules.resource.columns:
            speakers = [lists[name] for name in rules.speaker_names(column) if name in lists]
            if len(speakers) < 2:
                continue
            if column == STRICTEST:
                found = self._markings(speakers, there)
            elif column in speakers[0].columns:
                found = self._whole(column, speakers, there)
            else:
                found = self._by_entry(column, speakers, there)
            for (source, authority), tally in found.items():
                yield self._finding(lists[source], Kind.DISAGREEMENT, column, tally, authority=authority)

    def _whole(self, column: Path, speakers: Sequence[Survey], there: set[str]) -> dict[tuple[str, str], Tally]:
        believed: dict[str, tuple[str, bytes]] = {}
        found: dict[tuple[str, str], Tally] = {}
        for survey in speakers:
            for id, said in survey.values(column):
                authority, first = believed.setdefault(id, (survey.source, said))
                if said not in (first, NONE) and id in there:
                    found.setdefault((survey.source, authority), Tally()).add(id, self._keep)
        return found

    def _by_entry(self, column: Path, speakers: Sequence[Survey], there: set[str]) -> dict[tuple[str, str], Tally]:
        """Entries that are the same by their key, and yet differ."""
        believed: dict[tuple[str, bytes], tuple[str, bytes]] = {}
        found: dict[tuple[str, str], Tally] = {}
        for survey in speakers:
            for id, packed in survey.entries.get(column, {}).items():
                others = set()
                for start in range(0, len(packed), 2 * SIZE):
                    key, said = packed[start : start + SIZE], packed[start + SIZE : start + 2 * SIZE]
                    authority, first = believed.setdefault((id, key), (survey.source, said))
                    if said != first and authority != survey.source and id in there:
                        others.add(authority)
                for authority in others:
                    found.setdefault((survey.source, authority), Tally()).add(id, self._keep)
        return found

    def _markings(self, speakers: Sequence[Survey], there: set[str]) -> dict[tuple[str, str], Tally]:
        """The strictest is believed, whoever says it."""
        strictness = self._digests.markings
        believed: dict[str, tuple[str, bytes]] = {}
        for survey in speakers:
            for id, said in survey.values(STRICTEST):
                if said != NONE and (
                    id not in believed or strictness.get(said, 1) > strictness.get(believed[id][1], 1)
                ):
                    believed[id] = survey.source, said
        found: dict[tuple[str, str], Tally] = {}
        for survey in speakers:
            for id, said in survey.values(STRICTEST):
                if said != NONE and id in there and said != believed[id][1]:
                    found.setdefault((survey.source, believed[id][0]), Tally()).add(id, self._keep)
        return found

    def other_ids(self, rules: Rules) -> Iterator[Finding]:
        """Things that two sources have under different ids, known by their strong keys."""
        if rules.resource.name not in STRONG_KEYS:
            return
        lists = list(self._comparable(rules, Kind.OTHER_ID).values())
        for place, survey in enumerate(lists):
            for before in lists[:place]:
                names: dict[Path, None] = {}
                ids: dict[str, None] = {}
                for name, keys in survey.keys.items():
                    theirs = before.keys.get(name, {})
                    for key, id in keys.items():
                        other = theirs.get(key)
                        if other is not None and other != id and id not in before.ids:
                            ids[id] = names[name] = None
                if ids:
                    shared = len(survey.ids & before.ids)
                    hardly = shared < HARDLY * min(len(survey.ids), len(before.ids))
                    yield self._finding(
                        survey,
                        Kind.OTHER_ID,
                        ", ".join(names),
                        Tally(len(ids), list(ids)),
                        authority=before.source,
                        own_ids=hardly,
                    )
