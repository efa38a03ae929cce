"""Targets of ``call.goto`` in the source of a flow that no handler answers.

Only what is written as a text, or as the name of a text of the module, is found.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from yemot_ai.doctor.finding import Finding, ok, warning
from yemot_ai.errors.source_place import plain_function
from yemot_ai.flow import AIFlow
from yemot_ai.flow.targets import UnknownTarget, extensions_of, find_unknown_target

__all__ = ["check_goto_targets"]

CHECK: Final = "goto"

REMEDY: Final = "correct it, or register a handler; or the line itself has an extension there"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class _Module:
    """A module of handlers.

    Attributes:
        file: its source.
        names: its globals.
        extensions: by the first line of each handler, decorators included: where it answers.
    """

    file: str
    names: Mapping[str, Any]
    extensions: dict[int, list[str]]


def check_goto_targets(flow: AIFlow) -> Iterator[Finding]:
    """Look for targets without a handler."""
    known = extensions_of(flow)
    count = 0
    unknown: list[Finding] = []
    for module in _modules(flow):
        for target, line, extensions in _gotos(module):
            count += 1
            place = f"{module.file.removeprefix(f'{Path.cwd()}/')}:{line}"
            found = dict.fromkeys(_unknown(target, extension, known) for extension in extensions)
            unknown.extend(
                warning(CHECK, f"{place}: goto({target!r}) {each}", REMEDY) for each in found if each
            )
    yield from unknown
    if not unknown:
        yield ok(CHECK, f"{count} target{'s' * (count != 1)} in the source, each with a handler")


def _unknown(target: str, extension: str | None, known: frozenset[str]) -> UnknownTarget | None:
    """Return the target if no handler answers it; of a relative one that is known for a handler only."""
    if extension is None and not target.startswith("/"):
        return None
    return find_unknown_target(extension or "", target, known)


def _modules(flow: AIFlow) -> list[_Module]:
    """Return the modules that the handlers and the functions of agents are written in."""
    functions: dict[str, Callable[..., Any]] = {
        **flow.routes,
        **{name: agent.function for name, agent in flow.agents.items()},
    }
    modules: dict[str, _Module] = {}
    for extension, function in functions.items():
        code = getattr(plain_function(function), "__code__", None)
        if code is None:
            continue
        names = getattr(plain_function(function), "__globals__", {})
        module = modules.setdefault(code.co_filename, _Module(code.co_filename, names, {}))
        module.extensions.setdefault(code.co_firstlineno, []).append(extension)
    return list(modules.values())


def _gotos(module: _Module) -> Iterator[tuple[str, int, list[str | None]]]:
    """Yield each target, its line, and the extensions of the handler around it; None for another function."""
    path = Path(module.file)
    if path.is_file():
        yield from _walk(ast.parse(path.read_bytes()), module, [None])


def _walk(
    node: ast.AST, module: _Module, extensions: list[str | None]
) -> Iterator[tuple[str, int, list[str | None]]]:
    if isinstance(node, Function):
        extensions = [*module.extensions.get(_first_line(node), [])] or extensions
    if isinstance(node, ast.Call) and (target := _target(node, module.names)) is not None:
        yield target, node.lineno, extensions
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, module, extensions)


def _first_line(node: Function) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _target(node: ast.Call, names: Mapping[str, Any]) -> str | None:
    """Return the target of ``call.goto(…)``; None for another call, or a target that is computed."""
    function = node.func
    if not (
        isinstance(function, ast.Attribute)
        and function.attr == "goto"
        and isinstance(function.value, ast.Name)
    ):
        return None
    arguments = [*node.args, *(word.value for word in node.keywords if word.arg == "folder")]
    value = _constant(arguments[0], names) if len(arguments) == 1 else None
    return value if isinstance(value, str) and "://" not in value else None


def _constant(node: ast.expr, names: Mapping[str, Any]) -> object:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    return node.value if isinstance(node, ast.Constant) else None
