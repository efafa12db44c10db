"""Servers as processes of their own: each on a free port, ready when it listens, gone at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Where the project's packages are imported from."""
START_SECONDS = 120.0
STOP_SECONDS = 10.0
PAUSE = 0.05

Command = Callable[[int], Sequence[str | Path]]
"""From the port to listen on to the command line."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(commands: Mapping[str, Command], directory: Path) -> Iterator[dict[str, Server]]:
    """Start all at once and wait until all listen. Raises RuntimeError, with what it printed, if one does not.

    What they print goes to files: a pipe that nobody reads would stop them in the middle of a measurement.
    """
    servers: dict[str, Server] = {}
    try:
        for name, command in commands.items():
            port = _free_port()
            servers[name] = Server(_started(command(port), directory / f"{name}.log"), port)
        deadline = time.monotonic() + START_SECONDS
        for name, server in servers.items():
            _wait(name, server, directory / f"{name}.log", deadline)
        yield servers
    finally:
        for server in servers.values():
            server.process.terminate()
        for server in servers.values():
            _stopped(server.process)


def _started(command: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
    # no byte code is left in a directory that is not ours
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    with log.open("wb") as out:
        return subprocess.Popen(
            [str(each) for each in command], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )


def _wait(name: str, server: Server, log: Path, deadline: float) -> None:
    while time.monotonic() < deadline and server.process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(PAUSE)
    raise RuntimeError(f"{name} does not listen:\n{log.read_text(errors='replace')[-2000:]}")


def _stopped(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
