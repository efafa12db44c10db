"""The command as a person meets it: real processes, what they print, how they end."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest
import pytest_asyncio
import yaml
from graphql import build_schema

from gateway.cli import main
from sources.demo import configuration, municipality, server
from sources.demo.server import DemoServers

COMMAND = [sys.executable, "-m", "gateway.cli"]
PATIENCE = 60.0
"""Seconds that a process may take."""


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own; killed if the test leaves it running."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(stream: IO[str], pattern: str) -> re.Match[str]:
    """Lines up to one with the pattern."""
    for line in stream:
        found = re.search(pattern, line)
        if found:
            return found
    raise AssertionError(f"the output ended without {pattern}")


async def in_thread(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, while this process goes on serving."""
    return await asyncio.to_thread(
        subprocess.run, [*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE, encoding="utf-8"
    )


def test_demo_serves_shows_queries_that_answer_and_stops_on_ctrl_c() -> None:
    with running("demo", "--port", "0", "--pupils", "60") as process:
        assert process.stdout is not None
        address = read_until(process.stdout, r"GraphiQL is at (\S+)/ ")[1]
        assert "SS 12000 gateway" in httpx.get(address + "/").text
        shown = ""
        while shown.count("\nquery ") < 3 or not shown.endswith("\n}\n"):
            shown += process.stdout.readline()
        queries = re.findall(r"^query \w+ \{\n.*?^\}$", shown, re.MULTILINE | re.DOTALL)
        assert len(queries) == 3
        for query in queries:
            answer = httpx.post(address + "/graphql", json={"query": query}, timeout=PATIENCE).json()
            assert "errors" not in answer
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("pupils", ["59", "many", "200001"])
def test_a_municipality_of_no_reasonable_size_is_refused(pupils: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--pupils", pupils])
    assert ended.value.code == 2
    assert "--pupils" in capsys.readouterr().err


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert "CalendarEvent" in build_schema(capsys.readouterr().out).type_map


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncIterator[DemoServers]:
    async with await server.start(municipality.build(60, 1)) as running_servers:
        yield running_servers


@pytest.mark.asyncio(loop_scope="module")
async def test_check_finds_all_well(servers: DemoServers, tmp_path: Path) -> None:
    config = str(configuration.write(servers, tmp_path))
    done = await in_thread("check", "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["SOURCE", "REACHED", "CREDENTIALS", "RESOURCES", "CERTIFICATES"]
    assert [line.split()[0] for line in lines[1:]] == list(servers)
    assert re.search(r"^narvaro +yes +accepted +4 of 4 answer +client \d+ days, server \d+ days$", done.stdout, re.M)
    report = json.loads((await in_thread("check", "--config", config, "--json")).stdout)
    assert report["ok"] is True
    assert [each["source"] for each in report["sources"]] == list(servers)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_a_probe_finds_can_be_declared_and_is_then_no_difference(
    servers: DemoServers, tmp_path: Path
) -> None:
    config, keys = configuration.write(servers, tmp_path), tmp_path / "found.yaml"
    done = await in_thread("check", "--config", str(config), "--probe", "--write", str(keys))
    assert done.returncode == 1, done.stderr
    assert re.match(r"\d+ differences? between what is declared and what the sources do:", done.stdout)
    assert done.stdout.splitlines()[2].split() == ["SOURCE", "RESOURCE", "WHAT", "DECLARED", "FOUND"]
    data, found = (yaml.safe_load(file.read_text(encoding="utf-8"))["sources"] for file in (config, keys))
    assert found
    for name, section in found.items():
        assert re.search(rf"^{name} ", done.stdout, re.MULTILINE)
        assert not data[name].keys() & section.keys()
        data[name] |= section
    whole = yaml.safe_load(config.read_text(encoding="utf-8")) | {"sources": data}
    config.write_text(yaml.safe_dump(whole), encoding="utf-8")
    again = await in_thread("check", "--config", str(config), "--probe", "--json")
    assert (again.returncode, again.stderr) == (0, "")
    assert {name: each["findings"] for name, each in json.loads(again.stdout).items()} == {name: [] for name in servers}
    nothing = tmp_path / "nothing.yaml"
    told = await in_thread("check", "--config", str(config), "--probe", "--write", str(nothing))
    assert told.returncode == 0
    assert told.stdout.startswith("No difference: the sources do what is declared of them")
    assert "nothing to declare" in told.stderr
    assert not nothing.exists()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("file", "why"), [("gateway.yaml", "is there already"), ("no/such.yaml", "cannot be made")])
async def test_a_probe_overwrites_nothing_and_says_so_before_it_asks(
    servers: DemoServers, tmp_path: Path, file: str, why: str
) -> None:
    config = configuration.write(servers, tmp_path)
    before = config.read_bytes()
    servers.reset()
    done = await in_thread("check", "--config", str(config), "--probe", "--write", str(tmp_path / file))
    assert done.returncode == 2
    assert why in done.stderr
    assert "Nobody was called" in done.stderr
    assert config.read_bytes() == before
    assert not any(each.calls for each in servers.values())


def test_a_probe_is_of_sources_that_are_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", "gateway.yaml", "--write", "found.yaml"]) == 2
    assert "give both" in capsys.readouterr().err
    assert main(["check", "--config", "gateway.yaml", "--probe", "--offline"]) == 2
    assert "leave out --offline" in capsys.readouterr().err


@pytest.mark.asyncio(loop_scope="module")
async def test_check_names_the_source_that_does_not_answer(servers: DemoServers, tmp_path: Path) -> None:
    config = str(configuration.write(servers, tmp_path))
    await servers["lms"].stop()
    try:
        done = await in_thread("check", "--config", config)
        offline = await in_thread("check", "--config", config, "--offline")
    finally:
        await servers["lms"].start()
    assert done.returncode == 1
    assert re.search(r"^lms +NO ", done.stdout, re.M)
    assert "lms: Grade does not answer: SOURCE_UNREACHABLE" in done.stdout
    assert offline.returncode == 0
    assert "valid" in offline.stdout


@pytest.mark.asyncio(loop_scope="module")
async def test_serve_answers_over_a_configuration_and_stops(servers: DemoServers, tmp_path: Path) -> None:
    config = str(configuration.write(servers, tmp_path))
    with running("serve", "--config", config, "--port", "0") as process:
        assert process.stdout is not None
        found = await asyncio.to_thread(read_until, process.stdout, r"Listening at (\S+)/")
        async with httpx.AsyncClient(base_url=found[1], timeout=PATIENCE) as client:
            answer = (await client.post("/graphql", json={"query": "{ rooms { nodes { displayName } } }"})).json()
        assert answer["data"]["rooms"]["nodes"]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0


def write(directory: Path, text: str) -> str:
    file = directory / "gateway.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


SOURCES = "sources: {sis: {url: 'http://127.0.0.1:9/v2.0', resources: [persons]}}\n"


def test_a_broken_configuration_names_file_key_and_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "sources:\n  sis:\n    ulr: http://127.0.0.1:9\n    resources: [person, groups]\n")
    for command in (["check", "--offline"], ["serve"]):
        assert main([*command, "--config", file]) == 2
        said = capsys.readouterr().err
        assert file in said
        assert "sources.sis.ulr" in said
        assert "url" in said


def test_serve_refuses_the_world_without_authentication(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--config", write(tmp_path, SOURCES), "--host", "0.0.0.0"]) == 2
    assert "server.allow_unauthenticated" in capsys.readouterr().err


def test_a_taken_port_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", "--config", write(tmp_path, SOURCES), "--port", port]) == 1
    said = capsys.readouterr().err.splitlines()
    assert f"127.0.0.1:{port}" in said[-1]


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(tmp_path / "none.yaml")]) in (1, 2)
    assert "none.yaml" in capsys.readouterr().err
