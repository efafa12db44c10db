"""The documentation is true: every query answers, every command is one, every code, key and page is there."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio

from gateway.assemble import Assembled
from gateway.cli import parser
from gateway.examples import examples
from gateway.explain import tree
from gateway.explain.command import explain
from gateway.explain.explained import Mode
from resolvers.errors import Code
from sources.demo import municipality, server
from tests.harness import ask, over

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DAY = date(2026, 11, 23)
"""The day for which the documentation's queries are written."""


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, text) of all fenced blocks in a language."""
    found = []
    for page in PAGES:
        for text in re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            found.append((page.name, text))
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncIterator[server.DemoServers]:
    async with await server.start(municipality.build(2000, 1, DAY)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(servers: server.DemoServers) -> AsyncIterator[Assembled]:
    assembled = over(servers)
    yield assembled
    await assembled.aclose()


QUERIES = blocks("graphql")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("page", "query"), QUERIES, ids=[f"{page}-{n}" for n, (page, _) in enumerate(QUERIES)])
async def test_every_query_in_the_documentation_answers(gateway: Assembled, page: str, query: str) -> None:
    answer = await ask(gateway.federation, query)
    assert "errors" not in answer
    assert answer["extensions"]["completeness"]["complete"]
    for name, value in answer["data"].items():
        assert value, f"{name} is empty: the page shows nothing"
        if isinstance(value, dict) and "nodes" in value:
            assert value["nodes"], f"{name} has no records: the page shows nothing"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_plan_that_is_shown_is_the_real_one(servers: server.DemoServers) -> None:
    page = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
    found = re.search(r"For this query\n\n```graphql\n(.*?)```\n\nthe plan is\n\n```text\n(.*?)```", page, re.DOTALL)
    assert found is not None
    fresh = over(servers)  # it has not seen anything yet
    answer = await explain(fresh, found[1], {}, None, Mode.PLAN)
    await fresh.aclose()
    assert tree.text(answer["extensions"]["plan"]) == found[2]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_readme_shows_the_real_answer(gateway: Assembled) -> None:
    (query,) = [text for page, text in QUERIES if page == "README.md"]
    (shown,) = [text for page, text in blocks("json") if page == "README.md"]
    assert (await ask(gateway.federation, query))["data"] == json.loads(shown)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("example", examples(DAY), ids=lambda example: example.title)
async def test_every_example_has_something_to_show(gateway: Assembled, example: object) -> None:
    answer = await ask(gateway.federation, example.query)  # type: ignore[attr-defined]
    assert "errors" not in answer
    text = json.dumps(answer["data"])
    assert text.count('"displayName": "') > 5


def test_every_command_in_the_documentation_is_one() -> None:
    commands = [
        shlex.split(line.partition("ss12000-gateway")[2])
        for page, text in blocks("sh")
        for line in text.splitlines()
        if "ss12000-gateway" in line and "pytest" not in line and "docker" not in line
    ]
    assert commands
    for arguments in commands:
        parser().parse_args(arguments)  # exits with 2 if it is none


def test_the_readme_has_two_commands_for_a_fresh_machine() -> None:
    fresh = [text.strip() for page, text in blocks("sh") if page == "README.md" and "venv" in text]
    assert len(fresh) == 2
    assert all(command.startswith("python3 -m venv .venv && ") for command in fresh)


def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["relations.md", "errors.md", "cli.md", "profiles.md"])
def test_generated_pages_are_current(page: str) -> None:
    made = generate().PAGES[page]()
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == made, "run: python docs/generate.py"


def test_every_code_is_used() -> None:
    files = [path for floor in ("gateway", "resolvers") for path in (ROOT / floor).rglob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    unused = [each.name for each in Code if f"Code.{each.name}" not in code]
    assert unused == []


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
