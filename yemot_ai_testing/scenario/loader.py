"""``*.call.yaml`` into scenarios: strict, with all mistakes of a file at once.

Every reader takes a node and returns what it means, or notes a mistake and returns ``MISSING``.
"""

from __future__ import annotations

import re
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario import agent, expectations
from yemot_ai_testing.scenario.durations import duration
from yemot_ai_testing.scenario.model import (
    AFTERWARDS,
    VERBS,
    Action,
    Afterwards,
    CallerSpec,
    CallFile,
    Meanwhile,
    Scenario,
    Serve,
    Turn,
)
from yemot_ai_testing.scenario.nodes import MISSING, NULL, STR, Mistakes, composed

if TYPE_CHECKING:
    from collections.abc import Callable

    Readers = dict[str, Callable[[yaml.Node], Any]]

    from yemot_ai_testing.scenario.model import VerbName

__all__ = ["SUFFIX", "load", "loads"]

SUFFIX = ".call.yaml"
KEYS = re.compile(r"[0-9*#]+")


def load(path: Path) -> CallFile:
    """Load a file.

    Raises:
        ScenarioLoadError: all its mistakes.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioLoadError([f"{path}:1:1: cannot be read: {error}"]) from error
    return loads(text, path)


def loads(text: str, path: Path) -> CallFile:
    """Load the text of a file.

    Args:
        text: YAML.
        path: where it stands, for messages.

    Raises:
        ScenarioLoadError: all its mistakes.
    """
    mistakes = Mistakes(path)
    node = composed(text, mistakes)
    if node is None:
        raise ScenarioLoadError([f"{path}:1:1: the file is empty: write `scenarios:` with at least one call"])
    loaded = _File(mistakes, text.splitlines()).read(node)
    mistakes.raise_if_any()
    return loaded


class _File:
    """Reads one file; knows its lines, so that a turn can be shown as it was written."""

    def __init__(self, mistakes: Mistakes, lines: list[str]) -> None:
        self._mistakes = mistakes
        self._lines = lines
        self._names: set[str] = set()

    def read(self, node: yaml.Node) -> CallFile:
        readers: Readers = {
            "name": partial(self._mistakes.text, of="name"),
            "app": self._app,
            "serve": self._serve,
            "caller": self._caller,
            "scenarios": lambda value: value,
        }
        found = self._mistakes.mapping(node, readers, of="a call file")
        path = self._mistakes.path
        name = found.get("name", path.name.removesuffix(SUFFIX))
        if "scenarios" not in found:
            if isinstance(node, yaml.MappingNode):
                self._mistakes.add(node, "a call file needs `scenarios:`, a list of calls")
            return CallFile(path, name, ())
        defaults = {"app": self._called(node, found), "caller": found.get("caller", CallerSpec())}
        items = list(self._mistakes.sequence(found["scenarios"], of="scenarios"))
        if not items and not isinstance(found["scenarios"].value, str):
            self._mistakes.add(found["scenarios"], "scenarios must hold at least one call")
        return CallFile(path, name, tuple(self._scenario(*item, defaults) for item in enumerate(items)))

    def _scenario(self, number: int, node: yaml.Node, defaults: dict[str, Any]) -> Scenario:
        readers = {
            "name": self._name,
            "app": self._app,
            "serve": self._serve,
            "caller": self._caller,
            "turns": self._turns,
            "afterwards": self._afterwards,
        }
        found = self._mistakes.mapping(node, readers, of="a scenario")
        for required in ("name", "turns"):
            if required not in _keys(node):
                self._mistakes.add(node, f"a scenario needs {required!r}")
        return Scenario(
            name=found.get("name", ""),
            place=self._mistakes.place(node),
            turns=found.get("turns", ()),
            app=self._called(node, found) or defaults["app"],
            caller=found.get("caller", defaults["caller"]),
            afterwards=found.get("afterwards"),
            number=number,
        )

    def _name(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a str or MISSING
        name = self._mistakes.text(node, of="a scenario's name")
        if name in self._names:
            self._mistakes.add(node, f"two scenarios are named {name!r}: reports could not tell them apart")
        if name is not MISSING:
            self._names.add(name)
        return name

    def _app(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a str or MISSING
        app = self._mistakes.text(node, of="app")
        if app is not MISSING and not re.fullmatch(r"[\w.]+:[\w.]+", app):
            self._mistakes.add(node, f"app must be module:attribute, such as shop.phone:flow, not {app!r}")
            return MISSING
        return app

    def _serve(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a Serve or MISSING
        if not isinstance(node, yaml.MappingNode):
            command = self._command(node)
            return MISSING if command is MISSING else Serve(command)
        readers: Readers = {
            "command": self._command,
            "path": partial(self._path, of="serve.path"),
            "within": partial(duration, self._mistakes, of="serve.within"),
        }
        found = self._mistakes.mapping(node, readers, of="serve")
        if "command" not in _keys(node):
            self._mistakes.add(node, "serve needs 'command'")
        return Serve(**found) if "command" in found else MISSING

    def _command(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a tuple or MISSING
        """Read a program and its arguments: a list, or a text that is taken apart as a shell would."""
        found = self._mistakes.texts(node, of="serve")
        try:
            parts = found if found is MISSING or node.tag != STR else tuple(shlex.split(found[0]))
        except ValueError as error:
            self._mistakes.add(node, f"serve cannot be taken apart: {error}; write a list")
            return MISSING
        if not parts:
            self._mistakes.add(node, "serve must name a program, such as node server.js")
            return MISSING
        return parts

    def _path(self, node: yaml.Node, *, of: str) -> Any:  # noqa: ANN401 - a str or MISSING
        path = self._mistakes.text(node, of=of)
        if path is not MISSING and not path.startswith("/"):
            self._mistakes.add(node, f"{of} must begin with a slash, such as /yemot, not {path!r}")
            return MISSING
        return path

    def _called(self, node: yaml.Node, found: dict[str, Any]) -> str | Serve | None:
        if {"app", "serve"} <= set(_keys(node)):
            self._mistakes.add(node, "app and serve are two ways to say what is called: leave one out")
        called: str | Serve | None = found.get("serve", found.get("app"))
        return called

    def _caller(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a CallerSpec
        text = self._mistakes.text
        readers = {
            "phone": partial(text, of="caller.phone"),
            "extension": partial(text, of="caller.extension"),
            "method": partial(self._mistakes.choice, words=("GET", "POST"), of="caller.method"),
        }
        return CallerSpec(**self._mistakes.mapping(node, readers, of="caller"))

    def _turns(self, node: yaml.Node) -> tuple[Turn, ...]:
        items = list(self._mistakes.sequence(node, of="turns"))
        if not items and not isinstance(node.value, str):
            self._mistakes.add(node, "turns must hold at least one turn")
        return tuple(self._turn(item, first=index == 0) for index, item in enumerate(items))

    def _turn(self, node: yaml.Node, *, first: bool) -> Turn:
        readers: Readers = {
            **{str(verb): partial(self._verb, verb) for verb in VERBS},
            "hears": partial(expectations.read, self._mistakes),
            "agent": partial(agent.read, self._mistakes),
            "meanwhile": self._meanwhile,
        }
        found = self._mistakes.mapping(node, readers, of="a turn")
        actions = [found[verb] for verb in VERBS if verb in found]
        if len(actions) > 1:
            verbs = " and ".join(action.verb for action in actions)
            self._mistakes.add(node, f"a turn has one verb, not {verbs}: make each a turn of its own")
        if not actions and not first and set(_keys(node)) <= {"hears", "agent", "meanwhile"}:
            self._mistakes.add(
                node,
                f"only the first turn (the greeting) can be without a verb: use one of {', '.join(VERBS)}",
            )
        self._check_company(node, found, actions)
        return Turn(
            place=self._mistakes.place(node),
            source=self._source(node),
            action=actions[0] if actions else None,
            hears=found.get("hears"),
            agent=found.get("agent", ()),
            meanwhile=found.get("meanwhile"),
            hears_line=_keys(node).get("hears"),
        )

    def _check_company(self, node: yaml.Node, found: dict[str, Any], actions: list[Action]) -> None:
        """Refuse what would silently mean nothing beside the turn's verb."""
        if "meanwhile" in found and not actions:
            self._mistakes.add(
                node, "meanwhile needs a verb in its turn: nothing runs before the caller acts"
            )
        if actions and actions[0].verb == "hangs_up" and {"agent", "meanwhile"} & set(found):
            self._mistakes.add(
                node, "nothing is answered to a caller who hangs up: leave out agent and meanwhile"
            )

    def _verb(self, verb: VerbName, node: yaml.Node) -> Any:  # noqa: ANN401 - an Action or MISSING
        if verb in {"silent", "repeats", "hangs_up"}:
            found = self._mistakes.true(node, of=verb)
            return MISSING if found is MISSING else Action(verb)
        if verb == "presses":
            keys = self._pressed(node)
            return MISSING if keys is MISSING else Action(verb, keys)
        text = self._mistakes.text(node, of=verb)
        if text == "":
            self._mistakes.add(node, f"{verb} needs something; for nothing at all write `silent: true`")
            return MISSING
        return MISSING if text is MISSING else Action(verb, text)

    def _pressed(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a str or MISSING
        if node.tag == NULL:
            self._mistakes.add(
                node, 'presses nothing: an unquoted # begins a comment; quote keys, presses: "#"'
            )
            return MISSING
        keys = self._mistakes.text(node, of="presses")
        if keys is MISSING:
            return MISSING
        if not getattr(node, "style", None):
            self._mistakes.add(node, f'keys are texts: quote them, presses: "{keys}"')
            return MISSING
        if not KEYS.fullmatch(keys):
            self._mistakes.add(node, f"a phone has the keys 0-9 * #, not {keys!r}")
            return MISSING
        return keys

    def _meanwhile(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a Meanwhile or MISSING
        readers: Readers = {
            "hangs_up": partial(self._mistakes.true, of="meanwhile.hangs_up"),
            "presses": self._pressed,
            "after": partial(duration, self._mistakes, of="meanwhile.after"),
        }
        found = self._mistakes.mapping(node, readers, of="meanwhile")
        if ("hangs_up" in found) == ("presses" in found):
            if {"hangs_up", "presses"} <= set(_keys(node)) or not {"hangs_up", "presses"} & set(_keys(node)):
                self._mistakes.add(node, "meanwhile needs one of hangs_up, presses")
            return MISSING
        return Meanwhile(found.get("presses"), found.get("after", 0.0))

    def _afterwards(self, node: yaml.Node) -> Afterwards:
        readers: Readers = {
            str(word): partial(self._mistakes.number, of=f"afterwards.{word}") for word in AFTERWARDS
        }
        found = self._mistakes.mapping(node, readers, of="afterwards")
        counts = {word: found[word] for word in AFTERWARDS if word in found}
        return Afterwards(self._mistakes.place(node), counts)

    def _source(self, node: yaml.Node) -> tuple[str, ...]:
        return tuple(self._lines[node.start_mark.line : _last_line(node) + 1])


def _last_line(node: yaml.Node) -> int:
    """Return the line on which ``node`` ends; a block's own end mark stands where the next begins."""
    if isinstance(node.value, str) or not node.value or getattr(node, "flow_style", False):
        mark = node.end_mark
        return int(mark.line - (mark.column == 0 and mark.line > node.start_mark.line))
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _keys(node: yaml.Node) -> dict[str, int]:
    """Return the keys of a mapping and the lines they stand on; of anything else, none."""
    if not isinstance(node.value, list):
        return {}
    keys = [item[0] for item in node.value if isinstance(item, tuple)]
    return {key.value: key.start_mark.line + 1 for key in keys if isinstance(key.value, str)}
