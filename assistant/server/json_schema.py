"""Dataclasses → JSON Schema, with the docstrings of their fields as descriptions."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, NewType, Union, cast, get_args, get_origin, get_type_hints

Schema = dict[str, object]
_PLAIN: Mapping[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
_REFERENCE = "#/components/schemas/{}"


class Schemas:
    """Gathers the schemas of records by the name under which an OpenAPI document keeps them."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def of(self, hint: Any) -> Schema:
        """The schema of a type; records are named and referred to. TypeError for a type that JSON does not have."""
        if isinstance(hint, NewType):
            return self.of(hint.__supertype__)
        if hint in _PLAIN:
            return {"type": _PLAIN[hint]}
        if hint is object:
            return {}
        if is_dataclass(hint):
            return self.record(cast("type[object]", hint))
        return self._composed(hint, get_origin(hint), get_args(hint))

    def record(self, kind: type[object], *, given: bool = True, more: Mapping[str, Schema] | None = None) -> Schema:
        """A reference to a record's schema. `given`: every field is there, as in what is sent, but for those that are
        left out where they are None; else those without a default are. `more` are properties beside the fields, all of
        them required."""
        name = kind.__name__
        if name not in self.named:
            self.named[name] = {}  # for one that contains itself
            hints, described = get_type_hints(kind), _descriptions(kind)
            properties: dict[str, Schema] = dict(more or {})
            for one in fields(cast("Any", kind)):
                schema = self.of(hints[one.name])
                if one.name in described:
                    schema = {**schema, "description": described[one.name]}
                properties[one.name] = schema if given or _required(one) else {**schema, **_default(one)}
            there = (one for one in fields(cast("Any", kind)) if "left_out" not in one.metadata)
            required = [*(more or {}), *(one.name for one in there if given or _required(one))]
            self.named[name] = {
                "type": "object",
                "description": inspect.cleandoc(kind.__doc__ or ""),
                "required": required,
                "properties": properties,
            }
        return {"$ref": _REFERENCE.format(name)}

    def _composed(self, hint: object, origin: object, parts: tuple[Any, ...]) -> Schema:
        if origin is Literal:
            return {"enum": list(parts)}
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(part) for part in parts]}
        if origin is tuple and parts[-1] is Ellipsis:
            return {"type": "array", "items": self.of(parts[0])}
        if origin is tuple:
            items = [self.of(part) for part in parts]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(parts[1])}
        raise TypeError(f"no JSON Schema for {hint}")


def _required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _default(one: Field[Any]) -> Schema:
    return {"default": one.default} if isinstance(one.default, (str, int, float, NoneType)) else {}


def _descriptions(kind: type[object]) -> dict[str, str]:
    """The docstring below each field that has one."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for node, following in zip(body.body, body.body[1:], strict=False):
        text = following.value if isinstance(following, ast.Expr) else None
        if isinstance(node, ast.AnnAssign) and isinstance(text, ast.Constant) and isinstance(text.value, str):
            assert isinstance(node.target, ast.Name)
            found[node.target.id] = " ".join(text.value.split())
    return found
