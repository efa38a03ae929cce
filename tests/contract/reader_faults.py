"""Faults for copies of our provider: what each one is, and which check has to catch it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai.providers import codex as original

if TYPE_CHECKING:
    from tests.contract.reader_checks import Maker

__all__ = ["FAULTS", "Fault", "planted"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: what it does.
        file: the module it is planted in.
        old: what stands there; exactly once.
        new: what stands there afterwards.
        check: the check that has to catch it.
        not_with_fake: why it cannot show with the fake, if it cannot.
    """

    name: str
    file: str
    old: str
    new: str
    check: str
    not_with_fake: str = ""


FAULTS: Final = (
    Fault(
        "takes an error event as fatal",
        "events",
        "self._last_error = writable(message)",
        "self._failure = writable(message)",
        "a_lost_connection_that_comes_back_is_no_failure",
    ),
    Fault(
        "takes the first message",
        "events",
        "self._answer = writable(text)",
        "self._answer = self._answer or writable(text)",
        "the_answer_is_the_last_message",
    ),
    Fault(
        "decodes as latin-1",
        "events",
        "json.loads(line.decode())",
        'json.loads(line.decode("latin-1"))',
        "hebrew_is_read_as_it_was_written",
    ),
    Fault(
        "takes standard error as failure",
        "events",
        "if exit_code != 0 or",
        'if "newer version" in stderr_tail or exit_code != 0 or',
        "what_is_said_on_standard_error_is_no_failure",
    ),
    Fault(
        "reads lines of 64 KiB",
        "process",
        "LINE_LIMIT: Final = 8 * 1024 * 1024",
        "LINE_LIMIT: Final = 64 * 1024",
        "a_long_line_is_read_whole",
    ),
    Fault(
        "loses the rest of a chunk",
        "process",
        "        self._grow(rest)\n",
        "",
        "a_long_line_is_read_whole",
    ),
    Fault(
        "splits lines at U+2028",
        "exec",
        "receive=reader.feed",
        "receive=lambda line: [reader.feed(part.encode()) for part in line.decode().splitlines()]",
        "separators_inside_an_answer_do_not_cut_it",
    ),
    Fault(
        "drops a last line without an end",
        "process",
        "        self._framer.end()\n",
        "",
        "a_last_line_without_an_end_is_read",
    ),
    Fault(
        "falls over an unknown event",
        "events",
        "            case _:\n                pass\n",
        '            case {"type": "turn.started" | "item.started" | "item.updated" | "item.completed"}:\n'
        "                pass\n"
        "            case _:\n"
        '                self._failure = f"unknown event {event}"\n',
        "an_event_of_the_future_is_passed_over",
    ),
    Fault(
        "falls over an unknown item",
        "events",
        '            case {"type": "turn.completed"}:\n',
        '            case {"type": "item.completed", "item": {"type": str(kind)}} if kind != "error":\n'
        '                self._failure = f"unknown item {kind}"\n'
        '            case {"type": "turn.completed"}:\n',
        "an_item_that_is_no_message_is_passed_over",
    ),
    Fault(
        "reports what the whole thread cost",
        "events",
        "after.get(name, 0) - known.get(name, 0)",
        "after.get(name, 0)",
        "a_turn_costs_what_it_added",
    ),
    Fault(
        "does without turn.completed",
        "events",
        "or self._failure is not None or self._usage is None:",
        "or self._failure is not None:\n"
        "            raise self._failed(exit_code, stderr_tail, expected)\n"
        "        self._usage = self._usage or {}\n"
        "        if self._failure:",
        "a_turn_that_was_not_completed_is_a_failure",
    ),
    Fault(
        "looks at no exit code",
        "events",
        "if exit_code != 0 or self._failure",
        "if self._failure",
        "a_process_that_ends_badly_is_a_failure",
    ),
    Fault(
        "takes silence as an answer",
        "events",
        "            raise self._silent(exit_code, stderr_tail)\n",
        '            self._answer = ""\n',
        "a_turn_without_an_answer_is_a_failure",
    ),
    Fault(
        "passes over what is no event",
        "events",
        "            self._malformed = self._malformed or line\n",
        "",
        "what_is_no_event_is_a_failure",
    ),
    Fault(
        "loses the end of standard error",
        "faults",
        "    error.stderr_tail = stderr_tail\n",
        "",
        "a_failure_tells_how_the_process_ended",
    ),
    Fault(
        "loses the exit code",
        "faults",
        "    error.exit_code = exit_code\n",
        "",
        "a_failure_tells_how_the_process_ended",
    ),
    Fault(
        "tries again by itself",
        "exec",
        "                end = await self._run(line, prompt, home, reader, key)\n",
        "                end = await self._run(line, prompt, home, reader, key)\n"
        "                if end.exit_code:\n"
        "                    reader = EventReader()\n"
        "                    end = await self._run(line, prompt, home, reader, key)\n",
        "a_failed_turn_is_asked_once",
    ),
    Fault(
        "has no deadline",
        "exec",
        "asyncio.timeout(self._codex.timeout)",
        "asyncio.timeout(None)",
        "a_turn_ends_at_its_deadline",
    ),
    Fault(
        "never resumes",
        "command",
        'resumed = ["resume", thread_id] if thread_id else []',
        "resumed: list[str] = []",
        "a_further_turn_goes_on_in_the_thread",
    ),
    Fault(
        "ignores which thread answered",
        "events",
        "if expected and self.thread_id and self.thread_id != expected:",
        "if False:",
        "an_answer_in_another_thread_is_no_answer",
    ),
    Fault(
        "resumes what is no thread",
        "exec",
        "if not is_thread_id(thread_id):",
        "if not thread_id:",
        "a_name_that_is_no_thread_is_not_asked_about",
    ),
    Fault(
        "forgets to delete the rollout",
        "home",
        '            *sessions.glob(f"*/*/*/rollout-*-{thread_id}.jsonl"),\n',
        "",
        "nothing_is_left_of_a_session_that_ended",
    ),
    Fault(
        "forgets to delete the databases",
        "home",
        "filter(None, (self.databases(key), self.work(key) if is_key(key) else None))",
        "[self.work(key)]",
        "nothing_is_left_of_a_session_that_ended",
    ),
    Fault(
        "forgets to delete the working folder",
        "home",
        "filter(None, (self.databases(key), self.work(key) if is_key(key) else None))",
        "filter(None, [self.databases(key)])",
        "nothing_is_left_of_a_session_that_ended",
    ),
    Fault(
        "keeps a first turn that failed",
        "exec",
        "                home.forget(reader.thread_id, key)\n",
        "",
        "nothing_is_left_of_a_first_turn_that_failed",
    ),
    Fault(
        "puts the prompt among the arguments",
        "exec",
        "await run(line, stdin=data,",
        'await run([*line[:-1], prompt], stdin=b"",',
        "what_is_said_is_no_argument",
    ),
    Fault(
        "leaves standard input open",
        "process",
        "    pipe.close()\n",
        "",
        "standard_input_is_closed",
    ),
    Fault(
        "ends the leader and not the group",
        "process",
        "os.killpg(group, number)",
        "os.kill(group, number)",
        "nothing_is_left_running_after_a_hang_up",
    ),
    Fault(
        "makes no session for the process",
        "process",
        "start_new_session=True",
        "start_new_session=False",
        "a_process_leads_a_session_of_its_own",
    ),
    Fault(
        "passes the whole environment on",
        "home",
        'return {"LANG": "C.UTF-8", **passed,',
        'return {**os.environ, "LANG": "C.UTF-8", **passed,',
        "the_environment_is_the_minimum",
    ),
    Fault(
        "works in the folder of the server",
        "exec",
        "receive=reader.feed, env=env, cwd=home.work(key)",
        "receive=reader.feed, env=env, cwd=Path.cwd()",
        "it_works_in_an_empty_folder_of_ours",
    ),
    Fault(
        "asks for a repository",
        "command",
        '        "--skip-git-repo-check",\n',
        "",
        "it_needs_no_repository",
    ),
    Fault(
        "lives in the user's own home",
        "home",
        'return cls(root / "home", root, users.absolute() / "auth.json")',
        'return cls(users.absolute(), root, users.absolute() / "auth.json")',
        "the_users_own_home_is_left_alone",
    ),
    Fault(
        "looks for a project",
        "command",
        '    "project_root_markers": "[]",\n    "project_doc_max_bytes": 0,\n',
        "",
        "a_repository_around_our_folder_is_not_looked_at",
        not_with_fake="the fake reads no AGENTS.md",
    ),
    Fault(
        "names no sandbox",
        "command",
        '        "--sandbox",\n        sandbox,\n',
        "",
        "the_sandbox_is_named",
    ),
    Fault(
        "switches no tool off",
        "command",
        "        *_switched_off(known),\n",
        "",
        "no_tool_is_offered",
    ),
    Fault(
        "leaves the models their tools",
        "command",
        '        "model_catalog_json": models,\n',
        "",
        "no_model_brings_tools_along",
        not_with_fake="the fake has no catalogue of models",
    ),
    Fault(
        "does not hand the instructions on",
        "command",
        '        "model_instructions_file": instructions,\n',
        "",
        "instructions_replace_the_prompt_of_codex",
    ),
)


@contextmanager
def planted(fault: Fault, folder: Path) -> Iterator[Maker]:
    """A provider with this fault: the class of a copy of our package.

    Args:
        fault: what to plant.
        folder: where the copy is laid.

    Raises:
        LookupError: what the fault replaces does not stand there exactly once: it is out of date.
    """
    name = "planted_" + re.sub(r"\W+", "_", fault.name)
    package = folder / name
    ours = Path(str(original.__file__)).parent
    shutil.copytree(ours, package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in package.glob("*.py"):
        source = path.read_text(encoding="utf-8").replace(original.__name__, name)
        path.write_text(_spoiled(source, fault) if path.stem == fault.file else source, encoding="utf-8")
    try:
        yield _provider(name, package)
    finally:
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]


def _spoiled(source: str, fault: Fault) -> str:
    found = source.count(fault.old)
    if found != 1:
        raise LookupError(f"{fault.file}.py holds {found} times what the fault {fault.name!r} replaces")
    return source.replace(fault.old, fault.new)


def _provider(name: str, package: Path) -> Maker:
    place = package / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, place, submodule_search_locations=[str(package)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    maker: Maker = module.CodexCLIProvider
    return maker
