"""The commands and their options, from argparse."""

# ruff: noqa: SLF001 - argparse shows its arguments in private attributes only

from __future__ import annotations

import argparse
import contextlib
import importlib
import textwrap
from collections.abc import Callable, Iterator
from unittest.mock import patch

from site_builder.reference.markdown import code, document, table

__all__ = ["page"]

WIDTH = 76
"""Characters in a line of a usage."""

Main = Callable[[list[str]], int]


def page(program: str, module: str) -> str:
    """Return the page of a program.

    Args:
        program: its name.
        module: has its function ``main``.
    """
    main: Main = importlib.import_module(module).main
    top = _parser_of(main)
    commands = _subcommands(top)
    index = [f"[`{name}`](#{program}-{name})" for name in commands]
    rows = [(link, purpose) for link, purpose in zip(index, commands.values(), strict=True)]
    parts = [part for name in commands for part in _command(_parser_of(main, name))]
    return document(
        program,
        f"{top.description} `{program} COMMAND --help` prints the same.",
        table(("command", ""), rows),
        *parts,
    )


def _parser_of(main: Main, *command: str) -> argparse.ArgumentParser:
    """Return the parser that prints the help of a command: it has all arguments."""
    found: list[argparse.ArgumentParser] = []

    def keep(parser: argparse.ArgumentParser) -> None:
        found.append(parser)

    with patch.object(argparse.ArgumentParser, "print_help", keep), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return found[0]


def _subcommands(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the names of the commands of a parser, with their purposes."""
    return {
        choice.dest: choice.help or ""
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action._choices_actions
    }


def _children(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def _command(parser: argparse.ArgumentParser, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} {parser.prog}"
    yield parser.description or ""
    yield f"```text\n{_usage(parser)}\n```"
    yield table(("argument", ""), map(_row, _arguments(parser)))
    yield parser.epilog or ""
    for child in _children(parser):
        yield from _command(child, level + 1)


def _usage(parser: argparse.ArgumentParser) -> str:
    usage = " ".join(parser.format_usage().removeprefix("usage:").split())
    return textwrap.fill(
        usage, WIDTH, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
    )


def _arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    left_out = (argparse._HelpAction, argparse._SubParsersAction)
    return [
        action
        for action in parser._actions
        if not isinstance(action, left_out) and action.help is not argparse.SUPPRESS
    ]


def _row(action: argparse.Action) -> tuple[str, str]:
    value = _value(action)
    names = [f"{name} {value}".strip() for name in action.option_strings] or [value]
    return ", ".join(map(code, names)), _help(action)


def _value(action: argparse.Action) -> str:
    """Return what stands for the value of an argument; nothing if it takes none."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return ""
    named = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    value = named if isinstance(named, str) else " ".join(named)
    return f"[{value}]" if action.nargs == "?" and action.option_strings else value


def _help(action: argparse.Action) -> str:
    text = (action.help or "") % vars(action)
    default = action.default
    if not action.option_strings or default in (None, False, "", [], argparse.SUPPRESS) or "default" in text:
        return text
    return f"{text} (default: {default})"
