"""Where a name is that is looked for in the wrong module.

>>> str(missing_name("yemot_ai", "OpenAIProvider"))
"'yemot_ai' has no 'OpenAIProvider': write `from yemot_ai.providers import OpenAIProvider`"
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["PUBLIC_MODULES", "closest", "missing_attribute", "missing_name"]

PUBLIC_MODULES: Final = (
    "yemot_ai",
    "yemot_ai.providers",
    "yemot_ai.sessions",
    "yemot_ai.transcription",
    "yemot_ai.protocol",
    "yemot_ai.errors",
    "yemot_ai_testing",
    "yemot_ai_testing.line",
    "yemot_ai_testing.scenario",
    "yemot_ai_testing.property",
    "yemot_ai_testing.history",
    "yemot_ai_testing.contract",
    "yemot_ai_testing.errors",
)
"""Where public names are; the first that has a name is the one to import it from."""

_SERVE: Final = "serve a flow with `yemot-ai serve module:flow`, or mount `flow.wsgi_app` or `flow.asgi_app`"

_OTHER_NAMES: Final = {
    "Flow": 'write `from yemot_ai import AIFlow, YemotAI` and, for Flow(…), `AIFlow(YemotAI("codex"))`',
    **dict.fromkeys(("run", "serve", "app"), _SERVE),
}

_FROM_IMPORT: Final = "_handle_fromlist"
"""The function of ``importlib._bootstrap`` that looks for a name of ``from module import name``."""


def missing_name(module: str, name: str) -> AttributeError | ImportError:
    """Return the error for a name that a module does not have; it says where the name is.

    Call it from the module's ``__getattr__``. ``from module import name`` replaces an ``AttributeError`` by
    an error without its message, so it gets an ``ImportError`` if there is something to say.

    Args:
        module: the module.
        name: the name.
    """
    hint = "" if name.startswith("_") or _is_submodule(module, name) else _hint(module, name)
    if not hint:
        return AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
    message = f"{module!r} has no {name!r}: {hint}"
    is_import = sys._getframe(2).f_code.co_name == _FROM_IMPORT  # noqa: SLF001 - documented; nothing else says it
    return ImportError(message, name=module) if is_import else AttributeError(message, name=name)


def missing_attribute(owner: object, name: str, hints: Mapping[str, str]) -> AttributeError:
    """Return the error for an attribute that an object does not have; it says what to write instead.

    Args:
        owner: the object.
        name: the attribute.
        hints: by a name that other libraries have, what to write here.
    """
    hint = hints.get(name, "")
    kind = type(owner).__name__
    message = f"{kind} has no {name!r}: {hint}" if hint else f"{kind!r} object has no attribute {name!r}"
    return AttributeError(message, name=name, obj=owner)


def closest(name: str, names: Sequence[str]) -> str:
    """Return the name that is most like another, in any case of letters; "" if none is similar.

    Args:
        name: the name.
        names: the names that there are.
    """
    folded = {known.casefold(): known for known in reversed(names)}
    similar = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.7)
    return folded[similar[0]] if similar else ""


def _hint(module: str, name: str) -> str:
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    places = {public: place for place in reversed(PUBLIC_MODULES) for public in _names_of(place)}
    places |= dict.fromkeys(_names_of(module), module)
    found = name if name in places else closest(name, list(places))
    if not found:
        return ""
    words = "write" if found == name else f"did you mean {found!r}? Write"
    return f"{words} `from {places[found]} import {found}`"


def _is_submodule(module: str, name: str) -> bool:
    return importlib.util.find_spec(f"{module}.{name}") is not None


def _names_of(module: str) -> Iterator[str]:
    """Return ``__all__`` of a module without importing it: some modules of the toolkit need pytest."""
    package, *folders = module.split(".")
    spec = importlib.util.find_spec(package)
    origin = Path(spec.origin).parent.joinpath(*folders) if spec is not None and spec.origin else None
    if origin is None:
        return
    for path in (origin / "__init__.py", origin.with_suffix(".py")):
        if path.is_file():
            yield from _literal_names(ast.parse(path.read_text(encoding="utf-8")))


def _literal_names(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []
