"""Paging as sources really do it: a walk gives every record once and in order, or says that it could not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.capabilities import Arrays, Filter, Paging
from sources.records import Answer
from sources.requests import Query
from sources.source import Source

from .conftest import asked, codes, ids, soon, source_of

ALL = Query.of()
WINDOW = ("startTime.onOrAfter", "startTime.onOrBefore")
PERIOD = {WINDOW[0]: ("2026-01-01T00:00:00+00:00",), WINDOW[1]: ("2026-12-31T00:00:00+00:00",)}
quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@dataclass
class Server:
    """A list of records, paged in one dialect and strict about it: what does not belong to it is a bad request.

    ``most`` bounds its pages whatever the limit. ``end`` is what stands for the token of the page after the last;
    ``full``: after a last page that is full comes an empty one. ``gone``: the calls, counted from 0, that answer 410 if
    they continue a list.
    """

    records: Sequence[str]
    dialect: Paging
    most: int = 100
    end: dict[str, Any] = field(default_factory=lambda: {"pageToken": None})
    full: bool = False
    gone: frozenset[int] = frozenset()
    window: tuple[str, ...] = ()
    calls: list[dict[str, list[str]]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        given = asked(request)
        self.calls.append(given)
        number = len(self.calls) - 1
        continued = "pageToken" in given or "offset" in given
        if continued and number in self.gone:
            return httpx.Response(410)
        if not self._accepts(given, continued):
            return httpx.Response(400)
        found = [{"id": name} for name in self.records if name.startswith(given.get("nameContains", [""])[0])]
        if self.dialect is Paging.NONE:
            return httpx.Response(200, json={"data": found})
        if self.dialect is Paging.OFFSET:
            start = int(given.get("offset", ["0"])[0])
            return httpx.Response(200, json=found[start : start + self._size(given)])
        if self.dialect is not Paging.TOKEN_WITH_FILTERS and continued:  # its token remembers
            prefix = given["pageToken"][0].partition(":")[2]
            found = [{"id": name} for name in self.records if name.startswith(prefix)]
        else:
            prefix = given.get("nameContains", [""])[0]
        start = int(given.get("pageToken", ["0"])[0].partition(":")[0])
        following = start + self._size(given)
        more = following < len(found) + (1 if self.full and start < len(found) else 0)
        token = str(following) if self.dialect is Paging.TOKEN_WITH_FILTERS else f"{following}:{prefix}"
        page = {"data": found[start:following]}
        return httpx.Response(200, json=page | ({"pageToken": token} if more else self.end))

    def _size(self, given: dict[str, list[str]]) -> int:
        return min(self.most, int(given.get("limit", ["100"])[0]))

    def _accepts(self, given: dict[str, list[str]], continued: bool) -> bool:
        rest = given.keys() - {"limit", "pageToken", "offset"}
        match self.dialect:
            case Paging.TOKEN:
                return not (continued and rest) and "offset" not in given
            case Paging.TOKEN_WITH_WINDOW:
                return rest == set(self.window) if continued else set(self.window) <= rest
            case Paging.NONE:
                return not given.keys() & {"limit", "pageToken", "offset"}
            case Paging.OFFSET:
                return "pageToken" not in given
        return "offset" not in given


async def by_page(source: Source, resource: str, query: Query = ALL, most: int = 200) -> list[Answer]:
    """The list page by page, each asked for with the token of the one before."""
    answers: list[Answer] = []
    token = None
    while len(answers) < most:
        answers.append(await source.page(resource, query, token, soon()))
        token = answers[-1].next
        if token is None:
            return answers
    raise AssertionError("it does not end")


def together(answers: Sequence[Answer]) -> list[str]:
    return [each for answer in answers for each in ids(answer)]


NAMES = st.lists(st.text("ab", min_size=1, max_size=6), unique=True, max_size=14)


@quick
@given(
    names=NAMES,
    dialect=st.sampled_from(Paging),
    limit=st.sampled_from([None, 1, 2, 5]),
    most=st.integers(1, 6),
    end=st.sampled_from([{"pageToken": None}, {"pageToken": ""}, {}]),
    full=st.booleans(),
    prefix=st.sampled_from(["", "a"]),
    gone=st.frozensets(st.integers(1, 12), max_size=4),
    restarts=st.integers(0, 3),
)
def test_a_walk_gives_every_record_once_in_order_or_a_fault(
    names: list[str],
    dialect: Paging,
    limit: int | None,
    most: int,
    end: dict[str, Any],
    full: bool,
    prefix: str,
    gone: frozenset[int],
    restarts: int,
) -> None:
    query = Query.of({"nameContains": (prefix,)} if prefix else {})
    window: tuple[str, ...] = ()
    resource = "Person"
    if dialect is Paging.TOKEN_WITH_WINDOW:
        query, prefix, window, resource = Query.of(PERIOD), "", WINDOW, "CalendarEvent"
    server = Server(names, dialect, most, end, full, gone, window)

    async def run() -> tuple[Answer, list[Answer]]:
        walking = source_of(server, paging=dialect, page_size=limit, restarts=restarts, ttl={"default": 0})
        walked = await walking.walk(resource, query, soon())
        server.gone = frozenset()
        paging = source_of(server, paging=dialect, page_size=limit, ttl={"default": 0})
        return walked, await by_page(paging, resource, query)

    walked, pages = asyncio.run(run())
    expected = [name for name in names if name.startswith(prefix)]
    if walked.faults:
        assert codes(walked) == ["SOURCE_LIST_CHANGED"]
        assert len(gone) > restarts
        assert ids(walked) == expected[: len(ids(walked))]
    else:
        assert ids(walked) == expected
    assert together(pages) == expected
    assert [code for page in pages for code in codes(page)] == []


async def test_a_token_with_the_window_again_and_nothing_else() -> None:
    server = Server(["a", "b"], Paging.TOKEN_WITH_WINDOW, most=1, window=WINDOW)
    source = source_of(server, paging=Paging.TOKEN_WITH_WINDOW, page_size=7)
    answer = await source.walk("CalendarEvent", Query.of({**PERIOD, "activity": ("x",)}), soon())
    assert server.calls[0].keys() == {*WINDOW, "activity", "limit"}
    assert server.calls[1].keys() == {*WINDOW, "limit", "pageToken"}
    assert (ids(answer), codes(answer)) == (["a", "b"], [])


async def test_without_paging_neither_limit_nor_token_is_sent() -> None:
    server = Server(["a", "b"], Paging.NONE)
    source = source_of(server, paging=Paging.NONE, page_size=5)
    assert ids(await source.walk("Person", ALL, soon())) == ["a", "b"]
    assert await source.probe("Person", ALL, soon()) is None
    assert server.calls == [{}, {}]


@pytest.mark.parametrize("dialect", [Paging.TOKEN, Paging.TOKEN_WITH_FILTERS, Paging.NONE])
async def test_more_pages_where_there_should_be_one_are_a_gap(dialect: Paging) -> None:
    """A source that pages although the profile says that it does not."""
    source = source_of(Server(["a", "b", "c"], Paging.TOKEN_WITH_FILTERS, most=2), paging=dialect)
    answers = [await source.walk("Person", ALL, soon()), *await by_page(source, "Person")]
    for answer in (answers[0], answers[-1]):
        assert codes(answer) == (["SOURCE_PAGING_LOOP"] if dialect is Paging.NONE else [])
    assert ids(answers[0]) == together(answers[1:]) == (["a", "b"] if dialect is Paging.NONE else ["a", "b", "c"])


async def test_a_source_that_takes_no_notice_of_the_offset_is_a_loop() -> None:
    source = source_of(lambda _: httpx.Response(200, json=[{"id": "a"}, {"id": "b"}]), paging=Paging.OFFSET)
    walked = await source.walk("Person", ALL, soon())
    assert (ids(walked), codes(walked)) == (["a", "b"], ["SOURCE_PAGING_LOOP"])
    pages = await by_page(source, "Person")
    assert together(pages) == ["a", "b"]
    assert codes(pages[-1]) == ["SOURCE_PAGING_LOOP"]


@pytest.mark.parametrize("length", [1, 2, 3, 7])
async def test_tokens_that_go_round_in_a_circle_end_the_list_with_a_gap(length: int) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        number = int(asked(request).get("pageToken", ["0"])[0])
        following = number + 1 if number < 3 + length else 4
        return httpx.Response(200, json={"data": [{"id": f"r{number}"}], "pageToken": following})

    source = source_of(handle)
    walked = await source.walk("Person", ALL, soon())
    assert codes(walked) == ["SOURCE_PAGING_LOOP"]
    assert ids(walked) == [f"r{number}" for number in range(4 + length)]
    pages = await by_page(source, "Person", most=60)
    assert codes(pages[-1]) == ["SOURCE_PAGING_LOOP"]
    assert set(together(pages)) == set(ids(walked))


@pytest.mark.parametrize("status", [400, 410])
async def test_a_page_whose_token_is_dead_is_a_fault_and_nothing_is_begun_anew(status: int) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if "pageToken" in asked(request):
            return httpx.Response(status)
        return httpx.Response(200, json={"data": [{"id": "a"}], "pageToken": "t"})

    source = source_of(handle)
    first = await source.page("Person", ALL, None, soon())
    second = await source.page("Person", ALL, first.next, soon())
    assert (ids(second), second.next, source.calls) == ([], None, 2)
    assert codes(second) == ["SOURCE_LIST_CHANGED" if status == 410 else "SOURCE_REQUEST_REFUSED"]


async def test_a_token_that_was_never_given_is_refused_without_a_call() -> None:
    source = source_of(Server(["a"], Paging.TOKEN))
    for token in ("", "t1", "1.1.1.:t", "0.1.1.xyz:t"):
        assert codes(await source.page("Person", ALL, token, soon())) == ["SOURCE_REQUEST_REFUSED"]
    assert source.calls == 0


async def test_filters_that_may_not_be_relied_on_are_not_sent() -> None:
    filters = {
        "Person": {
            "nameContains": Filter.IGNORED,
            "identifier.value": Filter.REFUSED,
            "identifier.context": Filter.UNKNOWN,
            "relationship.organisation": Filter.SUPERSET,
        },
        "CalendarEvent": {"*": Filter.UNKNOWN, "activity": Filter.EXACT},
    }
    server = Server(["a"], Paging.TOKEN)
    source = source_of(server, filters=filters, page_size=None)
    names = (*filters["Person"], "eduPersonPrincipalName")
    await source.walk("Person", Query.of(dict.fromkeys(names, ("a",))), soon())
    assert server.calls[0].keys() == {"relationship.organisation", "eduPersonPrincipalName"}
    await source.walk("CalendarEvent", Query.of({**PERIOD, "activity": ("a",), "group": ("a",)}), soon())
    assert server.calls[1].keys() == {*WINDOW, "activity"}


async def test_a_filter_that_needs_another_is_sent_only_with_it() -> None:
    server = Server(["a"], Paging.TOKEN)
    needs = {"Person": {"relationship.organisation": "relationship.entity.type"}}
    source = source_of(server, filters_with=needs, page_size=None)
    organisation, kind = {"relationship.organisation": ("a",)}, {"relationship.entity.type": ("duty",)}
    await source.walk("Person", Query.of(organisation), soon())
    await source.walk("Person", Query.of(organisation | kind), soon())
    assert [set(call) for call in server.calls] == [set(), {*organisation, *kind}]


async def test_several_values_in_one_parameter() -> None:
    server = Server(["a"], Paging.TOKEN)
    source = source_of(server, arrays=Arrays.COMMA, page_size=None)
    await source.walk("Group", Query.of({"groupType": ("Klass", "Övrigt"), "organisation": ("x",)}), soon())
    await source.deleted(None, ("Person", "Group"), soon())
    assert server.calls == [{"groupType": ["Klass,Övrigt"], "organisation": ["x"]}, {"entities": ["Person,Group"]}]


async def test_an_expand_that_the_source_does_not_know_is_not_asked_for() -> None:
    urls = []

    def handle(request: httpx.Request) -> httpx.Response:
        urls.append(request.url.raw_path.decode().removeprefix("/ss12000/v2.0"))
        single = request.method == "GET" and "/persons/" in str(request.url)
        return httpx.Response(200, json={"id": "b"} if single else [{"id": "a", "_embedded": {"duties": []}}])

    source = source_of(handle, expand={"Person": frozenset({"duties"})}, page_size=None, no_lookup=frozenset({"Duty"}))
    looked = await source.lookup("Person", "ids", ["a"], ("duties", "placements"), soon())
    await source.get("Person", "b", ("placements",), soon())
    await source.walk("Person", Query.of({}, ("duties", "placements")), soon())
    assert urls == ["/persons/lookup?expand=duties", "/persons/b", "/persons?expand=duties"]
    assert looked.slabs[0].embedded.keys() == {"duties"}
    assert looked.faults == ()


@pytest.mark.parametrize("dialect", Paging)
async def test_the_feed_of_deletions_is_paged_like_everything_else(dialect: Paging) -> None:
    gone = [{"entityType": "Person", "id": str(number)} for number in range(5)]
    calls: list[dict[str, list[str]]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        given = asked(request)
        calls.append(given)
        if dialect is Paging.NONE:
            return httpx.Response(200, json=gone)
        start = int(given.get("offset", given.get("pageToken", ["0"]))[0])
        page = gone[start : start + 2]
        if dialect is Paging.OFFSET:
            return httpx.Response(200, json=page)
        return httpx.Response(200, json={"data": page, "pageToken": start + 2 if start + 2 < len(gone) else None})

    answer = await source_of(handle, paging=dialect).deleted("2026-01-01T00:00:00Z", ("Person",), soon())
    assert (answer.ids, answer.faults) == ({"Person": frozenset("01234")}, ())
    repeated = dialect in (Paging.TOKEN_WITH_FILTERS, Paging.OFFSET)
    assert all(("after" in call) is repeated for call in calls[1:])


async def test_a_feed_of_deletions_that_takes_no_notice_of_the_offset_is_a_loop() -> None:
    source = source_of(lambda _: httpx.Response(200, json={"data": {"persons": ["a"]}}), paging=Paging.OFFSET)
    answer = await source.deleted(None, (), soon())
    assert (answer.ids, codes(answer)) == ({"Person": frozenset("a")}, ["SOURCE_PAGING_LOOP"])
