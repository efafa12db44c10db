"""The command ``ss12000-gateway``.

    demo          the demonstration huvudman, and the gateway over it
    serve         the gateway over the sources of a configuration
    check         is the configuration right, do its sources answer, and (--quality) what is wrong in their data?
    schema        the GraphQL schema, as SDL
    explain       what a query will ask of which source, and why
    demo-sources  only the demonstration sources, with a gateway.yaml
    assets        puts GraphiQL's files in place, so that the page needs no CDN

Exit codes: 0 all is well, 1 a check failed or something could not be started, 2 the configuration or the call is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import uvicorn

from sources.check import SourceReport, check_source
from sources.demo import configuration, municipality, server
from sources.demo.wild import DIALECTS, Dialects
from sources.errors import ConfigurationError

from . import assets_command, probe_command
from .app import create_app, schema
from .assemble import assemble
from .config import ConfigError, Settings, is_loopback, json_schema, load, parse
from .examples import examples
from .explain import command as explain
from .quality import command as quality
from .telemetry import logs

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
CHECK_SECONDS = 60.0
"""How long ``check`` waits for all sources together."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code."""
    given = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    try:
        return command(given)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 2
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except assets_command.AssetsError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.strerror or type(error).__name__}: {error.filename or 'the address'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def parser() -> argparse.ArgumentParser:
    """The command's grammar and help."""
    made = argparse.ArgumentParser(
        prog="ss12000-gateway",
        description="One GraphQL question, answered from every SS 12000 system of a school authority.",
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="serve a made-up municipality: six sources and the gateway over them")
    demo.add_argument("--host", default="127.0.0.1", help="address of the gateway (default: %(default)s)")
    demo.add_argument("--port", type=_port, default=8000, help="port of the gateway (default: %(default)s)")
    _municipality(demo)
    demo.set_defaults(command=_demo)

    serve = commands.add_parser("serve", help="serve the gateway over the sources of a configuration")
    serve.add_argument("--config", type=Path, required=True, help="gateway.yaml")
    serve.add_argument("--host", help="address to listen on, instead of server.host")
    serve.add_argument("--port", type=_port, help="port to listen on, instead of server.port")
    serve.set_defaults(command=_serve)

    check = commands.add_parser(
        "check", help="validate a configuration, ask each source whether it answers, report on data quality"
    )
    which = check.add_mutually_exclusive_group(required=True)
    which.add_argument("--config", type=Path, help="gateway.yaml")
    which.add_argument("--json-schema", action="store_true", help="print the JSON Schema of gateway.yaml, for editors")
    check.add_argument("--offline", action="store_true", help="validate only; call nobody")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    quality.add_options(check)
    check.add_argument(
        "--probe",
        action="store_true",
        help="find out by reading what each source really does, and print where that is not what is declared",
    )
    check.add_argument(
        "--write", type=Path, metavar="FILE", help="with --probe: save what was found, as keys of sources"
    )
    check.set_defaults(command=_check)

    sdl = commands.add_parser("schema", help="print the GraphQL schema (SDL)")
    sdl.set_defaults(command=_schema)

    explain.add_command(commands)

    sources = commands.add_parser("demo-sources", help="serve only the demonstration sources, with a gateway.yaml")
    sources.add_argument("--out", type=Path, required=True, help="directory for gateway.yaml, secrets and certificates")
    _municipality(sources)
    sources.set_defaults(command=_demo_sources)

    assets = commands.add_parser("assets", help="fetch GraphiQL's files (pinned npm packages; needs npm)")
    assets.set_defaults(command=_assets)
    return made


def _municipality(command: argparse.ArgumentParser) -> None:
    command.add_argument("--pupils", type=_count, default=2000, help="how many to make up (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="another seed, other people (default: %(default)s)")
    command.add_argument(
        "--dialects",
        choices=DIALECTS,
        default="none",
        help="wild: each source has habits, spellings and ids of its own (default: %(default)s)",
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is between 0 and 65535")
    return port


def _count(text: str) -> int:
    count = int(text)
    if not municipality.FEWEST <= count <= 200_000:
        raise argparse.ArgumentTypeError(f"between {municipality.FEWEST} and 200000")
    return count


def _demo(given: argparse.Namespace) -> int:
    if not is_loopback(given.host):
        print(
            "demo listens on loopback only: its data is made up, but it shows what the gateway does.", file=sys.stderr
        )
        return 2
    return _served(_run_demo(given.host, given.port, given.pupils, given.seed, DIALECTS[given.dialects]))


async def _run_demo(host: str, port: int, pupils: int, seed: int, dialects: Dialects) -> int:
    print(f"Making up a municipality of {pupils} pupils …", flush=True)
    made = municipality.build(pupils, seed)
    async with await server.start(made, dialects=dialects) as servers:
        settings = parse(configuration.gateway_config(servers), Path.cwd(), {})
        for name, source in servers.items():
            print(f"  source {name:<9} {source.url}")

        def started(address: str) -> None:
            print(f"\nGraphiQL is at {address}/ — Ctrl-C stops everything. Queries worth pasting:\n")
            for example in examples():
                print(example.query)
            sys.stdout.flush()

        return await _run(settings, host, port, started)


def _serve(given: argparse.Namespace) -> int:
    settings = load(given.config, os.environ)
    host = given.host or settings.server.host
    port = settings.server.port if given.port is None else given.port
    if not is_loopback(host):
        if not settings.server.allow_unauthenticated:
            print(
                f"{given.config}: server.host: {host} is not loopback, and everybody who reaches it could read "
                "everything. Listen on 127.0.0.1 behind a proxy that authenticates, or set "
                "server.allow_unauthenticated: true.",
                file=sys.stderr,
            )
            return 2
        print(
            f"WARNING: the gateway listens on {host} without authentication (server.allow_unauthenticated): "
            "everybody who reaches it can read everything.",
            file=sys.stderr,
        )
    if settings.server.secret_is_random:
        print("server.secret is not set: the cursors of lists end with this process.", file=sys.stderr)
    return _served(_run(settings, host, port, lambda address: print(f"Listening at {address}/", flush=True)))


def _served(serving: Coroutine[None, None, int]) -> int:
    """Serve in the event loop that uvicorn would take: uvloop's, where there is one."""
    with asyncio.Runner(
        loop_factory=uvicorn.Config("gateway.app:create_app", log_config=None).get_loop_factory()
    ) as runner:
        return runner.run(serving)


async def _run(settings: Settings, host: str, port: int, started: Callable[[str], None]) -> int:
    """Serve until a signal comes."""
    logs.configure()
    assembled = assemble(settings)
    schema(assembled.executor)
    _spare_the_lasting()
    config = uvicorn.Config(
        create_app(assembled),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    with contextlib.closing(_bound(config)) as bound:
        address = f"http://{host if ':' not in host else f'[{host}]'}:{bound.getsockname()[1]}"
        listening = _Server(config, lambda: started(address))
        await listening.serve(sockets=[bound])
    return 0 if listening.started else 1


def _spare_the_lasting() -> None:
    """Have the garbage collector pass over what stays as long as the process (the schema, the declarations).

    Full collections over it take some 90 ms in the midst of answers; the cache holds bytes, which need none.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


class _Server(uvicorn.Server):
    """Tells when it listens, and ends quietly on a signal: what is around it still has to be closed."""

    def __init__(self, config: uvicorn.Config, listens: Callable[[], None]) -> None:
        super().__init__(config)
        self._listens = listens

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for each in STOP_SIGNALS:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in STOP_SIGNALS:
                loop.remove_signal_handler(each)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listens()


def _bound(config: uvicorn.Config) -> socket.socket:
    """A bound socket. Raises OSError, named, where the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        # the protocol must be named: asyncio turns Nagle's delay off only for a socket that says it is TCP
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((config.host, config.port))
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"{config.host}:{config.port}") from None
    return made


def _check(given: argparse.Namespace) -> int:
    if given.write is not None and not given.probe:
        print("--write saves what --probe finds: give both.", file=sys.stderr)
        return 2
    if given.probe and (given.offline or given.json_schema):
        print("--probe calls the sources of a configuration: leave out --offline and --json-schema.", file=sys.stderr)
        return 2
    if given.json_schema:
        print(json.dumps(json_schema(), ensure_ascii=False, indent=2))
        return 0
    refused = quality.unasked(given)
    if refused is not None:
        return refused
    settings = load(given.config, os.environ)
    if given.quality:
        return quality.run(given, settings)
    if given.probe:
        return probe_command.run(settings, given.write, as_json=given.json)
    if given.offline:
        print(
            json.dumps({"ok": True, "sources": [source.name for source in settings.sources]})
            if given.json
            else f"{given.config} is valid. Its sources ({', '.join(each.name for each in settings.sources)}) were not "
            "called (--offline)."
        )
        return 0
    reports = asyncio.run(_reports(settings))
    ok = all(report.ok for report in reports)
    if given.json:
        content = {"ok": ok, "sources": [report.as_json() for report in reports]}
        print(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        _table(reports, sys.stdout)
    return 0 if ok else 1


async def _reports(settings: Settings) -> list[SourceReport]:
    assembled = assemble(settings)
    try:
        deadline = asyncio.get_running_loop().time() + CHECK_SECONDS
        return list(await asyncio.gather(*(check_source(source, deadline) for source in assembled.sources)))
    finally:
        await assembled.aclose()


def _table(reports: Sequence[SourceReport], out: TextIO) -> None:
    rows = [("SOURCE", "REACHED", "CREDENTIALS", "RESOURCES", "CERTIFICATES")]
    for report in reports:
        answering = sum(each.answers for each in report.resources)
        rows.append(
            (
                report.source,
                "yes" if report.reachable else "NO",
                {True: "accepted", False: "REFUSED", None: "-"}[report.credentials_accepted],
                f"{answering} of {len(report.resources)} answer",
                _certificates(report),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), file=out)
    problems = [(report, each) for report in reports for each in report.resources if not each.answers]
    if problems:
        print(file=out)
    for report, each in problems:
        status = f" (HTTP {each.status})" if each.status else ""
        print(f"{report.source}: {each.resource} does not answer: {each.code}{status}", file=out)


def _certificates(report: SourceReport) -> str:
    found = [
        f"{whose} {days} days" if days >= 0 else f"{whose} EXPIRED"
        for whose, days in (("client", report.client_certificate_days), ("server", report.server_certificate_days))
        if days is not None
    ]
    return ", ".join(found) or "-"


def _schema(given: argparse.Namespace) -> int:
    print(schema().as_str())
    return 0


def _demo_sources(given: argparse.Namespace) -> int:
    return asyncio.run(_run_sources(given.out, given.pupils, given.seed, DIALECTS[given.dialects]))


async def _run_sources(out: Path, pupils: int, seed: int, dialects: Dialects) -> int:
    print(f"Making up a municipality of {pupils} pupils …", flush=True)
    made = municipality.build(pupils, seed)
    async with await server.start(made, dialects=dialects) as servers:
        for name, source in servers.items():
            print(f"  source {name:<9} {source.url}")
        file = configuration.write(servers, out)
        print(f"\n{file} is written. Ctrl-C stops the sources.", flush=True)
        await _until_interrupted()
    return 0


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in STOP_SIGNALS:
        loop.add_signal_handler(each, stop.set)
    await stop.wait()


def _assets(given: argparse.Namespace) -> int:
    assets_command.install()
    print(f"GraphiQL's files are in {assets_command.ASSETS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
