"""The declarations in sources/standard say what the official OpenAPI file says: nothing missing, nothing extra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sources.standard import RESOURCES
from sources.standard.common import SECURITY_MARKING
from sources.standard.feeds import (
    CHANGE_NOTICE,
    DELETED_ENTITIES_PARAMETERS,
    DELETED_ENTITIES_PATH,
    ENTITY_TYPE,
    FEED_OPERATIONS,
    OTHER_PATHS,
    SUBSCRIPTION,
    SUBSCRIPTIONS_PATH,
)
from sources.standard.model import (
    Enumeration,
    Expand,
    Parameter,
    Property,
    PropertyType,
    Reference,
    Resource,
    Scalar,
    Structure,
    View,
)
from sources.standard.values import enumerations, operations
from tests.openapi import load_corrections, load_openapi, needs_openapi

pytestmark = needs_openapi

Schema = dict[str, Any]

SCALARS: dict[tuple[str, str | None, str | None], Scalar] = {
    ("string", "uuid", None): Scalar.ID,
    ("string", None, None): Scalar.STRING,
    ("string", "email", None): Scalar.EMAIL,
    ("string", "uri", None): Scalar.URI,
    ("integer", None, None): Scalar.INTEGER,
    ("boolean", None, None): Scalar.BOOLEAN,
    ("string", "date", None): Scalar.DATE,
    ("string", "date-time", None): Scalar.DATE_TIME,
    ("string", None, "^[0-9]{2}:[0-9]{2}$"): Scalar.TIME,
}
ORGANISATION_IN_A_ROLE = {"SchoolUnit": "Organisation"}  # SchoolUnitReference refers to an organisation
COMMON_PARAMETERS = load_corrections()["exceptions"]["parameters"]
COMMON_PROPERTIES = load_corrections()["exceptions"]["properties"]

each_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)


# The official side, read into plain shapes.


def schema_named(name: str) -> Schema:
    found: Schema = load_openapi()["components"]["schemas"][name]
    return found


def name_of(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def flat(schema: Schema) -> tuple[Schema, list[str]]:
    """A schema without $ref and allOf, and the names met on the way, the nearest first."""
    if "$ref" in schema:
        inner, names = flat(schema_named(name_of(schema)))
        return inner, [name_of(schema), *names]
    merged: Schema = {"properties": {}, "required": []}
    names = [schema["title"]] if "title" in schema else []
    for part in (*schema.get("allOf", ()), {k: v for k, v in schema.items() if k != "allOf"}):
        inner, inner_names = flat(part) if "$ref" in part or "allOf" in part else (part, [])
        names += inner_names + ([part["title"]] if "title" in part and "allOf" in schema else [])
        merged |= {k: v for k, v in inner.items() if k not in ("properties", "required")}
        merged["properties"] = {**merged["properties"], **inner.get("properties", {})}
        merged["required"] = [*merged["required"], *inner.get("required", ())]
    return merged, names


def official_type(schema: Schema) -> object:
    merged, names = flat(schema)
    if "ObjectReference" in names:
        targets = {n.removesuffix("Reference") for n in names if n.endswith("Reference")} - {"Object"}
        (target,) = {ORGANISATION_IN_A_ROLE.get(t, t) for t in targets}
        return Reference(target)
    if merged["properties"]:
        return official_shape(merged)
    if "enum" in merged:
        return values_shape(merged["enum"])
    return SCALARS[merged["type"], merged.get("format"), merged.get("pattern")]


def official_value(schema: Schema) -> dict[str, object]:
    merged, _ = flat(schema)
    many = merged.get("type") == "array"
    return {"type": official_type(merged["items"] if many else schema), "many": many}


def official_shape(schema: Schema) -> dict[str, object]:
    merged, _ = flat(schema)
    assert set(merged["required"]) <= set(merged["properties"]), "a required property that does not exist"
    return {
        name: official_value(value) | {"required": name in merged["required"]}
        for name, value in merged["properties"].items()
        if name not in COMMON_PROPERTIES
    }


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = load_openapi()["paths"][path][method.lower()]
    return found


def query(method: str, path: str) -> dict[str, dict[str, Any]]:
    return {p["name"]: p for p in operation(method, path).get("parameters", ()) if p["in"] == "query"}


def record_schema(method: str, path: str) -> Schema:
    """The schema of one record in an operation's answer: a page, an array or the record itself."""
    schema = operation(method, path)["responses"]["200"]["content"]["application/json"]["schema"]
    merged, _ = flat(schema)
    if "data" in merged["properties"]:
        assert set(merged["properties"]) == {"data", "pageToken"}
        merged = merged["properties"]["data"]
    record: Schema = merged["items"] if merged.get("type") == "array" else schema
    return record


def resource_operations(resource: Resource) -> list[tuple[str, str]]:
    return [(m, p) for m, p in operations() if p == resource.path or p.startswith(f"{resource.path}/")]


# The declared side, in the same shapes.


def values_shape(values: Sequence[str]) -> tuple[str, ...]:
    """The order of values is held by a test of its own; ENTITY_TYPE follows RESOURCES instead."""
    return tuple(sorted(values))


def declared_type(type_: PropertyType) -> object:
    match type_:
        case Structure():
            return declared_shape(type_.properties)
        case Enumeration():
            return values_shape(type_.values)
        case _:
            return type_


def declared_value(declared: Property | Parameter) -> dict[str, object]:
    return {"type": declared_type(declared.type), "many": declared.many, "required": declared.required}


def declared_shape(properties: tuple[Property, ...]) -> dict[str, object]:
    assert len({p.name for p in properties}) == len(properties)
    return {p.name: declared_value(p) for p in properties}


# What must be equal.


def test_every_operation_is_declared_or_left_out_with_a_reason() -> None:
    official = [
        (method.upper(), path)
        for path, item in load_openapi()["paths"].items()
        for method in item
        if method in {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
    ]
    declared = [*operations(), *((o.method, o.path) for o in (*FEED_OPERATIONS, *OTHER_PATHS))]
    assert sorted(declared) == sorted(official)
    assert all(o.doc for o in OTHER_PATHS)


@each_resource
def test_properties(resource: Resource) -> None:
    for method, path in resource_operations(resource):
        assert declared_shape(resource.properties) == official_shape(record_schema(method, path)), (method, path)


@each_resource
def test_filters_of_the_list(resource: Resource) -> None:
    official = {
        name: official_value(parameter["schema"]) | {"required": parameter.get("required", False)}
        for name, parameter in query("GET", resource.path).items()
        if name not in COMMON_PARAMETERS
    }
    assert len(resource.parameter) == len(resource.parameters)
    assert {p.name: declared_value(p) for p in resource.parameters} == official


@each_resource
def test_common_parameters_of_every_operation(resource: Resource) -> None:
    common = {"limit", "pageToken", "expandReferenceNames"}
    expected = {
        ("GET", resource.path): common
        | set(resource.parameter)
        | ({"expand"} if resource.expands else set())
        | ({"sortkey"} if resource.sort_keys else set()),
        ("POST", f"{resource.path}/lookup"): {"expandReferenceNames"}
        | ({"expand"} if resource.expands and resource.lookup_expands else set()),
        ("GET", f"{resource.path}/{{id}}"): ({"expandReferenceNames"} if resource.get_reference_names else set())
        | ({"expand"} if resource.expands else set()),
    }
    for method, path in resource_operations(resource):
        assert expected[method, path] == set(query(method, path)), (method, path)


@each_resource
def test_path_parameter(resource: Resource) -> None:
    for method, path in resource_operations(resource):
        inside = {p["name"]: p["schema"] for p in operation(method, path).get("parameters", ()) if p["in"] == "path"}
        assert {k: official_type(v) for k, v in inside.items()} == ({"id": Scalar.ID} if "{id}" in path else {})


@each_resource
def test_sort_keys(resource: Resource) -> None:
    parameter = query("GET", resource.path).get("sortkey", {"schema": {"type": "string", "enum": []}})
    assert parameter["schema"]["type"] == "string"
    assert [s.name for s in resource.sort_keys] == parameter["schema"]["enum"]


@each_resource
def test_values_of_expand(resource: Resource) -> None:
    for method, path in resource_operations(resource):
        if parameter := query(method, path).get("expand"):
            assert parameter["schema"]["type"] == "array"
            assert [e.name for e in resource.expands] == parameter["schema"]["items"]["enum"], (method, path)


def view_of(schema: Schema, expand: Expand) -> tuple[str, View]:
    """What an embedded schema is: a resource's name and how much of it."""
    many = flat(schema)[0].get("type") == "array"
    assert expand.many == many
    element = flat(schema)[0]["items"] if many else schema
    for step in expand.path.split(".") if expand.path else ():
        element = flat(element)[0]["properties"][step]
    kind = official_type(element)
    if isinstance(kind, Reference):
        return kind.target, View.REFERENCE
    name = name_of(element)
    return name.removesuffix("Fragment"), View.FRAGMENT if name.endswith("Fragment") else View.FULL


@each_resource
def test_what_expand_embeds(resource: Resource) -> None:
    merged, _ = flat(record_schema("GET", resource.path))
    embedded = flat(merged["properties"].get("_embedded", {}))[0]["properties"]
    assert {e.name for e in resource.expands} == set(embedded)
    for expand in resource.expands:
        assert (expand.resource, expand.view) == view_of(embedded[expand.name], expand)


@each_resource
def test_keys_of_the_lookup(resource: Resource) -> None:
    if resource.lookup:
        body = operation("POST", f"{resource.path}/lookup")["requestBody"]["content"]["application/json"]["schema"]
        declared = {k.name: {"type": k.type, "many": True, "required": False} for k in resource.lookup}
        assert declared == official_shape(body)


def enums(node: object, key: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every enum in a document, with the name of what it is the enum of."""
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            yield str(node.get("name") or key), tuple(node["enum"])
        for name, value in node.items():
            yield from enums(value, str(node.get("name", key)) if name in ("schema", "items") else name)
    elif isinstance(node, list):
        for value in node:
            yield from enums(value, key)


def test_enumerations_have_the_official_values_in_the_official_order() -> None:
    official = {
        values for name, values in enums(load_openapi()) if name not in ("expand", "sortkey", "EndPointsEnum")
    } - {("Info", "Warning", "Error")}  # of POST /log/, which is left out
    assert {e.values for e in enumerations()} == official


def test_references_hold_what_the_model_says() -> None:
    references = {
        name: flat(schema)[0]
        for name, schema in load_openapi()["components"]["schemas"].items()
        if name.endswith("Reference")
    }
    for name, schema in references.items():
        marking = {"securityMarking"} if name == "PersonReference" else set()
        assert set(schema["properties"]) == {"id", "displayName"} | marking, name
        assert schema["required"] == ["id"], name
    assert tuple(references["PersonReference"]["properties"]["securityMarking"]["enum"]) == SECURITY_MARKING.values


def test_keys_of_deleted_entities() -> None:
    official = official_shape(schema_named("DeletedEntities_data"))
    ids = {"type": Scalar.ID, "many": True, "required": False}
    assert {r.deleted: ids for r in RESOURCES.values() if r.deleted} == official


def test_parameters_of_deleted_entities() -> None:
    official = {
        name: official_value(parameter["schema"]) | {"required": parameter.get("required", False)}
        for name, parameter in query("GET", DELETED_ENTITIES_PATH).items()
        if name not in COMMON_PARAMETERS
    }
    assert {p.name: declared_value(p) for p in DELETED_ENTITIES_PARAMETERS} == official
    assert sorted(ENTITY_TYPE.values) == sorted(schema_named("EndPointsEnum")["enum"])


def test_subscriptions() -> None:
    assert declared_shape(SUBSCRIPTION.properties) == official_shape(schema_named("Subscription"))
    assert declared_shape(SUBSCRIPTION.properties) == official_shape(record_schema("GET", SUBSCRIPTIONS_PATH))
    (callback,) = operation("POST", SUBSCRIPTIONS_PATH)["callbacks"]["subscriptionEvent"].values()
    body = callback["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert declared_shape(CHANGE_NOTICE.properties) == official_shape(body)


def test_paging_is_the_same_on_every_list() -> None:
    lists = [*(r.path for r in RESOURCES.values()), DELETED_ENTITIES_PATH, SUBSCRIPTIONS_PATH]
    for path in lists:
        parameters = query("GET", path)
        assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1}, path
        assert parameters["pageToken"]["schema"] == {"type": "string"}, path
        merged, _ = flat(operation("GET", path)["responses"]["200"]["content"]["application/json"]["schema"])
        assert merged["properties"]["pageToken"]["type"] == ["string", "null"], path
