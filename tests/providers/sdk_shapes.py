"""What our doubles send, beside the SDK's own models: every shape, and everything that differs."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeAliasType

__all__ = ["Shape", "ShapeError", "installed", "literals", "reachable"]


class ShapeError(AssertionError):
    """A shape of ours is not what the SDK says."""


def installed(sdk: str) -> str:
    """The SDK with its version, as every failure names it."""
    return f"{sdk} {importlib.metadata.version(sdk)}"


@dataclass(frozen=True)
class Shape:
    """Something that a double sends.

    Attributes:
        sdk: whose it is: ``openai`` or ``anthropic``.
        name: how it is called there.
        type: the SDK's type for it.
        body: what we send.
    """

    sdk: str
    name: str
    type: Any
    body: Mapping[str, Any]

    def check(self) -> Any:  # noqa: ANN401 - whatever the SDK makes of it
        """Read it as the SDK's own model: nothing may be missing, unknown, or of another type.

        Raises:
            ShapeError: something is; SDK, version and shape are named.
        """
        try:
            model = TypeAdapter(self._member()).validate_python(self.body, strict=True)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise ShapeError(f"{installed(self.sdk)}: {self.name}: {told}") from None
        if found := ", ".join(_unknown(model, "")):
            raise ShapeError(f"{installed(self.sdk)}: {self.name}: unknown to the SDK: {found}")
        return model

    def _member(self) -> Any:  # noqa: ANN401 - a type
        """Of a union of events the one that is meant: its ``type`` tells."""
        members = [one for one in _union(self.type) if isinstance(one, type)]
        if len(members) <= 1:
            return self.type
        meant = [one for one in members if self.body["type"] in literals(one, "type")]
        if not meant:
            raise ShapeError(f"{installed(self.sdk)}: {self.name}: no member is a {self.body['type']!r}")
        return meant[0]


def _union(kind: Any) -> list[Any]:  # noqa: ANN401 - a type
    """The members of a union, however deep it is wrapped."""
    if isinstance(kind, type):
        return [kind]
    return [one for part in _parts(kind) for one in _union(part)]


def reachable(*roots: Any) -> set[type[BaseModel]]:  # noqa: ANN401 - types
    """All models that stand in the fields of these types, and in theirs."""
    found: set[type[BaseModel]] = set()
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one not in found:
                found.add(one)
                waiting += [field.annotation for field in one.model_fields.values()]
        else:
            waiting += _parts(one)
    return found


def literals(model: type[BaseModel], name: str) -> set[object]:
    """The words that the SDK knows for a field; empty where any will do."""
    field = model.model_fields.get(name)
    waiting, found = [field.annotation if field else None], set()
    while waiting:
        one = waiting.pop()
        if get_origin(one) is Literal:
            found |= set(get_args(one))
        else:
            waiting += _parts(one)
    return found


def _parts(kind: Any) -> list[Any]:  # noqa: ANN401 - a type
    if isinstance(kind, TypeAliasType):
        return [kind.__value__]
    # The second argument of Annotated is no type.
    return list(get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind))


def _unknown(found: object, place: str) -> Iterator[str]:
    """What a model took without knowing it: the SDKs pass over nothing and refuse nothing."""
    if isinstance(found, BaseModel):
        yield from (f"{place}{name}" for name in found.model_extra or {})
        for name in type(found).model_fields:
            yield from _unknown(getattr(found, name), f"{place}{name}.")
    elif isinstance(found, list | tuple):
        for number, one in enumerate(found):
            yield from _unknown(one, f"{place}{number}.")
