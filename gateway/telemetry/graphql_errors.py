"""GraphQL errors without the values that graphql-core and exceptions write into them: for clients, and for the log.

    sanitise            what a client is told: what is wrong and where, with a code, and no value
    log_graphql_errors  what the log is told: code, field and exception class

A message is passed on only if the gateway wrote it (``Refused``, or a GraphQLError with one of our codes) or if it is
made of names in the document and the schema. Everything else is rewritten from what graphql-core wrote *before* the
value, or replaced by a neutral sentence.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    print_ast,
)

from resolvers.errors import Code, Refused
from sources.errors import FaultCode

from .logs import class_name, frames

logger = logging.getLogger(__name__)

INTERNAL = "The gateway failed to answer this. Its log says where."
_OWN_CODES = frozenset(map(str, (*Code, *FaultCode)))
_NAMED = r"'(?P<type>[\w\[\]!]+)'"
_AT = r"(?P<at>(?: at (?:\.\w+|\[\d+\])+)?)"
_VARIABLE = re.compile(
    rf"Variable '(?P<name>\$\w+)' has invalid (?P<default>default )?value{_AT}: (?P<rest>.*)", re.DOTALL
)
_ARGUMENT = re.compile(
    rf"Argument '(?P<name>\w+)' has invalid (?P<default>default )?value{_AT}: (?P<rest>.*)", re.DOTALL
)
_ARGUMENT_MISSING = re.compile(r"Argument '\w+' of required type '[\w\[\]!]+' was not provided\.")
_NOT_NULL = re.compile(r"Cannot return null for non-nullable field \w+\.\w+\.")
_SYNTAX = re.compile(
    r"Syntax Error: (?P<what>(?:Expected (?:'[^']*'|[\w<>]+), found|Unexpected) (?:'\W{1,3}'|<?\w+>?)|[^:'\"]+)"
)
_WITHOUT_NODES = re.compile(
    r"(Too many [a-z ]*errors|Variable values are nested too deeply|Must provide an operation|Unknown operation named)"
)
_EXPECTATIONS = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (rf"Expected a value of non-null type {_NAMED} to be provided", "a value of type {type} is required"),
        (rf"Expected value of non-null type {_NAMED} not to be None", "a value of type {type} is required, not null"),
        (rf"Expected value of type {_NAMED} to be an object", "an object of type {type} is expected"),
        (rf"Expected value of type {_NAMED} to include required field '(?P<field>\w+)'", "{type}.{field} is required"),
        (rf"Expected value of type {_NAMED} not to include unknown field", "it has a field that {type} does not have"),
        (rf"Expected value of type {_NAMED}", "a value of type {type} is expected"),
        (rf"Within OneOf Input Object type {_NAMED}", "{type} takes exactly one field, which is not null"),
        (r"(?P<type>Int|Float|String|Boolean|ID) cannot represent", "a value of type {type} is expected"),
        (r"Enum '(?P<type>\w+)' cannot represent", "a value of the enum {type} is expected"),
        (r"Value .*' does not exist in '(?P<type>\w+)' enum", "a value of the enum {type} is expected"),
    )
)


def sanitise(error: GraphQLError) -> GraphQLError:
    """The error as a client may see it: same place, no value, and always ``extensions.code`` (resolvers.errors.Code).

    Our own errors keep message, code and extensions. Whatever is neither ours nor about the request becomes
    INTERNAL_ERROR with a neutral message.
    """
    code, message = _told(error)
    extensions = dict(error.extensions or {}) if _own(error) else {}
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**extensions, "code": str(code)},
    )


def log_graphql_errors(
    errors: Sequence[GraphQLError], document: DocumentNode | None = None, operation_name: str | None = None
) -> None:
    """One log line per error. ``document`` gives the path its field names (a path is made of aliases and indices)."""
    for error in errors:
        code, _ = _told(error)
        cause = _causes(error)[-1]
        fields: dict[str, object] = {
            "code": str(code),
            "field": _leaf(error),
            "path": field_names(error.path, document, operation_name) if error.path and document else None,
            "error": class_name(cause),
        }
        if code == Code.INTERNAL_ERROR:
            # Not exc_info: another formatter would print the message.
            logger.error("graphql error", extra=fields | {"frames": frames(cause)})
        else:
            logger.info("graphql error", extra=fields)


def _told(error: GraphQLError) -> tuple[str, str]:
    """Code and message for the client."""
    nodes = error.nodes or []
    if isinstance(error, GraphQLSyntaxError):
        match = _SYNTAX.match(error.message)
        what = match["what"].strip(" .,") if match else "The document cannot be parsed"
        return Code.GRAPHQL_PARSE_FAILED, f"Syntax Error: {what}."
    own = _own(error)
    given = _VARIABLE.match(error.message) or _ARGUMENT.match(error.message)
    if given is not None and (not nodes or not isinstance(nodes[0], VariableDefinitionNode | ValueNode | FieldNode)):
        given = None
    if given is not None:
        kind = "Variable" if given["name"].startswith("$") else "Argument"
        reason = own[1] if own else _expectation(given["rest"], nodes[0])
        text = f"{kind} '{given['name']}' has an invalid {given['default'] or ''}value{given['at']}: {reason}"
        return own[0] if own else Code.BAD_USER_INPUT, text
    if own is not None:
        return own
    if _NOT_NULL.fullmatch(error.message):
        return Code.INTERNAL_ERROR, error.message
    if not isinstance(_causes(error)[-1], GraphQLError):
        return Code.INTERNAL_ERROR, INTERNAL
    if nodes and isinstance(nodes[0], ValueNode | ObjectFieldNode) and not isinstance(nodes[0], VariableNode):
        reason = _expectation(error.message, nodes[0])
        return Code.GRAPHQL_VALIDATION_FAILED, f"A value in the document is not valid: {reason}"
    if error.path is not None:
        if _ARGUMENT_MISSING.fullmatch(error.message):
            return Code.BAD_USER_INPUT, error.message
        return Code.INTERNAL_ERROR, INTERNAL
    if nodes:
        # What is left are graphql-core's validation rules: they name fields, arguments, types and fragments.
        return Code.GRAPHQL_VALIDATION_FAILED, error.message
    known = _WITHOUT_NODES.match(error.message)
    return Code.GRAPHQL_VALIDATION_FAILED, f"{known[1]}." if known else "The request is not valid for this schema."


def _expectation(message: str, node: object) -> str:
    """What was expected, out of the part of the message that stands before the value."""
    for pattern, text in _EXPECTATIONS:
        match = pattern.match(message)
        if match is not None:
            return text.format_map(match.groupdict()) + "."
    if isinstance(node, VariableDefinitionNode):
        return f"a value that fits type {print_ast(node.type)} is expected."
    return "it does not fit the type that is expected here."


def _causes(error: GraphQLError) -> list[BaseException]:
    """The error and what it was made from, innermost last."""
    causes: list[BaseException] = [error]
    while isinstance(causes[-1], GraphQLError) and causes[-1].original_error is not None:
        causes.append(causes[-1].original_error)
    return causes


def _own_code(error: BaseException) -> str | None:
    code = (error.extensions or {}).get("code") if isinstance(error, GraphQLError) else None
    return code if isinstance(code, str) and code in _OWN_CODES else None


def _own(error: GraphQLError) -> tuple[str, str] | None:
    """Code and message of the gateway's own error at the bottom of this one, if it is one."""
    cause = _causes(error)[-1]
    if isinstance(cause, Refused):
        return cause.code, cause.message
    code = _own_code(cause)
    return (code, cause.message) if code is not None and isinstance(cause, GraphQLError) else None


def _leaf(error: GraphQLError) -> str | None:
    """The name in the schema of the field that failed. Without a path nothing was executed: names may be anything."""
    node = error.nodes[0] if error.nodes and error.path is not None else None
    return node.name.value if isinstance(node, FieldNode) else None


def field_names(path: Sequence[str | int], document: DocumentNode, operation_name: str | None = None) -> list[str]:
    """The path as field names: aliases resolved, indices left out, ``?`` where the document does not have the key."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operations = [
        d
        for d in document.definitions
        if isinstance(d, OperationDefinitionNode)
        and (operation_name is None or (d.name is not None and d.name.value == operation_name))
    ]
    here = [operation.selection_set for operation in operations[:1]]
    names = []
    for key in path:
        if isinstance(key, int):
            continue
        found = [field for field in _fields(here, fragments) if (field.alias or field.name).value == key]
        names.append(found[0].name.value if found else "?")
        here = [field.selection_set for field in found if field.selection_set is not None]
    return names


def _fields(sets: Sequence[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """The fields of selection sets, those in fragments included."""
    waiting = list(sets)
    spread: set[str] = set()
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name in fragments and name not in spread:
                    spread.add(name)
                    waiting.append(fragments[name].selection_set)
