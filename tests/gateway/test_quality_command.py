"""``check --quality`` as a person meets it: table, JSON, page, progress, exit code; and nothing in them of persons."""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from gateway.cli import main
from gateway.quality.progress import AGAIN, EVERY, Progress
from resolvers.quality import SHOWN_FROM, showable
from sources.demo import configuration, municipality, server
from sources.demo.municipality import Municipality
from sources.demo.server import DemoServers

from .test_cli import SOURCES, write

COMMAND = [sys.executable, "-m", "gateway.cli"]
PATIENCE = 60.0
LONGEST = 162
"""Columns: the widest that a table gets, and a little for a long line that cannot be broken."""


@dataclass(frozen=True)
class Town:
    made: Municipality
    config: str
    servers: DemoServers


def personal(person: Mapping[str, Any]) -> Iterator[str]:
    """What is somebody's."""
    yield from (person[name] for name in ("givenName", "middleName", "familyName") if person.get(name))
    yield from (
        each["value"] for name in ("emails", "phoneNumbers", "externalIdentifiers") for each in person.get(name, ())
    )
    yield from person.get("eduPersonPrincipalNames", ())
    if "civicNo" in person:
        yield person["civicNo"]["value"]
    for each in person.get("addresses", ()):
        yield each["streetAddress"]


def leaking(made: Municipality) -> Municipality:
    """Persons' data in the wrong places: in enumerations, in dates, and one name many times."""
    sources = {source: {name: list(found) for name, found in lists.items()} for source, lists in made.sources.items()}
    persons = [each for each in sources["sis"]["Person"] if each.get("civicNo") and each.get("emails")]
    family = persons[0]["familyName"]
    for i, person in enumerate(persons[:4]):
        place = sources["sis"]["Person"].index(person)
        sources["sis"]["Person"][place] = {
            **person,
            "sex": person["givenName"],
            "personStatus": person["emails"][0]["value"],
            "birthDate": person["civicNo"]["value"],
            "securityMarking": person["civicNo"]["value"],
        }
        absences = sources["narvaro"]["Absence"]
        absences[i] = {**absences[i], "type": family, "startTime": family}
    return replace(made, sources=sources)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = leaking(municipality.build(60, 1))
    async with await server.start(made) as servers:
        yield Town(made, str(configuration.write(servers, tmp_path_factory.mktemp("town"))), servers)


async def check(town: Town, *more: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, while this one goes on serving."""
    arguments = [*COMMAND, "check", "--quality", "--config", town.config, *more]
    return await asyncio.to_thread(
        subprocess.run, arguments, capture_output=True, text=True, timeout=PATIENCE, encoding="utf-8"
    )


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


@dataclass(frozen=True)
class Told:
    printed: subprocess.CompletedProcess[str]
    as_json: subprocess.CompletedProcess[str]
    page: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Told:
    file = tmp_path_factory.mktemp("told") / "quality.html"
    printed = await check(town, "--html", str(file))
    return Told(printed, await check(town, "--json"), file.read_text(encoding="utf-8"))


@pytest.mark.asyncio(loop_scope="module")
async def test_the_table_the_json_and_the_page_say_the_same_and_nothing_of_persons(town: Town, told: Told) -> None:
    printed, as_json = told.printed, told.as_json
    assert printed.returncode == as_json.returncode == 1
    page = Page(told.page)
    assert page.open == []
    document = json.loads(as_json.stdout)
    assert [each["source"] for each in document["sources"]] == list(town.servers)
    assert document["ok"] is False
    findings = [(each["source"], found) for each in document["sources"] for found in each["findings"]]
    assert {"wrong_type", "unknown_value", "disagreement"} <= {found["kind"] for _, found in findings}

    # the same in all three
    whole = "".join(page.text)
    for _, found in findings:
        where = found["resource"] if found["property"] is None else f"{found['resource']}.{found['property']}"
        assert where in printed.stdout
        assert where in whole
        if found["property"] == "securityMarking":
            assert found["examples"] == []
        else:
            assert len(found["examples"]) == min(5, found["count"])
        for example in found["examples"]:
            assert example in printed.stdout
            assert example in whole
    lists = {
        (each["source"], part["resource"]): part["records"] for each in document["sources"] for part in each["lists"]
    }
    for (source, resource), records in lists.items():
        if resource not in ("CalendarEvent", "AggregatedAttendance"):
            assert records == len(town.made.sources[source][resource])
    total = f"{sum(lists.values()):,}".replace(",", "\N{NO-BREAK SPACE}")
    last = printed.stdout.splitlines()[-1]
    assert last.startswith(f"6 sources, {len(lists)} lists, {total} records: ")
    assert last in whole

    # nothing that is somebody's, in any of them
    persons = [person for each in town.made.sources.values() for person in each.get("Person", ())]
    secret = {value.casefold() for person in persons for value in personal(person)}
    assert len(secret) > 200
    words = {
        word for value in secret for word in re.findall(r"[\w@.\-]+", value) if not word.isdigit() or len(word) > 5
    }
    for text in (printed.stdout, printed.stderr, as_json.stdout, as_json.stderr, told.page):
        said = set(re.findall(r"[\w@.\-]+", text.casefold()))
        assert said & words == set()
        assert not [value for value in secret if len(value) > 9 and value in text.casefold()]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_page_needs_nothing_from_elsewhere_and_can_be_read_without_eyes(told: Told) -> None:
    text = told.page
    page = Page(text)
    names = [tag for tag, _ in page.tags]
    assert not {"script", "img", "link", "iframe", "form"} & set(names)
    assert "url(" not in text
    assert "http" not in re.sub(r'http-equiv="[^"]+"', "", text)
    (policy,) = (a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not [
        attributes
        for _, attributes in page.tags
        if "style" in attributes or any(k.startswith("on") for k in attributes)
    ]
    assert next(attributes for tag, attributes in page.tags if tag == "html")["lang"] == "en"
    assert names.count("h1") == names.count("main") == 1
    assert names.count("table") == names.count("caption") > 1
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {f"#{name}" for name in anchors} == {a["href"] for tag, a in page.tags if tag == "a"}


@pytest.mark.asyncio(loop_scope="module")
async def test_the_table_fits_a_terminal_and_the_progress_stands_beside_it(town: Town, told: Told) -> None:
    done = told.printed
    assert max(map(len, done.stdout.splitlines())) <= LONGEST
    heads = {line for line in done.stdout.splitlines() if line.split() == ["LEVEL", "WHAT", "WHERE", "COUNT"]}
    assert len(heads) == 1, "all blocks are aligned alike"
    lines = done.stderr.splitlines()
    served = [f"{source}: {name}, " for source, lists in town.made.sources.items() for name in lists]
    assert sorted(line[: line.index(", ") + 2] for line in lines) == sorted(served)
    assert all(re.fullmatch(r"\w+: \w+, [\d\N{NO-BREAK SPACE}]+ records", line) for line in lines)


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_found_is_zero(town: Town) -> None:
    """Of one source, one resource in which nothing is wrong."""
    data = configuration.gateway_config(town.servers)
    sources = data["sources"]
    assert isinstance(sources, dict)
    only = {key: value for key, value in sources["sis"].items() if key != "holds"} | {"resources": ["programmes"]}
    config = str(Path(town.config).with_name("one.yaml"))
    await asyncio.to_thread(Path(config).write_text, yaml.safe_dump({"sources": {"sis": only}}))
    done = await check(replace(town, config=config))
    assert (done.returncode, done.stderr) == (0, "sis: Programme, 10 records\n")
    assert done.stdout.splitlines()[-1] == "1 source, 1 list, 10 records: nothing found."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quality", "--offline"], "--offline"),
        (["--quality", "--from", "2026-05-01", "--to", "2026-04-30"], "2026-05-01"),
        (["--quality", "--html", "/nowhere/at/all.html"], "/nowhere/at/all.html"),
        (["--html", "x.html"], "--quality"),
        (["--examples", "3", "--offline"], "--quality"),
    ],
)
def test_calls_that_make_no_sense_are_refused(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", write(tmp_path, SOURCES), *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--from", "1 May"], ["--examples", "-1"], ["--time-limit", "30"], ["--time-limit", "0s"], ["--max-records", "0"]],
)
def test_values_that_are_none_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "--config", "x", "--quality", *arguments])
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_source_that_is_not_there_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", write(tmp_path, SOURCES), "--quality"]) == 1
    said = capsys.readouterr()
    assert "SOURCE_UNREACHABLE" in said.out
    assert said.err == "sis: Person, SOURCE_UNREACHABLE after 0 records\n"


@pytest.mark.parametrize("value", ["Skolk", "Barnskötare/Elevassistent", "Lgr22", "Gy 2025 v.", "X" * 40])
def test_a_word_that_several_records_have_is_shown(value: str) -> None:
    assert showable(value, SHOWN_FROM)
    assert not showable(value, SHOWN_FROM - 1)


@pytest.mark.parametrize(
    "value",
    ["a@b.se", "080224-1234", "TF080224", "Elev 12345", "x" * 41, "", " ", "a_b", "<b>", "a\nb", "070-123 45 67", "9A"],
)
def test_other_texts_are_not_shown(value: str) -> None:
    assert not showable(value, 1000)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_rewritten() -> None:
    now = 0.0
    out = Terminal()
    progress = Progress(out, lambda: now)
    for records in range(1, 5):
        now += AGAIN * 0.6
        progress.update("sis", "Person", records * 1000)
    assert out.getvalue().split("\r\x1b[K") == [
        "",
        "sis Person 1\N{NO-BREAK SPACE}000",
        "sis Person 3\N{NO-BREAK SPACE}000",
    ]
    progress.update("hr", "Duty", 1)
    progress.done("sis", "Person", 5000, None)
    assert out.getvalue().split("\r\x1b[K")[-2:] == ["sis: Person, 5\N{NO-BREAK SPACE}000 records\n", "hr Duty 1"]
    progress.end()
    assert out.getvalue().endswith("\r\x1b[K")


def test_elsewhere_lines_are_plain_and_few() -> None:
    now = 0.0
    out = io.StringIO()
    progress = Progress(out, lambda: now)
    for records in range(100):
        now += EVERY / 40
        progress.update("sis", "Person", records)
    progress.done("sis", "Person", 100, "SOURCE_TIMEOUT")
    assert out.getvalue().splitlines() == [
        "sis: Person, 40 records so far",
        "sis: Person, 80 records so far",
        "sis: Person, SOURCE_TIMEOUT after 100 records",
    ]
