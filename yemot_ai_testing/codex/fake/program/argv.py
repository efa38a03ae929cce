"""Parse the command line of ``codex exec`` as Codex 0.171 does.

Run inside the fake executable, where each import costs a millisecond, so it imports nothing.
"""

from __future__ import annotations

__all__ = ["GRAMMARS", "Arguments", "CommandGrammar", "UsageError", "parse"]

_REPEATABLE = {"config", "enable", "disable", "image", "add-dir"}
_COMMON_VALUES = {
    "config": "key=value",
    "enable": "FEATURE",
    "disable": "FEATURE",
    "image": "FILE",
    "model": "MODEL",
    "thread-source": "SOURCE",
    "cyber-access-program": "PROGRAM",
    "output-schema": "FILE",
    "output-last-message": "FILE",
    "remote": "ADDR",
    "remote-auth-token-env": "ENV_VAR",
}
_COMMON_FLAGS = {
    "strict-config",
    "dangerously-bypass-approvals-and-sandbox",
    "dangerously-bypass-hook-trust",
    "yolo",
    "worktree",
    "skip-git-repo-check",
    "trust",
    "ephemeral",
    "ignore-user-config",
    "ignore-rules",
    "json",
    "experimental-json",
    "help",
}
_EXEC_VALUES = {
    **_COMMON_VALUES,
    "local-provider": "OSS_PROVIDER",
    "profile": "CONFIG_PROFILE_V2",
    "sandbox": "SANDBOX_MODE",
    "cd": "DIR",
    "add-dir": "DIR",
    "color": "COLOR",
}
_EXEC_FLAGS = {*_COMMON_FLAGS, "oss", "approve-for-me", "version"}
_RESUME_FLAGS = {*_COMMON_FLAGS, "last", "all"}
_ROOT_VALUES = {
    **_EXEC_VALUES,
    "ask-for-approval": "APPROVAL_POLICY",
    "remote": "ADDR",
    "remote-auth-token-env": "ENV_VAR",
}
_ROOT_FLAGS = {*_EXEC_FLAGS, "search", "no-alt-screen", "no-daemon"} - {
    "json",
    "experimental-json",
    "skip-git-repo-check",
}
_SHORT_OPTIONS = {
    "c": "config",
    "i": "image",
    "m": "model",
    "p": "profile",
    "s": "sandbox",
    "C": "cd",
    "o": "output-last-message",
    "a": "ask-for-approval",
    "h": "help",
    "V": "version",
}
_CHOICES = {
    "sandbox": ("read-only", "workspace-write", "danger-full-access"),
    "color": ("always", "never", "auto"),
}
_EXEC_USAGE = "Usage: codex exec [OPTIONS] [PROMPT]\n       codex exec [OPTIONS] <COMMAND> [ARGS]"
_RESUME_USAGE = "Usage: codex exec resume [OPTIONS] [SESSION_ID] [PROMPT]"
_ROOT_USAGE = "Usage: codex [OPTIONS] [PROMPT]\n       codex [OPTIONS] <COMMAND> [ARGS]"
_HELP_HINT = "For more information, try '--help'."


class UsageError(Exception):
    """A command line that Codex refuses with exit code 2; the message is the text that it prints."""


class Arguments:
    """A parsed command line.

    Attributes:
        command: ``exec``, ``resume``, ``review``, ``features`` …; empty for the interactive program.
        positionals: the positional arguments of the command.
        options: the values by long name, in order; flags have an empty list.
    """

    __slots__ = ("command", "options", "positionals")

    def __init__(self) -> None:
        self.command = ""
        self.positionals: list[str] = []
        self.options: dict[str, list[str]] = {}

    def has(self, name: str) -> bool:
        """Return whether an option is present."""
        return name in self.options

    def value(self, name: str, default: str = "") -> str:
        """Return the last value of an option."""
        return self.options.get(name, [default])[-1]


class CommandGrammar:
    """The options, subcommands and number of positional arguments of one command."""

    __slots__ = ("commands", "flags", "greedy_image", "max_positionals", "usage", "values")

    def __init__(  # noqa: PLR0913 - a plain record; dataclasses are too slow to import here
        self,
        usage: str,
        values: dict[str, str],
        flags: set[str],
        commands: tuple[str, ...],
        max_positionals: int,
        *,
        greedy_image: bool,
    ) -> None:
        self.usage = usage
        self.values = values
        self.flags = flags
        self.commands = commands
        self.max_positionals = max_positionals
        self.greedy_image = greedy_image


_ROOT_GRAMMAR = CommandGrammar(
    _ROOT_USAGE,
    _ROOT_VALUES,
    _ROOT_FLAGS,
    ("exec", "e", "features", "review", "login", "logout", "mcp", "delete", "app-server", "help"),
    1,
    greedy_image=True,
)
_EXEC_GRAMMAR = CommandGrammar(
    _EXEC_USAGE, _EXEC_VALUES, _EXEC_FLAGS, ("resume", "fork", "review", "help"), 1, greedy_image=True
)
# After `resume`, -i takes one file; before it, every word that follows.
_RESUME_GRAMMAR = CommandGrammar(_RESUME_USAGE, _COMMON_VALUES, _RESUME_FLAGS, (), 2, greedy_image=False)
_OTHER_GRAMMAR = CommandGrammar(
    _ROOT_USAGE, _EXEC_VALUES, {*_EXEC_FLAGS, *_RESUME_FLAGS}, (), 9, greedy_image=False
)
GRAMMARS = {"": _ROOT_GRAMMAR, "exec": _EXEC_GRAMMAR, "e": _EXEC_GRAMMAR, "resume": _RESUME_GRAMMAR}


def parse(argv: list[str], overrides: dict[str, dict[str, str | None]] | None = None) -> Arguments:
    """Parse the arguments after the program's name.

    Args:
        argv: the arguments.
        overrides: how the version differs (see ``yemot_ai_testing.codex.fake.grammar``).

    Raises:
        UsageError: if Codex refuses them.
    """
    arguments = Arguments()
    rest = list(argv)
    overrides = overrides or {}
    grammar = _with_overrides(_ROOT_GRAMMAR, overrides.get(""))
    seen: set[str] = set()
    while rest:
        word = rest.pop(0)
        if word == "--":
            for positional in rest:
                _add_positional(arguments, grammar, positional)
            break
        if word.startswith("-") and len(word) > 1:
            _parse_option(arguments, grammar, word, rest, seen)
        elif word == "help" and arguments.command and word in grammar.commands and not arguments.positionals:
            arguments.options["help"] = []
            grammar = _OTHER_GRAMMAR
        elif word in grammar.commands and not arguments.positionals:
            arguments.command = "exec" if word == "e" else word
            grammar = _with_overrides(_grammar_for(word), overrides.get(arguments.command))
            seen = set()
        else:
            _add_positional(arguments, grammar, word)
    return arguments


def _grammar_for(command: str) -> CommandGrammar:
    """Return the grammar of a command."""
    return GRAMMARS.get(command, _OTHER_GRAMMAR)


def _with_overrides(grammar: CommandGrammar, overrides: dict[str, str | None] | None) -> CommandGrammar:
    """Return the grammar of another version."""
    if not overrides:
        return grammar
    values = {name: value for name, value in grammar.values.items() if overrides.get(name, "") is not None}
    flags = {name for name in grammar.flags if overrides.get(name, "") is not None}
    commands = tuple(name for name in grammar.commands if overrides.get(f":{name}", "") is not None)
    for name, value in overrides.items():
        if value:
            values[name] = value
        elif value is not None:
            flags.add(name)
    return CommandGrammar(
        grammar.usage, values, flags, commands, grammar.max_positionals, greedy_image=grammar.greedy_image
    )


def _add_positional(arguments: Arguments, grammar: CommandGrammar, word: str) -> None:
    if len(arguments.positionals) >= grammar.max_positionals:
        raise UsageError(f"error: unexpected argument '{word}' found\n\n{grammar.usage}\n\n{_HELP_HINT}")
    arguments.positionals.append(word)


def _parse_option(
    arguments: Arguments, grammar: CommandGrammar, word: str, rest: list[str], seen: set[str]
) -> None:
    name, value = _split_option(word)
    known = grammar.values.get(name)
    if known is None and name not in grammar.flags:
        shown = word.partition("=")[0] if word.startswith("--") else word[:2]
        tip = f"  tip: to pass '{shown}' as a value, use '-- {shown}'"
        raise UsageError(
            f"error: unexpected argument '{shown}' found\n\n{tip}\n\n{grammar.usage}\n\n{_HELP_HINT}"
        )
    title = f"--{name}" if known is None else f"--{name} <{known}>"
    if name in seen and name not in _REPEATABLE:
        raise UsageError(
            f"error: the argument '{title}' cannot be used multiple times\n\n{grammar.usage}\n\n{_HELP_HINT}"
        )
    seen.add(name)
    values = arguments.options.setdefault("json" if name == "experimental-json" else name, [])
    if known is not None:
        values.extend(_take_values(grammar, name, title, value, rest))
    elif value is not None:
        message = f"error: unexpected value '{value}' for '{title}' found; no more were expected"
        raise UsageError(f"{message}\n\n{grammar.usage}\n\n{_HELP_HINT}")


def _split_option(word: str) -> tuple[str, str | None]:
    """Return the long name of an option and the value in the same word, if any."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        return name, value if equals else None
    return _SHORT_OPTIONS.get(word[1], word), word[2:].removeprefix("=") or None


def _takes_many(grammar: CommandGrammar, name: str, value: str | None) -> bool:
    """Return whether an option takes every word that follows it."""
    # A value in the same word ("--image=A") is the only one.
    return name == "image" and grammar.greedy_image and value is None


def _take_values(
    grammar: CommandGrammar, name: str, title: str, value: str | None, rest: list[str]
) -> list[str]:
    many = _takes_many(grammar, name, value)
    if value is None:
        if not rest or (rest[0].startswith("-") and len(rest[0]) > 1):
            shown = f"{title}..." if many else title
            raise UsageError(
                f"error: a value is required for '{shown}' but none was supplied\n\n{_HELP_HINT}"
            )
        value = rest.pop(0)
    choices = _CHOICES.get(name)
    if choices and value not in choices:
        possible = f"  [possible values: {', '.join(choices)}]"
        raise UsageError(f"error: invalid value '{value}' for '{title}'\n{possible}\n\n{_HELP_HINT}")
    values = [value]
    while many and rest and (rest[0] == "-" or not rest[0].startswith("-")):
        values.append(rest.pop(0))
    return values
