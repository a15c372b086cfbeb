"""The OpenAPI document of declared operations (OpenAPI 3.1.0, JSON Schema 2020-12)."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts.base import nested_model
from shared.http.operations import ListOf, Operation, Parameter, parameters_of
from shared.http.present import is_read_only, is_write_only
from shared.http.query import ListShape

_REF = "#/components/schemas/{model}"
_ERRORS = {
    "400": "The request is refused; every reason is told.",
    "401": "No token, or one that does not hold.",
    "403": "The token's user may not do this.",
    "404": "There is no such thing, or none that the caller may see.",
    "409": "It conflicts with what is there.",
    "413": "The body is too large.",
    "503": "It cannot be served just now; try again.",
}


def openapi_document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document that describes ``operations``."""
    every = list(operations)
    schemas = _schemas(every)
    paths: dict[str, dict[str, Any]] = {}
    for operation in every:
        paths.setdefault(operation.route, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ordermesh",
            "version": version("ordermesh"),
            "description": "Order fulfillment with the shape of OrderCloud's API.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "schemas": schemas,
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    roles = ", ".join(("FullAccess", *operation.roles)) if operation.roles else ""
    text = f"{operation.summary}\n\nUsers: {', '.join(sorted(operation.users))}." + (
        f" Roles: {roles}." if roles else ""
    )
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.name.partition(".")[0]],
        "summary": operation.summary,
        "description": text if not operation.public else operation.summary,
        "parameters": [
            *(_path_parameter(name) for name in parameters_of(operation.route)),
            *(_query_parameter(each) for each in operation.parameters),
            *(_list_parameters(operation.list) if operation.list is not None else ()),
        ],
        "responses": _responses(operation),
    }
    if operation.public:
        described["security"] = []
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.partial,
            "content": {
                "application/json": {
                    "schema": _body_schema(operation.body, partial=operation.partial)
                }
            },
        }
    if operation.form:
        described["requestBody"] = {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "properties": {name: {"type": "string"} for name in operation.form},
                    }
                }
            },
        }
    return described


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "schema": {"type": parameter.type},
    }


def _list_parameters(shape: ListShape) -> list[dict[str, Any]]:
    whole = {"type": "integer", "minimum": 1}
    found: list[dict[str, Any]] = [
        {"name": "page", "in": "query", "schema": whole},
        {"name": "pageSize", "in": "query", "schema": {**whole, "maximum": 100}},
    ]
    if shape.filterable:
        text = {"type": "string"}
        found += [{"name": name, "in": "query", "schema": text} for name in ("search", "searchOn")]
        found.append({"name": "sortBy", "in": "query", "schema": text})
        found.append(
            {
                "name": "filters",
                "in": "query",
                "style": "form",
                "explode": True,
                "schema": {"type": "object", "additionalProperties": text},
                "description": "Any field, also nested ones and xp: `Name=abc*`, `xp.Size=>5`.",
            }
        )
    if shape.search_types:
        kinds = [
            "AnyTerm",
            "AllTermsAnyField",
            "AllTermsSameField",
            "ExactPhrase",
            "ExactPhrasePrefix",
        ]
        found.append(
            {"name": "searchType", "in": "query", "schema": {"type": "string", "enum": kinds}}
        )
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    answer = operation.answer
    if isinstance(answer, ListOf):
        schema: dict[str, Any] = {
            "type": "object",
            "required": ["Meta", "Items"],
            "properties": {
                "Meta": {"$ref": "#/components/schemas/Meta"},
                "Items": {"type": "array", "items": _answer_ref(answer.model)},
            },
        }
        good["content"] = {"application/json": {"schema": schema}}
    elif answer is not None:
        good["content"] = {"application/json": {"schema": _answer_ref(answer)}}
    refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}}}
    return {
        str(operation.status): good,
        **{status: {"description": text, **refused} for status, text in _ERRORS.items()},
    }


def _answer_ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _REF.format(model=model.__name__)}


def _body_schema(model: type[BaseModel], *, partial: bool) -> dict[str, Any]:
    name = f"{model.__name__}Patch" if partial else f"{model.__name__}Body"
    return {"$ref": _REF.format(model=name)}


def _schemas(operations: list[Operation]) -> dict[str, Any]:
    """Each model as it is answered, and as it may be sent whole and in part."""
    answered = {
        model for operation in operations if (model := _answer_model(operation)) is not None
    }
    sent = {
        (operation.body, operation.partial)
        for operation in operations
        if operation.body is not None
    }
    schemas: dict[str, Any] = {"Meta": _META, "Errors": _ERRORS_SCHEMA}
    _, shown = models_json_schema(
        [(model, "serialization") for model in sorted(answered, key=_name)], ref_template=_REF
    )
    known = {model.__name__: model for model in _all_models(answered)}
    for name, schema in shown.get("$defs", {}).items():
        schemas[name] = _answer_schema(schema, known.get(name))
    for model, partial in sorted(sent, key=lambda each: (each[0].__name__, each[1])):
        schema = model.model_json_schema(
            by_alias=True,
            ref_template=f"#/components/schemas/{model.__name__}Body.{{model}}",
        )
        for name, inner in schema.pop("$defs", {}).items():
            schemas[f"{model.__name__}Body.{name}"] = _sent_schema(inner, None, partial=False)
        suffix = "Patch" if partial else "Body"
        schemas[f"{model.__name__}{suffix}"] = _sent_schema(schema, model, partial=partial)
    return schemas


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _answer_model(operation: Operation) -> type[BaseModel] | None:
    answer = operation.answer
    return answer.model if isinstance(answer, ListOf) else answer


def _all_models(models: Iterable[type[BaseModel]]) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    todo = list(models)
    while todo:
        model = todo.pop()
        if model in found:
            continue
        found.add(model)
        for field in model.model_fields.values():
            inner, _ = nested_model(field.annotation)
            if inner is not None:
                todo.append(inner)
    return found


def _answer_schema(schema: Mapping[str, Any], model: type[BaseModel] | None) -> dict[str, Any]:
    """What is answered has every field, absent ones as null, and none that is never shown."""
    if model is None or "properties" not in schema:
        return dict(schema)
    hidden = {
        field.alias or name for name, field in model.model_fields.items() if is_write_only(field)
    }
    properties = {
        name: _nullable(value) for name, value in schema["properties"].items() if name not in hidden
    }
    return {
        "type": "object",
        "title": schema.get("title", model.__name__),
        "description": schema.get("description", ""),
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in schema.items() if name not in ("default", "title")}
    options = plain.get("anyOf")
    if options is not None and {"type": "null"} in options:
        return plain
    return {"anyOf": [plain, {"type": "null"}]}


def _sent_schema(
    schema: Mapping[str, Any], model: type[BaseModel] | None, *, partial: bool
) -> dict[str, Any]:
    """What may be sent: nothing that only the engine sets is required, nor an ID, which is given
    where there is none; of a part nothing is required, and null clears a field."""
    result = dict(schema)
    read_only = set()
    if model is not None:
        read_only = {
            field.alias or name for name, field in model.model_fields.items() if is_read_only(field)
        }
    required = (
        []
        if partial
        else [name for name in schema.get("required", ()) if name not in read_only and name != "ID"]
    )
    result.pop("required", None)
    if required:
        result["required"] = required
    if partial:
        result["properties"] = {
            name: _nullable(value) if name != "ID" else value
            for name, value in schema.get("properties", {}).items()
        }
    result["additionalProperties"] = False
    return result


_META = {
    "type": "object",
    "required": ["Page", "PageSize", "TotalCount", "TotalPages", "ItemRange", "NextPageKey"],
    "properties": {
        "Page": {"type": "integer"},
        "PageSize": {"type": "integer"},
        "TotalCount": {"type": "integer"},
        "TotalPages": {"type": "integer"},
        "ItemRange": {"type": "array", "items": {"type": "integer"}},
        "NextPageKey": {"type": ["string", "null"]},
        "Facets": {"type": ["array", "null"], "items": {"type": "object"}},
    },
}
_ERRORS_SCHEMA = {
    "type": "object",
    "required": ["Errors"],
    "properties": {
        "Errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["ErrorCode", "Message", "Data"],
                "properties": {
                    "ErrorCode": {"type": "string"},
                    "Message": {"type": "string"},
                    "Data": {"type": ["object", "null"]},
                },
            },
        }
    },
}
