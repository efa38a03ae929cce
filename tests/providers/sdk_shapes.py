"""Compare what the doubles send with the SDK's own models."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeAliasType

__all__ = ["Shape", "ShapeError", "literals", "reachable_models", "sdk_version"]


class ShapeError(AssertionError):
    """A shape does not match the SDK's model."""


def sdk_version(sdk: str) -> str:
    """Return the SDK with its version, for failure messages."""
    return f"{sdk} {importlib.metadata.version(sdk)}"


@dataclass(frozen=True)
class Shape:
    """A JSON object that a double sends.

    Attributes:
        sdk: ``openai`` or ``anthropic``.
        name: its name in the SDK.
        type: the SDK's type for it.
        body: the object.
    """

    sdk: str
    name: str
    type: Any
    body: Mapping[str, Any]

    def check(self) -> Any:  # noqa: ANN401 - a model of the SDK
        """Validate it as the SDK's model, without missing or unknown fields.

        Raises:
            ShapeError: it is not valid; the message names SDK, version and shape.
        """
        try:
            model = TypeAdapter(self._member()).validate_python(self.body, strict=True)
        except ValidationError as error:
            details = "; ".join(
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
            )
            raise ShapeError(f"{sdk_version(self.sdk)}: {self.name}: {details}") from None
        if unknown := ", ".join(_unknown(model, "")):
            raise ShapeError(f"{sdk_version(self.sdk)}: {self.name}: unknown to the SDK: {unknown}")
        return model

    def _member(self) -> Any:  # noqa: ANN401 - a type
        """Return the member of a union of events that has the body's ``type``."""
        members = [member for member in _union(self.type) if isinstance(member, type)]
        if len(members) <= 1:
            return self.type
        matching = [member for member in members if self.body["type"] in literals(member, "type")]
        if not matching:
            raise ShapeError(f"{sdk_version(self.sdk)}: {self.name}: no member is a {self.body['type']!r}")
        return matching[0]


def _union(kind: Any) -> list[Any]:  # noqa: ANN401 - a type
    """Return the members of a union, also of nested ones."""
    if isinstance(kind, type):
        return [kind]
    return [member for part in _parts(kind) for member in _union(part)]


def reachable_models(*roots: Any) -> set[type[BaseModel]]:  # noqa: ANN401 - types
    """Return all models in the fields of these types, recursively."""
    found: set[type[BaseModel]] = set()
    pending = list(roots)
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in found:
                found.add(kind)
                pending += [field.annotation for field in kind.model_fields.values()]
        else:
            pending += _parts(kind)
    return found


def literals(model: type[BaseModel], name: str) -> set[object]:
    """Return the values that the SDK's type allows for a field; empty if it allows any."""
    field = model.model_fields.get(name)
    pending, found = [field.annotation if field else None], set()
    while pending:
        kind = pending.pop()
        if get_origin(kind) is Literal:
            found |= set(get_args(kind))
        else:
            pending += _parts(kind)
    return found


def _parts(kind: Any) -> list[Any]:  # noqa: ANN401 - a type
    if isinstance(kind, TypeAliasType):
        return [kind.__value__]
    # The other arguments of Annotated are not types.
    return list(get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind))


def _unknown(value: object, place: str) -> Iterator[str]:
    """Yield the unknown fields of a model: the SDKs' models keep them instead of refusing them."""
    if isinstance(value, BaseModel):
        yield from (f"{place}{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from _unknown(getattr(value, name), f"{place}{name}.")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _unknown(item, f"{place}{number}.")
