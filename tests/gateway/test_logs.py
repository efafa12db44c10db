"""No value of a request gets into a log or an error: a canary is put everywhere and looked for everywhere."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import date
from enum import Enum

import httpx
import pytest
import strawberry
from graphql import GraphQLError, parse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from strawberry.types import ExecutionContext, ExecutionResult

from gateway.telemetry import AccessLog, configure, log_graphql_errors, sanitise
from gateway.telemetry.graphql_errors import field_names
from resolvers.errors import Code, Refused

CANARY = "canary191212121212"


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.input
class Filter:
    number: int = 0
    day: date | None = None
    colour: Colour | None = None


@strawberry.type
class Leaf:
    @strawberry.field
    def broken(self, text: str = "") -> str:
        raise ValueError(f"cannot use {text} {CANARY}")

    @strawberry.field
    def chained(self) -> str:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise RuntimeError(CANARY) from error

    @strawberry.field
    def number(self) -> int:
        return CANARY  # type: ignore[return-value]

    @strawberry.field
    def nothing(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def refused(self) -> str | None:
        raise Refused(Code.TOO_MANY_CANDIDATES, "More than 200000 records would have to be ordered.")

    @strawberry.field
    def own(self) -> str | None:
        raise GraphQLError("An id is a UUID.", extensions={"code": "INVALID_ID", "argument": "id"})


@strawberry.type
class Query:
    @strawberry.field
    def leaf(self, filter: Filter | None = None, number: int = 0, text: str = "") -> Leaf:
        return Leaf()

    @strawberry.field
    def leaves(self) -> list[Leaf | None]:
        return [Leaf()]


class Schema(strawberry.Schema):
    """Wired as the application's schema is."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        log_graphql_errors(errors, execution_context.graphql_document if execution_context else None)


SCHEMA = Schema(Query)

FAILING: list[tuple[str, dict[str, object] | None, str]] = [
    ("{ leaf { broken } } " + CANARY, None, "GRAPHQL_PARSE_FAILED"),
    ('{ leaf(text: "' + CANARY, None, "GRAPHQL_PARSE_FAILED"),
    ('{ "' + CANARY + '" }', None, "GRAPHQL_PARSE_FAILED"),
    ('{ leaf(text: "\\q' + CANARY + '") { own } }', None, "GRAPHQL_PARSE_FAILED"),
    ('{ leaf(number: "' + CANARY + '") { own } }', None, "GRAPHQL_VALIDATION_FAILED"),
    ('{ leaf(filter: {number: "' + CANARY + '"}) { own } }', None, "GRAPHQL_VALIDATION_FAILED"),
    ('{ leaf(filter: {day: "' + CANARY + '"}) { own } }', None, "GRAPHQL_VALIDATION_FAILED"),
    ("{ leaf(filter: {colour: " + CANARY + "}) { own } }", None, "GRAPHQL_VALIDATION_FAILED"),
    ('{ leaf(filter: {nope: "' + CANARY + '"}) { own } }', None, "GRAPHQL_VALIDATION_FAILED"),
    ('{ leaf(filter: "' + CANARY + '") { own } }', None, "GRAPHQL_VALIDATION_FAILED"),
    ("query ($f: Filter) { leaf(filter: $f) { own } }", {"f": {"number": CANARY}}, "BAD_USER_INPUT"),
    ("query ($f: Filter) { leaf(filter: $f) { own } }", {"f": {"day": CANARY}}, "BAD_USER_INPUT"),
    ("query ($f: Filter) { leaf(filter: $f) { own } }", {"f": {"colour": CANARY}}, "BAD_USER_INPUT"),
    ("query ($f: Filter) { leaf(filter: $f) { own } }", {"f": {CANARY: CANARY}}, "BAD_USER_INPUT"),
    ("query ($f: Filter) { leaf(filter: $f) { own } }", {"f": CANARY}, "BAD_USER_INPUT"),
    ("query ($n: Int!) { leaf(number: $n) { own } }", {"n": CANARY}, "BAD_USER_INPUT"),
    ("query ($n: Int!) { leaf(number: $n) { own } }", {"n": [CANARY]}, "BAD_USER_INPUT"),
    ("query ($n: Int!) { leaf(number: $n) { own } }", {"m": CANARY}, "BAD_USER_INPUT"),
    ('{ leaf { broken(text: "' + CANARY + '") } }', None, "INTERNAL_ERROR"),
    ("query ($t: String!) { leaf { broken(text: $t) } }", {"t": CANARY}, "INTERNAL_ERROR"),
    ("{ " + CANARY + ": leaf { " + CANARY + ": chained } }", None, "INTERNAL_ERROR"),
    ("{ leaf { number } }", None, "INTERNAL_ERROR"),
]


class Lines(logging.Handler):
    """Every record, as the line that is written, beside what another formatter would make of it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.written: list[dict[str, object]] = []
        self.everything = ""

    def emit(self, record: logging.LogRecord) -> None:
        line = logging.getLogger().handlers[0].format(record)
        self.written.append(json.loads(line))
        self.everything += line
        if record.name.split(".")[0] == "gateway":
            self.everything += logging.Formatter().format(record) + repr(vars(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    """All logging at DEBUG, through the gateway's own configuration."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure(logging.DEBUG)
    heard = Lines()
    root.addHandler(heard)
    yield heard
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def run(query: str, variables: dict[str, object] | None = None) -> ExecutionResult:
    return asyncio.run(SCHEMA.execute(query, variable_values=variables))


@pytest.mark.parametrize(("query", "variables", "code"), FAILING)
def test_no_value_of_a_failing_query_is_logged(
    lines: Lines, query: str, variables: dict[str, object] | None, code: str
) -> None:
    assert run(query, variables).errors
    assert [line["code"] for line in lines.written if line["event"] == "graphql error"] == [code]
    assert CANARY not in lines.everything


@pytest.mark.parametrize(("query", "variables", "code"), FAILING)
def test_no_value_comes_back_in_the_error(query: str, variables: dict[str, object] | None, code: str) -> None:
    errors = run(query, variables).errors or []
    told = [sanitise(error) for error in errors]
    assert [error.extensions for error in told] == [{"code": code}]
    for error in told:
        assert CANARY not in error.message
        assert error.original_error is None


@pytest.mark.parametrize(
    ("query", "variables", "message"),
    [
        ("{ leaf { own } } }", None, "Syntax Error: Unexpected '}'."),
        ('{ leaf "x" }', None, "Syntax Error: Expected Name, found String."),
        ('{ leaf(text: "x', None, "Syntax Error: Unterminated string."),
        (
            "query ($f: Filter) { leaf(filter: $f) { own } }",
            {"f": {"number": "x"}},
            "Variable '$f' has an invalid value at .number: a value of type Int is expected.",
        ),
        (
            "query ($f: Filter) { leaf(filter: $f) { own } }",
            {"f": {"colour": "GREEN"}},
            "Variable '$f' has an invalid value at .colour: a value of the enum Colour is expected.",
        ),
        (
            "query ($n: Int!) { leaf(number: $n) { own } }",
            {},
            "Variable '$n' has an invalid value: a value of type Int! is required.",
        ),
        (
            '{ leaf(number: "x") { own } }',
            None,
            "A value in the document is not valid: a value of type Int is expected.",
        ),
        ("{ leaf { nope } }", None, "Cannot query field 'nope' on type 'Leaf'."),
        ("{ leaf { nothing } }", None, "Cannot return null for non-nullable field Leaf.nothing."),
        ("{ leaf { broken } }", None, "The gateway failed to answer this. Its log says where."),
        ("{ leaf { refused } }", None, "More than 200000 records would have to be ordered."),
        ("{ leaf { own } }", None, "An id is a UUID."),
    ],
)
def test_the_client_is_told_what_and_where(query: str, variables: dict[str, object] | None, message: str) -> None:
    errors = run(query, variables).errors or []
    assert [sanitise(error).message for error in errors] == [message]
    assert sanitise(errors[0]).locations == errors[0].locations
    assert sanitise(errors[0]).path == errors[0].path


def test_the_gateways_own_errors_keep_their_extensions() -> None:
    (own,) = run("{ leaf { own } }").errors or []
    assert sanitise(own).extensions == {"code": "INVALID_ID", "argument": "id"}
    (refused,) = run("{ leaf { refused } }").errors or []
    assert sanitise(refused).extensions == {"code": "TOO_MANY_CANDIDATES"}


def test_an_internal_error_is_logged_with_its_field_class_and_place(lines: Lines) -> None:
    run("{ a: leaves { ...F } } fragment F on Leaf { b: broken }")
    (line,) = [line for line in lines.written if line["event"] == "graphql error"]
    assert line["level"] == "ERROR"
    assert line["field"] == "broken"
    assert line["path"] == ["leaves", "broken"]
    assert line["error"] == "ValueError"
    assert any("test_logs.py" in frame and "broken" in frame for frame in line["frames"])  # type: ignore[attr-defined]


def test_a_path_in_the_log_is_made_of_the_schemas_names() -> None:
    document = parse("{ x: leaves { ... on Leaf { y: broken } } }")
    assert field_names(["x", 0, "y"], document) == ["leaves", "broken"]
    assert field_names(["z"], document) == ["?"]


def test_a_line_is_json_with_time_level_logger_event_and_fields(lines: Lines) -> None:
    logging.getLogger("sources.source").info("source answered", extra={"source": "sis", "records": 3})
    (line,) = lines.written
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "sources.source",
        "event": "source answered",
        "source": "sis",
        "records": 3,
    }


def test_an_exception_is_logged_without_its_message(lines: Lines) -> None:
    try:
        raise LookupError(CANARY)
    except LookupError as error:
        logging.getLogger("gateway.test").exception("it failed", extra={"cause": error})
    (line,) = lines.written
    assert (line["error"], line["cause"]) == ("LookupError", "LookupError")
    assert CANARY not in json.dumps(lines.written)


def test_other_packages_messages_are_not_written(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("httpx", "asyncio", "uvicorn.error"):  # others in this process may have silenced them
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
        monkeypatch.setattr(logging.getLogger(name), "_cache", {})
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as client:
        client.get("https://sis.example/persons", params={"civicNo": CANARY})
    logging.getLogger("asyncio").error("Task exception was never retrieved %s", CANARY)
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "::1", f"/graphql?q={CANARY}")
    assert {line["logger"] for line in lines.written} >= {"httpx", "asyncio", "uvicorn.error"}
    assert CANARY not in json.dumps(lines.written)


def test_the_access_log_has_the_route_but_no_query_string(lines: Lines) -> None:
    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    client = TestClient(AccessLog(Starlette(routes=[Route("/graphql", hello)])))
    client.get(f"/graphql?query={CANARY}")
    client.get(f"/{CANARY}")
    logging.getLogger("uvicorn.access").info('%s - "GET %s"', "::1", f"/graphql?query={CANARY}")
    found, lost = [line for line in lines.written if line["event"] == "request"]
    assert (found["method"], found["route"], found["status"]) == ("GET", "/graphql", 200)
    assert (lost["route"], lost["status"]) == (None, 404)
    assert CANARY not in json.dumps(lines.written)
