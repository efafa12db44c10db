"""The GraphQL schema has all that the official OpenAPI file has: paths, parameters, properties, values, sort keys.

The expectations are read from the official file alone, with its listed corrections; names are turned into GraphQL's by
rules written here once more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
)

from gateway.app import schema
from tests.openapi import load_openapi, needs_openapi

EXCEPTIONS: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parents[1] / "fixtures" / "schema_exceptions.yaml").read_text()
)
HTTP_METHODS = ("get", "post", "put", "patch", "delete")

RESOURCES = {
    "/organisations": "Organisation", "/persons": "Person", "/placements": "Placement", "/duties": "Duty",
    "/groups": "Group", "/programmes": "Programme", "/studyplans": "StudyPlan", "/syllabuses": "Syllabus",
    "/schoolUnitOfferings": "SchoolUnitOffering", "/activities": "Activity", "/calendarEvents": "CalendarEvent",
    "/attendances": "Attendance", "/attendanceEvents": "AttendanceEvent", "/attendanceSchedule": "AttendanceSchedule",
    "/grades": "Grade", "/absences": "Absence", "/aggregatedAttendance": "AggregatedAttendance",
    "/resources": "Resource", "/rooms": "Room",
}  # fmt: skip
"""The standard's list paths and the entity that each gives."""
PLURAL = {
    "Duty": "duties", "Activity": "activities", "StudyPlan": "studyPlans", "Syllabus": "syllabuses",
}  # fmt: skip


def plural(name: str) -> str:
    return PLURAL.get(name, name[0].lower() + name[1:] + "s")


@pytest.fixture(scope="module")
def sdl() -> GraphQLSchema:
    return build_schema(schema().as_str())


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """A schema with its $ref and allOf merged."""
    if "$ref" in node:
        kind, name = node["$ref"].split("/")[-2:]
        return resolve(load_openapi()["components"][kind][name])
    merged: dict[str, Any] = {"properties": {}}
    for part in node.get("allOf", ()):
        inner = resolve(part)
        merged["properties"] |= inner.get("properties", {})
        merged |= {key: value for key, value in inner.items() if key != "properties"}
    merged["properties"] |= node.get("properties", {})
    return merged | {key: value for key, value in node.items() if key not in ("properties", "allOf")}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in load_openapi()["paths"].items():
        for method in HTTP_METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def root_field(sdl: GraphQLSchema, name: str) -> GraphQLField | None:
    assert sdl.query_type is not None
    return sdl.query_type.fields.get(name)


def by_path(path: str) -> tuple[str, str]:
    """The entity of a path, and which kind of path it is: list, get or lookup."""
    for base, name in RESOURCES.items():
        if path == base:
            return name, "list"
        if path == f"{base}/lookup":
            return name, "lookup"
        if path.startswith(f"{base}/{{"):
            return name, "get"
    return path, "other"


@needs_openapi
def test_every_path_can_be_asked(sdl: GraphQLSchema) -> None:
    missing = []
    for method, path, _ in operations():
        name, kind = by_path(path)
        if kind == "list" and method == "GET":
            found = root_field(sdl, plural(name))
        elif kind == "get" and method == "GET":
            found = root_field(sdl, name[0].lower() + name[1:])
        elif kind == "lookup":
            found = root_field(sdl, f"{plural(name)}ByIds")
        else:
            found = root_field(sdl, "deletedEntities") if path == "/deletedEntities" else None
        if found is None:
            missing.append(f"{method} {path}")
    assert sorted(missing) == sorted(EXCEPTIONS["paths"])


def input_path(parameter: str) -> list[str]:
    return parameter.replace("entity.type", "entityType").split(".")


def arguments(field: GraphQLField) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every leaf of a root field's arguments as a path of names, below ``filter`` without that word, and its type."""
    for name, argument in field.args.items():
        named = get_named_type(argument.type)
        if isinstance(named, GraphQLInputObjectType) and name not in ("during",):
            yield from leaves(named, () if name == "filter" else (name,))
        else:
            yield (name,), argument.type


def leaves(kind: GraphQLInputObjectType, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        if isinstance(named, GraphQLInputObjectType):
            yield from leaves(named, (*above, name))
        else:
            yield (*above, name), field.type


SCALARS = {"uuid": "ID", "date": "Date", "date-time": "DateTime"}


def graphql_name(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.sub(r"[^A-Z0-9]+", "_", plain.upper()).strip("_")


@needs_openapi
@pytest.mark.parametrize("path", RESOURCES)
def test_every_parameter_can_be_given(sdl: GraphQLSchema, path: str) -> None:
    field = root_field(sdl, plural(RESOURCES[path]))
    assert field is not None
    given = dict(arguments(field))
    for parameter in load_openapi()["paths"][path]["get"]["parameters"]:
        name = parameter["name"]
        if name in EXCEPTIONS["parameters"]:
            continue
        assert tuple(input_path(name)) in given, f"{path}: {name}"
        kind = given[tuple(input_path(name))]
        shape = resolve(parameter["schema"])
        is_list = shape.get("type") == "array"
        item = resolve(shape["items"]) if is_list else shape
        text = str(kind)
        assert text.startswith("[") == is_list, f"{path}: {name} is {text}"
        assert text.endswith("!") == bool(parameter.get("required")), f"{path}: {name} is {text}"
        named = get_named_type(kind)
        if "enum" in item:
            assert isinstance(named, GraphQLEnumType)
            assert {graphql_name(value) for value in item["enum"]} | {"UNRECOGNISED"} == set(named.values)
        else:
            assert named.name == SCALARS.get(item.get("format", ""), "String")


@needs_openapi
@pytest.mark.parametrize("path", RESOURCES)
def test_every_sort_key_can_be_given(sdl: GraphQLSchema, path: str) -> None:
    field = root_field(sdl, plural(RESOURCES[path]))
    assert field is not None
    keys = [p["schema"]["enum"] for p in load_openapi()["paths"][path]["get"]["parameters"] if p["name"] == "sortkey"]
    if not keys:
        assert "orderBy" not in field.args
        return
    order = get_named_type(field.args["orderBy"].type)
    assert isinstance(order, GraphQLEnumType)
    assert sorted(order.values) == sorted(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).upper() for key in keys[0])


def entity_schema(path: str) -> dict[str, Any]:
    """The official schema of the records that a list gives."""
    answer = load_openapi()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return resolve(resolve(answer)["properties"]["data"]["items"])


def check_object(sdl: GraphQLSchema, kind: GraphQLObjectType, official: dict[str, Any], at: str) -> None:
    """Every property of an official object is a field of the type, of the right shape, all the way down."""
    required = set(official.get("required", ()))
    for name, node in official["properties"].items():
        if name in EXCEPTIONS["properties"]:
            continue
        here = f"{at}.{name}"
        assert name in kind.fields, here
        field = kind.fields[name]
        assert field.description, here
        shape = resolve(node)
        is_list = shape.get("type") == "array"
        item = resolve(shape["items"]) if is_list else shape
        assert str(field.type).startswith("[") == is_list, here
        named = get_named_type(field.type)
        directives = {each.name.value for each in (field.ast_node.directives if field.ast_node else ()) or ()}
        if name != "id":
            assert ("required" in directives) == (name in required), f"{here}: @required"
            assert not isinstance(field.type, GraphQLNonNull), f"{here} can be missing"
        if "enum" in item:
            assert isinstance(named, GraphQLEnumType), here
            described = {value.description for key, value in named.values.items() if key != "UNRECOGNISED"}
            assert described == set(item["enum"]), here
            assert {graphql_name(value) for value in item["enum"]} == set(named.values) - {"UNRECOGNISED"}, here
            assert str(kind.fields[f"{name}Text"].type) == ("[String!]" if is_list else "String"), here
        elif item["properties"]:
            assert isinstance(named, GraphQLObjectType), here
            if named.interfaces:  # a reference is the referred type itself
                assert {"id", "displayName"} <= set(item["properties"]), here
            else:
                check_object(sdl, named, item, here)
        elif item["type"] == "string":
            expected = SCALARS.get(item.get("format", ""), "Time" if "pattern" in item else "String")
            assert named.name == expected, here
        else:
            assert named.name == {"integer": "Int", "boolean": "Boolean"}[item["type"]], here


@needs_openapi
@pytest.mark.parametrize("path", RESOURCES)
def test_every_property_is_a_field(sdl: GraphQLSchema, path: str) -> None:
    kind = sdl.type_map[RESOURCES[path]]
    assert isinstance(kind, GraphQLObjectType)
    assert [interface.name for interface in kind.interfaces] == ["Entity"]
    check_object(sdl, kind, entity_schema(path), kind.name)


@needs_openapi
def test_every_expand_is_a_field_that_leads_on(sdl: GraphQLSchema) -> None:
    missing = []
    for path, name in RESOURCES.items():
        kind = sdl.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        for parameter in load_openapi()["paths"][path]["get"]["parameters"]:
            if parameter["name"] != "expand":
                continue
            for value in resolve(parameter["schema"]["items"])["enum"]:
                leads_on = value in kind.fields and isinstance(
                    get_named_type(kind.fields[value].type), GraphQLObjectType
                )
                if not leads_on:
                    missing.append(f"{name}.{value}")
    assert sorted(missing) == sorted(EXCEPTIONS["expands"])


@needs_openapi
def test_every_kind_of_deleted_entity_can_be_asked_for(sdl: GraphQLSchema) -> None:
    field = root_field(sdl, "deletedEntities")
    assert field is not None
    assert set(field.args) == {"after", "entities"}
    official = load_openapi()["components"]["schemas"]["EndPointsEnum"]["enum"]
    kinds = get_named_type(field.args["entities"].type)
    assert isinstance(kinds, GraphQLEnumType)
    assert {graphql_name(value) for value in official} | {"UNRECOGNISED"} == set(kinds.values)


def test_every_type_field_argument_and_value_is_described(sdl: GraphQLSchema) -> None:
    undescribed = []
    for name, kind in sdl.type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        if not kind.description:
            undescribed.append(name)
        if isinstance(kind, GraphQLEnumType):
            undescribed += [f"{name}.{key}" for key, value in kind.values.items() if not value.description]
        for field_name, field in getattr(kind, "fields", {}).items():
            if not field.description:
                undescribed.append(f"{name}.{field_name}")
            for argument_name, argument in getattr(field, "args", {}).items():
                if not argument.description:
                    undescribed.append(f"{name}.{field_name}({argument_name})")
    assert undescribed == []
