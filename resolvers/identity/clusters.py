"""From the records of all sources to things. Pure.

Equal ids are one thing. Beyond that, records that share a strong key are one thing, unless that makes nonsense: two
records of one source, or two values of a key that a thing has once. Then none of those concerned are merged, and they
are reported. A link of before stays until its records contradict it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .keys import Key

Place = tuple[str, str]
"""A source, and its id of something."""


@dataclass(frozen=True, slots=True)
class Node:
    """One source's record, as far as identity is concerned.

    ``during``: first and last day (None: open) where keys only count between records that overlap. ``protected``:
    weak keys do not count for it, nor for what it is merged with.
    """

    source: str
    local: str
    keys: tuple[Key, ...] = ()
    weak: tuple[Key, ...] = ()
    during: tuple[str | None, str | None] | None = None
    protected: bool = False

    @property
    def place(self) -> Place:
        return self.source, self.local


@dataclass(frozen=True, slots=True)
class Clusters:
    """``groups``: the records of each thing. ``matched``: the kind of key by which a record was linked to its thing.

    ``conflicts``: records whose keys point to different things. ``splits``: records that were linked and no longer are.
    """

    groups: Sequence[Sequence[Node]]
    matched: Mapping[Place, str]
    conflicts: frozenset[Place]
    splits: frozenset[Place]


class _Sets:
    """Disjoint sets of positions (union by halving paths)."""

    def __init__(self, parents: Iterable[int]) -> None:
        self.parents = list(parents)

    def find(self, each: int) -> int:
        parents = self.parents
        while parents[each] != each:
            parents[each] = parents[parents[each]]
            each = parents[each]
        return each

    def unite(self, left: int, right: int) -> None:
        left, right = self.find(left), self.find(right)
        if left != right:
            self.parents[max(left, right)] = min(left, right)

    def groups(self, of: Iterable[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for each in of:
            found[self.find(each)].append(each)
        return found


def clusters(nodes: Sequence[Node], single: Collection[str], before: Mapping[Place, Hashable]) -> Clusters:
    """The things that the records are of. ``single``: kinds of keys that a thing has at most once.

    ``before``: what each record was linked to so far.
    """
    everyone = range(len(nodes))
    by_id = _Sets(everyone)
    _unite(by_id, everyone, lambda each: [nodes[each].local])
    linked = _Sets(by_id.parents)
    matched: dict[Place, str] = {}
    for key, sharing in _sharing(nodes, everyone).items():
        for left, right in _pairs(nodes, sharing):
            linked.unite(left, right)
            matched.setdefault(nodes[left].place, key[0])
            matched.setdefault(nodes[right].place, key[0])
    splits = _keep_links(nodes, by_id, linked, before)
    conflicts: set[Place] = set()
    final = _Sets(by_id.parents)
    for members in linked.groups(everyone).values():
        if _consistent(nodes, members, single):
            for each in members:
                final.unite(members[0], each)
        elif len({by_id.find(each) for each in members}) > 1:
            conflicts.update(nodes[each].place for each in members)
    _unite_weakly(nodes, final, single, matched)
    groups = [[nodes[each] for each in members] for members in final.groups(everyone).values()]
    apart = {place for place in splits if place not in conflicts}
    return Clusters(groups, matched, frozenset(conflicts), frozenset(apart))


def _unite(sets: _Sets, positions: Iterable[int], values: Callable[[int], Iterable[Hashable]]) -> None:
    first: dict[Hashable, int] = {}
    for each in positions:
        for value in values(each):
            sets.unite(first.setdefault(value, each), each)


def _sharing(nodes: Sequence[Node], positions: Iterable[int]) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = defaultdict(list)
    for each in positions:
        for key in nodes[each].keys:
            found[key].append(each)
    return {key: sharing for key, sharing in found.items() if len(sharing) > 1}


def _pairs(nodes: Sequence[Node], sharing: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The records of one key that it links: all, or those whose days overlap."""
    if nodes[sharing[0]].during is None:
        return ((sharing[0], each) for each in sharing[1:])
    return (
        (left, right)
        for place, left in enumerate(sharing)
        for right in sharing[place + 1 :]
        if nodes[left].source != nodes[right].source and _overlap(nodes[left].during, nodes[right].during)
    )


def _overlap(left: tuple[str | None, str | None] | None, right: tuple[str | None, str | None] | None) -> bool:
    if left is None or right is None:
        return True
    return (left[0] is None or right[1] is None or left[0] <= right[1]) and (
        right[0] is None or left[1] is None or right[0] <= left[1]
    )


def _keep_links(nodes: Sequence[Node], by_id: _Sets, linked: _Sets, before: Mapping[Place, Hashable]) -> set[Place]:
    """Unite what was linked before, unless its keys contradict each other now; gives those that do."""
    together: dict[Hashable, list[int]] = defaultdict(list)
    for each, node in enumerate(nodes):
        if node.place in before:
            together[before[node.place]].append(each)
    splits: set[Place] = set()
    for members in together.values():
        first = members[0]
        for each in members[1:]:
            if by_id.find(first) == by_id.find(each) or not _contradict(nodes[first], nodes[each]):
                linked.unite(first, each)
            elif linked.find(first) != linked.find(each):
                splits.add(nodes[each].place)
    return splits


def _contradict(left: Node, right: Node) -> bool:
    """Whether both have keys of a kind, and share none of any kind."""
    if set(left.keys) & set(right.keys):
        return False
    return bool({key[0] for key in left.keys} & {key[0] for key in right.keys})


def _consistent(nodes: Sequence[Node], members: Sequence[int], single: Collection[str]) -> bool:
    locals_: dict[str, str] = {}
    values: dict[str, Key] = {}
    for each in members:
        node = nodes[each]
        if locals_.setdefault(node.source, node.local) != node.local:
            return False
        for key in node.keys:
            if key[0] in single and values.setdefault(key[0], key) != key:
                return False
    return True


def _unite_weakly(nodes: Sequence[Node], final: _Sets, single: Collection[str], matched: dict[Place, str]) -> None:
    """Unite by keys that can be shared: where exactly two things have one, and nothing speaks against it."""
    sharing: dict[Key, dict[int, None]] = defaultdict(dict)
    for each, node in enumerate(nodes):
        for key in node.weak:
            sharing[key][each] = None
    if not sharing:
        return
    members = final.groups(range(len(nodes)))
    for key, having in sharing.items():
        roots = list(dict.fromkeys(final.find(each) for each in having))
        if len(roots) != 2:
            continue
        both = [each for root in roots for each in members[root]]
        if any(nodes[each].protected for each in both) or not _consistent(nodes, both, single):
            continue
        final.unite(*roots)
        members[final.find(roots[0])] = both
        for each in having:
            matched.setdefault(nodes[each].place, key[0])
