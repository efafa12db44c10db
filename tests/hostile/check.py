"""One question to one hostile world: the gateway's answer against the oracle's, exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.assemble import Assembled
from sources.standard import RESOURCES
from tests.harness import ask
from tests.oracle import identity

from .identities import mentioned
from .oracle import HostileOracle, Listing, expected, oracle_of
from .questions import Field, Question, touched
from .servers import CODES, Behaviour, Losses, gateway
from .worlds import World

REFUSALS = {"FILTER_NOT_ANSWERABLE", "TOO_MANY_CANDIDATES"}
"""Codes by which the gateway says that it does not answer a question that is well put."""
MOST_PAGES = 40
CONFLICT = "IDENTITY_CONFLICT"


@dataclass(frozen=True)
class Case:
    """A question, and everything that its answer depends on."""

    world: World
    behaviours: Mapping[str, Behaviour]
    question: Question
    losses: Losses = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a case. ``difference`` says where the answer is wrong; ``refused`` why there is none."""

    difference: str | None = None
    refused: str | None = None
    telling: bool = False
    """Whether the answer says anything that a wrong one would not: there is something in it, and not everything."""
    gaps: int = 0


async def check(case: Case) -> Outcome:
    """Ask, and compare. Never raises for what the gateway says."""
    async with gateway(case.world, case.behaviours, case.losses) as assembled:
        return await ask_and_compare(case, assembled, oracle_of(case))


async def ask_and_compare(case: Case, assembled: Assembled, oracle: HostileOracle) -> Outcome:
    if case.question.walk is not None:
        return await _walk(case, assembled, oracle)
    query = str(case.question)
    answer = await ask(assembled.federation, query)
    trouble, refused = _errors(answer, case, oracle)
    if trouble or refused:
        return Outcome(trouble, refused)
    wanted = expected(oracle, query)
    found = answer["data"]
    for root in case.question.fields:
        if root.name == "deletedEntities":
            found[root.key]["nodes"].sort(key=lambda node: [*node.values()])
    difference = next(_differences(wanted, found, "", lossy=bool(case.losses or oracle.who.conflicts)), None)
    gaps = _gaps(answer)
    if difference is None:
        difference = (
            _gap_difference(case, oracle, query, wanted, gaps)
            or _unsaid(case, oracle, found, gaps)
            or _silent(case, query, wanted, found)
        )
    return Outcome(difference, None, _telling(wanted), len(gaps))


# Errors and gaps


def _errors(answer: Mapping[str, Any], case: Case, oracle: HostileOracle) -> tuple[str | None, str | None]:
    """What is wrong with the errors of an answer, and by which code it was refused."""
    refused = None
    for error in answer.get("errors", ()):
        code = error.get("extensions", {}).get("code")
        if code in REFUSALS:
            refused = f"{code}: {error['message']}"
        elif not (case.losses and code in CODES.values()) and not (oracle.who.conflicts and code == CONFLICT):
            return f"an error: {json.dumps(error, ensure_ascii=False)}", None
    return None, refused


def _gaps(answer: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Source, resource and code of everything that an answer says is missing of the whole operation."""
    completeness = answer.get("extensions", {}).get("completeness", {"complete": True, "gaps": []})
    assert completeness["complete"] is not bool(completeness["gaps"])
    return {(gap["source"], name, gap["code"]) for gap in completeness["gaps"] for name in gap["resources"]}


def _gap_difference(
    case: Case, oracle: HostileOracle, query: str, wanted: Any, gaps: set[tuple[str, str, str]]
) -> str | None:
    """Whether the gaps are exactly what was lost and to be asked: nothing else, and everything that changes it."""
    may_be = {(source, resource, CODES[kind]) for (source, resource), kind in case.losses.items()}
    may_be |= {(source, resource, CONFLICT) for source, resource, _ in oracle.who.conflicts}
    if not gaps <= may_be:
        return f"gaps {sorted(gaps)} where {sorted(may_be)} was lost"
    asked = touched(case.question)
    if any(case.behaviours[source].habits.own_ids for source in case.world.records):
        # what a record refers to is looked up among the ids, whether it is shown or not
        asked |= {each for name in asked for each in mentioned(name) if case.world.identity.get(each)}
        asked |= {each for name in asked & {"Duty"} for each in mentioned(name) if case.world.identity.get(each)}
    if case.world.scopes or any("when" in rules for rules in case.world.authority.values()):
        asked |= {"Organisation"}
    idle = sorted(gap for gap in gaps if gap[1] not in asked)
    if idle:
        return f"gaps {idle} of what was not to be asked: {sorted(asked)}"
    idle = sorted(gap for gap in gaps if gap[2] != CONFLICT and _outside(case, oracle, gap[0], gap[1]))
    if idle:
        return f"gaps {idle} of sources outside whose scope everything lies"
    named = {source for source, _, code in gaps if code != CONFLICT}
    for source in sorted({source for source, _ in case.losses} - named):
        others = [lost for lost in case.losses if lost[0] != source]
        if _seen(expected(oracle_of(case, others), query)) != _seen(wanted):
            return f"{source} has lost something that changes the answer, and no gap says so"
    return None


def _outside(case: Case, oracle: HostileOracle, source: str, resource: str) -> bool:
    """Whether a question is for single records alone, of all of which the source is known not to be heard."""
    if source not in oracle.scopes(resource) or oracle.who.named:
        return False
    asked: list[str] = []
    for root in case.question.fields:
        name = next((each.name for each in RESOURCES.values() if root.name == f"{each.plural}ByIds"), None)
        if name != resource or touched(replace(case.question, fields=(root,))) - {resource, "Organisation"}:
            return False
        asked += [id.strip("{}").lower() for id in json.loads(root.arguments["ids"])]
    return (
        bool(asked) and resource != "Organisation" and not any(source in oracle.heard(resource, id)[0] for id in asked)
    )


def _unsaid(case: Case, oracle: HostileOracle, found: Any, gaps: set[tuple[str, str, str]]) -> str | None:
    """A record whose keys contradict each other, shown without a word about it."""
    said = {resource for _, resource, code in gaps if code == CONFLICT}
    for root in case.question.fields:
        name = next((each.name for each in RESOURCES.values() if root.name in (each.plural, f"{each.plural}ByIds")), "")
        shown = found.get(root.key) or ()
        nodes = (shown["nodes"] if isinstance(shown, dict) else shown) if name else ()
        conflicts = {id for _, resource, id in oracle.who.conflicts if resource == name}
        if name not in said and any(node and node.get("id") in conflicts for node in nodes):
            return f"{root.key} shows what is known by keys that contradict each other, and does not say so"
    return None


def _silent(case: Case, query: str, wanted: Any, found: Any) -> str | None:
    """A list that lacks something, or has it in another order, and says that it is complete."""
    if not case.losses:
        return None
    for key, whole in expected(oracle_of(case, ()), query).items():
        if isinstance(whole, Listing) and found[key] is not None and not found[key]["gaps"]:
            pages = [_seen(whole), _seen(wanted[key])]
            if None not in pages and _ids(pages[0]) != _ids(pages[1]):
                return f"{key} lacks what was lost, and says that it is complete"
    return None


def _ids(page: Any) -> list[str]:
    return [id for id, _ in page]


def _seen(wanted: Any) -> Any:
    """What is certainly on the page."""
    if isinstance(wanted, dict):
        return {key: _seen(value) for key, value in wanted.items()}
    if not isinstance(wanted, Listing):
        return wanted
    if not wanted.ordered and len(wanted.nodes) > wanted.first:
        return None
    return wanted.nodes[: wanted.first]


# Comparing


def _differences(wanted: Any, found: Any, path: str, *, lossy: bool) -> Iterator[str]:
    if isinstance(wanted, Listing):
        yield from _listing(wanted, found, path, lossy=lossy)
    elif isinstance(wanted, dict) and isinstance(found, dict):
        if wanted.keys() != found.keys():
            yield f"{path}: fields {sorted(found)} instead of {sorted(wanted)}"
        for key in wanted.keys() & found.keys():
            yield from _differences(wanted[key], found[key], f"{path}.{key}", lossy=lossy)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for place, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(one, other, f"{path}[{place}]", lossy=lossy)
    elif isinstance(wanted, frozenset):
        if found not in wanted:
            yield f"{path}: {_short(found)} instead of one of {sorted(wanted)}"
    elif wanted != found or type(wanted) is not type(found):
        yield f"{path}: {_short(found)} instead of {_short(wanted)}"


def _listing(wanted: Listing, found: Any, path: str, *, lossy: bool) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{path}: {found!r} instead of a list"
        return
    gaps = found["gaps"]
    if found["complete"] is not (not gaps) or (gaps and not lossy):
        yield f"{path}: complete {found['complete']} with gaps {gaps}"
    nodes = found.get("nodes")
    more = len(wanted.nodes) > wanted.first or bool(gaps)
    # false only where it is proven: a source may have to be asked for a page that turns out to bring nothing new
    unproven = not wanted.sorted and len(nodes or ()) == wanted.first
    if found["pageInfo"]["hasNextPage"] is not more and not unproven:
        yield f"{path}: hasNextPage {not more} instead of {more}"
    if nodes is None:
        return
    ids = [node["id"] for node in nodes]
    every = [id for id, _ in wanted.nodes]
    yield from _order(ids, every, wanted, path)
    shown = dict(wanted.nodes)
    for place, node in enumerate(nodes):
        if node["id"] in shown:
            yield from _differences(shown[node["id"]], node, f"{path}.nodes[{place}]", lossy=lossy)


def _order(ids: Sequence[str], every: Sequence[str], wanted: Listing, path: str) -> Iterator[str]:
    if wanted.ordered:
        if list(ids) != list(every[: wanted.first]):
            yield f"{path}: {_short(ids)} instead of {_short(every[: wanted.first])}"
    elif len(set(ids)) != len(ids) or not set(ids) <= set(every) or len(ids) != min(len(every), wanted.first):
        yield f"{path}: {wanted.first} of {_short(ids)} instead of {_short(every)}, in whatever order"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) < 400 else f"{text[:400]}…"


def _telling(wanted: Any) -> bool:
    if isinstance(wanted, Listing):
        return bool(wanted.nodes)
    if isinstance(wanted, dict):
        return any(_telling(each) for key, each in wanted.items() if key != "id")
    if isinstance(wanted, list):
        return any(map(_telling, wanted))
    return wanted is not None


# Walks


async def _walk(case: Case, assembled: Assembled, oracle: HostileOracle) -> Outcome:
    """Read a list page by page until it says that it ends."""
    uncertain = case.losses or oracle.who.conflicts
    (whole,) = case.question.fields
    wanted = expected(oracle, str(replace(case.question, fields=(_page(whole, case.question.walk, None),))))[whole.key]
    if wanted is None:
        return Outcome()
    ids: list[str] = []
    after = None
    for _ in range(MOST_PAGES):
        answer = await ask(assembled.federation, f"{{ {_page(whole, case.question.walk, after)} }}")
        trouble, refused = _errors(answer, case, oracle)
        if trouble or refused:
            return Outcome(trouble, refused)
        page = answer["data"][whole.key]
        if page["gaps"] and uncertain:
            return Outcome(gaps=len(page["gaps"]))  # such a list has no end
        if page["gaps"] or not page["complete"]:
            return Outcome(f"a page with gaps {page['gaps']}")
        ids += [edge["node"]["id"] for edge in page["edges"]]
        info = page["pageInfo"]
        if not info["hasNextPage"]:
            everything = replace(wanted, first=len(wanted.nodes) + 1)
            ids = _but_repeated(ids, oracle, whole)
            difference = next(_order(ids, [id for id, _ in wanted.nodes], everything, whole.key), None)
            return Outcome(difference, None, bool(ids))
        if len(page["edges"]) != case.question.walk:
            return Outcome(f"a page of {len(page['edges'])} in the midst of a list, after {_short(ids)}")
        after = info["endCursor"]
    return Outcome(f"the list does not end: {_short(ids)}")


def _but_repeated(ids: Sequence[str], oracle: HostileOracle, whole: Field) -> list[str]:
    """Without what a page repeats of an earlier one because its source repeats it in its own list (a known limit)."""
    resource = next(each for each in RESOURCES.values() if each.plural == whole.name)
    repeated: set[str] = set()
    for served in oracle.sources.values():
        own = [identity(resource, record) for record in served.get(resource.name, ())]
        repeated |= {id for id in own if own.count(id) > 1}
    return [id for place, id in enumerate(ids) if id not in repeated or id not in ids[:place]]


def _page(whole: Field, first: int | None, after: str | None) -> Field:
    arguments = {**whole.arguments, "first": str(first)}
    if after is not None:
        arguments["after"] = json.dumps(after)
    parts = (
        Field("edges", inner=(Field("node", inner=(Field("id"),)),)),
        Field("complete"),
        Field("gaps", inner=(Field("source"), Field("code"))),
        Field("pageInfo", inner=(Field("hasNextPage"), Field("endCursor"))),
    )
    return replace(whole, arguments=arguments, inner=parts)
