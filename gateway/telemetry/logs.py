"""Logs as one JSON object per line, made so that personal data cannot get in.

A line has ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``event`` and the fields that were passed as ``extra``:

    logger.info("source answered", extra={"source": "sis", "resource": "Person", "milliseconds": 12})

Messages are constant texts: arguments are never formatted into them. An exception is its class and where it was
raised; its message is left out, for it may echo a value. Of other packages' loggers (httpx writes URLs, asyncio reprs)
only level, name, place and exception class are kept; uvicorn's constant texts are kept too.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN = ("gateway", "resolvers", "sources")
"""The packages whose fields are written."""
CONSTANT_TEXTS = ("uvicorn.error",)
"""Other loggers whose templates are constant texts. Arguments are formatted in only where all are numbers."""
MAX_FRAMES = 20
MAX_FIELD = 2000

TOLD = "ss12000.operation"
"""Where in an ASGI scope it stands what is to be written of an operation."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_encode = json.JSONEncoder(ensure_ascii=False).encode

access_log = logging.getLogger("gateway.access")


def configure(level: int | str = logging.INFO) -> None:
    """Send all logging, from this level on, to standard error as JSON lines. Call it once, before the server starts.

    uvicorn must be run with ``log_config=None, access_log=False``; ``AccessLog`` writes the access log instead.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # uvicorn writes the query string into its access log, and Strawberry messages and tracebacks into its own.
    for name in ("uvicorn.access", "strawberry.execution"):
        silenced = logging.getLogger(name)
        silenced.handlers.clear()
        silenced.disabled = True
    logging.captureWarnings(True)
    # what no line has need not be found out for each of them
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.split(".", 1)[0] in OWN
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if isinstance(record.msg, str) and own:
            line["event"] = record.msg
        elif isinstance(record.msg, str) and record.name in CONSTANT_TEXTS:
            numbers = isinstance(record.args, tuple) and all(isinstance(value, int) for value in record.args)
            line["event"] = (record.getMessage() if numbers else record.msg).strip()
        else:
            line["event"] = "message of another package"
            line["at"] = f"{record.module}:{record.lineno}"
        if own:
            for key, value in vars(record).items():
                if key not in _STANDARD and key not in line:
                    line[key] = plain(value)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"] = class_name(error)
            line["frames"] = frames(error)
        return _encode(line)


def plain(value: object) -> object:
    """A field as JSON: scalars, lists and mappings of them; of anything else, the name of its class."""
    if value is None or isinstance(value, (bool, int, float)):  # a union would be made anew each time
        return value
    if isinstance(value, str):
        return str(value)[:MAX_FIELD]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return class_name(value)


def class_name(value: object) -> str:
    """``builtins.ValueError`` is written ``ValueError``."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def frames(error: BaseException) -> list[str]:
    """Where an exception was raised, outermost call first: file, line, function. Of a deep stack, the innermost."""
    summary = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return [f"{'/'.join(PurePath(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}" for frame in summary]


class AccessLog:
    """ASGI middleware: one line per HTTP request, with method, route, status and duration; no query string.

    What the application says of an operation (``scope[TOLD]``) stands in it too: a line each would cost twice as much.
    The path is written only where a route knows it: a path that leads nowhere may hold anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = monotonic()
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, observed)
        finally:
            written = {
                "method": scope["method"],
                "route": getattr(scope.get("route"), "path", None),
                "status": status,
                "milliseconds": round((monotonic() - started) * 1000, 1),
            }
            told = scope.get(TOLD)
            if told is not None:
                written["operation"] = told
            access_log.info("request", extra=written)
