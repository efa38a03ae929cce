"""The exceptions: when each is raised, its attributes, and its message with the way out."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import ModuleType

import yemot_ai.errors
import yemot_ai_testing.errors
from site_builder.reference.docstrings import read_docstring
from site_builder.reference.markdown import code, document, table

__all__ = ["message_of", "page"]

INTRODUCTION = (
    "All exceptions that the two packages raise on purpose. `{…}` in a message stands for data of the error. "
    "What a caller hears of each: [troubleshooting](../troubleshooting.md#what-a-caller-hears-and-why)."
)


def page() -> str:
    """Return the page of both packages."""
    return document(
        "Errors",
        INTRODUCTION,
        *_package(yemot_ai.errors),
        *_package(yemot_ai_testing.errors),
    )


def _package(module: ModuleType) -> Iterator[str]:
    yield f"## {module.__name__}"
    for name in module.__all__:
        yield from _error(getattr(module, name))


def _error(error: type[Exception]) -> Iterator[str]:
    documented = read_docstring(error)
    yield f"### {error.__name__}"
    yield documented.text
    bases = ", ".join(code(base.__name__) for base in error.__bases__)
    facts = [f"Is a {bases}."]
    if kind := error.__dict__.get("kind"):
        transient = "tried once more" if getattr(error, "transient", False) else "not tried again"
        facts.append(f"Kind {code(kind)}, {transient}.")
    yield " ".join(facts)
    if message := message_of(error):
        yield f"```text\n{message}\n```"
    yield table(("attribute", ""), [(code(name), text) for name, text in documented.items.items()])


def message_of(error: type[Exception]) -> str:
    """Return the message that a class gives to its base, with ``{…}`` for data, if it is its own."""
    if "__init__" not in error.__dict__:
        return ""
    tree = ast.parse(textwrap.dedent(inspect.getsource(error.__init__)))
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
            return next((text for argument in call.args if (text := _template(argument))), "")
    return ""


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_template_part, node.values))
    return ""


def _template_part(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        return f"{{{ast.unparse(node.value).removeprefix('self.')}}}"
    return _template(node)
