"""Faults of the fake Codex as ``codex exec``, and the rules that catch them.

Each fault is a function that replaces the function of the program named by ``replaces``. The names imported
here stay bound to the original functions, so that a replacement can call what it replaces.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Final

from tests.codex.rules.fault import Fault, fault
from yemot_ai_testing.codex.fake.program.argv import (
    Arguments,
    CommandGrammar,
    _grammar_for,
    _parse_option,
    _split_option,
    _takes_many,
)
from yemot_ai_testing.codex.fake.program.checks import (
    decode_prompt,
    ensure_stdin,
    home_problem,
    in_repository,
    read_stdin,
)
from yemot_ai_testing.codex.fake.program.main import (
    _announce_stdin,
    _appends_stdin,
    _is_trusted,
    _open_thread,
    _replay,
    _resumed_id,
    _start_thread,
    main,
)
from yemot_ai_testing.codex.fake.program.output import (
    _claim_retries,
    _is_completed,
    _output,
    _placeholders,
    _start_turn,
    _store_messages,
    _usage,
    _write_last_message,
    answer_prompt,
)
from yemot_ai_testing.codex.fake.program.process import FakeProcess, ProcessExit, encode_text, write_text
from yemot_ai_testing.codex.fake.program.threads import ThreadFile, _by_last_use, find_rollout, is_uuid, uuid7

__all__ = ["FAULTS"]

FAULTS: Final[dict[str, Fault]] = {}


# The command line.


@fault(
    FAULTS,
    "accepts --image A resume ID",
    replaces=_takes_many,
    caught_by=("argv-greedy-image", "argv-greedy-image-dash"),
)
def takes_one_image(grammar: CommandGrammar, name: str, value: str | None) -> bool:
    return False


@fault(FAULTS, "is greedy after resume too", replaces=_grammar_for, caught_by=("resume-image",))
def greedy_resume(command: str) -> CommandGrammar:
    level = _grammar_for(command)
    greedy = level.greedy_image or command == "resume"
    return CommandGrammar(
        level.usage, level.values, level.flags, level.commands, level.max_positionals, greedy_image=greedy
    )


@fault(
    FAULTS,
    "accepts unknown options",
    replaces=_parse_option,
    caught_by=("argv-unknown-option", "argv-unknown-letter", "argv-last-alone"),
)
def ignores_unknown_option(
    arguments: Arguments, grammar: CommandGrammar, word: str, rest: list[str], seen: set[str]
) -> None:
    name, _ = _split_option(word)
    if name in grammar.values or name in grammar.flags:
        _parse_option(arguments, grammar, word, rest, seen)


@fault(
    FAULTS,
    "lets resume take --sandbox",
    replaces=_grammar_for,
    caught_by=("resume-lacks-sandbox", "resume-lacks-cd", "resume-lacks-profile"),
)
def resume_with_values_of_exec(command: str) -> CommandGrammar:
    level = _grammar_for(command)
    values = _grammar_for("exec").values if command == "resume" else level.values
    return CommandGrammar(
        level.usage,
        values,
        level.flags,
        level.commands,
        level.max_positionals,
        greedy_image=level.greedy_image,
    )


@fault(FAULTS, "reads `review` as a prompt", replaces=_grammar_for, caught_by=("argv-word-review",))
def exec_without_review(command: str) -> CommandGrammar:
    level = _grammar_for(command)
    commands = tuple(name for name in level.commands if name != "review")
    return CommandGrammar(
        level.usage,
        level.values,
        level.flags,
        commands,
        level.max_positionals,
        greedy_image=level.greedy_image,
    )


@fault(
    FAULTS,
    "exits 1 for wrong arguments",
    replaces=main,
    caught_by=("argv-unknown-option", "argv-two-prompts", "resume-third-word"),
)
def exits_1_instead_of_2(state: str, argv: list[str], default_home: str = "") -> int:
    code = main(state, argv, default_home)
    return 1 if code == 2 else code


# Threads.


@fault(
    FAULTS,
    "answers an unknown id",
    replaces=_open_thread,
    caught_by=("thread-unknown", "thread-foreign", "thread-deleted", "thread-ephemeral"),
)
def opens_new_thread_for_unknown_id(process: FakeProcess, arguments: Arguments) -> ThreadFile:
    if arguments.command == "resume":
        wanted = _resumed_id(process, arguments)
        if is_uuid(wanted) and not find_rollout(process.home, wanted.lower()):
            return _start_thread(process, arguments)
    return _open_thread(process, arguments)


@fault(
    FAULTS,
    "refuses an id that is no UUID",
    replaces=_start_thread,
    caught_by=("thread-name", "thread-empty-name", "resume-last-of-none"),
)
def refuses_new_thread_on_resume(process: FakeProcess, arguments: Arguments) -> ThreadFile:
    if arguments.command == "resume":
        _replay(process, "unknown_session")
    return _start_thread(process, arguments)


@fault(
    FAULTS,
    "changes the thread's id on resume",
    replaces=_placeholders,
    caught_by=("thread-same-id", "resume-image", "failure-first-turn"),
)
def another_id(thread: ThreadFile) -> dict[str, str]:
    return {"thread_id": uuid7()} if thread.resumed else _placeholders(thread)


@fault(
    FAULTS,
    "counts the tokens of the turn",
    replaces=_usage,
    caught_by=("thread-usage-adds-up", "failure-resumable", "thread-ephemeral-resume"),
)
def usage_of_one_turn(process: FakeProcess, turns: int) -> str:
    return _usage(process, 1)


@fault(
    FAULTS,
    "takes failed turns for completed",
    replaces=_is_completed,
    caught_by=("output-file-of-failure",),
)
def never_failed(code: int, events: str) -> bool:
    return True


@fault(FAULTS, "counts failed turns", replaces=_store_messages, caught_by=("failure-resumable",))
def counts_failed_turns(thread: ThreadFile, messages: tuple[str, ...], usage: str) -> None:
    _store_messages(thread, messages, usage or "{}")


@fault(
    FAULTS,
    "loses the second writer's error",
    replaces=ThreadFile.acquire_lock,
    caught_by=("thread-second-writer", "thread-second-writer-of-new"),
)
def claims_without_a_lock(self: ThreadFile) -> bool:
    return True


@fault(FAULTS, "locks the whole home", replaces=ThreadFile.lock_path, caught_by=("thread-others-at-once",))
def one_lock_for_all(self: ThreadFile) -> str:
    return f"{self.home}/thread-writer-locks/all.lock"


@fault(FAULTS, "keeps --ephemeral threads", replaces=_start_thread, caught_by=("thread-ephemeral",))
def ignores_ephemeral(process: FakeProcess, arguments: Arguments) -> ThreadFile:
    arguments.options.pop("ephemeral", None)
    return _start_thread(process, arguments)


@fault(
    FAULTS,
    "resumes the thread that was started last",
    replaces=_by_last_use,
    caught_by=("resume-last",),
)
def by_beginning(paths: list[str]) -> list[str]:
    # A path contains the time at which the thread started.
    return sorted(paths)


# Standard input.


@fault(
    FAULTS,
    "ignores standard input",
    replaces=read_stdin,
    caught_by=("stdin-empty", "stdin-null-dash", "stdin-open-dash", "stdin-with-prompt"),
)
def fixed_input() -> bytes:
    return "שלום".encode()


@fault(
    FAULTS,
    "does not read standard input with a prompt argument",
    replaces=_appends_stdin,
    caught_by=("stdin-open-prompt", "stdin-with-prompt"),
)
def never_appends_stdin(arguments: Arguments) -> bool:
    return False


@fault(
    FAULTS,
    "hangs when standard input is closed",
    replaces=ensure_stdin,
    caught_by=("stdin-closed-dash", "stdin-closed-prompt"),
)
def opens_a_pipe() -> None:
    try:
        os.fstat(0)
    except OSError:
        os.pipe()


@fault(
    FAULTS,
    "waits for standard input when it resumes",
    replaces=_appends_stdin,
    caught_by=("stdin-open-prompt-resume", "stdin-with-prompt-resume"),
)
def appends_stdin_on_resume(arguments: Arguments) -> bool:
    return not os.isatty(0)


@fault(FAULTS, "drops white space around a prompt", replaces=decode_prompt, caught_by=("stdin-white-space",))
def stripped_prompt(data: bytes) -> tuple[bytes, str]:
    prompt, why = decode_prompt(data)
    return prompt.strip(), why


# Events and other output.


@fault(
    FAULTS,
    "breaks lines at U+2028",
    replaces=encode_text,
    caught_by=("events-odd-text", "events-unescaped"),
)
def broken_at_separators(text: str) -> bytes:
    return encode_text(text.replace("\u2028", "\n"))


@fault(FAULTS, "cuts lines at 64 KiB", replaces=encode_text, caught_by=("events-long-line",))
def cut_at_64_kib(text: str) -> bytes:
    return b"\n".join(line[:65536] for line in encode_text(text).split(b"\n"))


@fault(
    FAULTS,
    "does not write turn.started",
    replaces=_start_turn,
    caught_by=("events-order", "thread-same-id", "failure-unauthorized"),
)
def starts_silently(process: FakeProcess, events: str) -> None:
    process.run_record["called_model"] = True


@fault(
    FAULTS,
    "completes the turn before the message",
    replaces=_output,
    caught_by=("events-order", "events-two-messages", "failure-error-event"),
)
def reversed_events(process: FakeProcess, events: str, values: dict[str, str]) -> str:
    return _output(process, "".join(reversed(events.splitlines(keepends=True))), values)


@fault(FAULTS, "writes the reasoning after the message", replaces=_output, caught_by=("events-reasoning",))
def reasoning_second(process: FakeProcess, events: str, values: dict[str, str]) -> str:
    lines = events.split("\n")
    if '"reasoning"' in lines[0]:
        lines[:2] = reversed(lines[:2])
    return _output(process, "\n".join(lines), values)


@fault(
    FAULTS,
    "omits the error event",
    replaces=_output,
    caught_by=("failure-unauthorized", "failure-error-event"),
)
def without_error_event(process: FakeProcess, events: str, values: dict[str, str]) -> str:
    lines = [line for line in events.split("\n") if '"type":"error"' not in line]
    return _output(process, "\n".join(lines), values)


@fault(FAULTS, "hides a broken stream", replaces=_claim_retries, caught_by=("events-reconnected",))
def hides_retries(process: FakeProcess) -> str:
    _claim_retries(process)
    return ""


@fault(
    FAULTS,
    "leaves the message of a cut answer out",
    replaces=_output,
    caught_by=("failure-cut-length", "failure-cut-content-filter"),
)
def without_partial_message(process: FakeProcess, events: str, values: dict[str, str]) -> str:
    message, _, end = events.partition("\n")
    return _output(process, end if '"turn.failed"' in end and "agent_message" in message else events, values)


@fault(FAULTS, "counts no cut answer", replaces=_store_messages, caught_by=("failure-cut-usage",))
def counts_no_tokens(thread: ThreadFile, messages: tuple[str, ...], usage: str) -> None:
    _store_messages(thread, messages, "")


@fault(
    FAULTS,
    "prints warnings on standard output",
    replaces=_announce_stdin,
    caught_by=("events-streams", "argv-no-prompt", "resume-no-prompt"),
)
def announces_on_stdout(what: str) -> None:
    write_text(1, f"Reading {what} from stdin...\n")


@fault(
    FAULTS,
    "writes the last message with a line end",
    replaces=_write_last_message,
    caught_by=("output-file", "output-file-of-none"),
)
def last_message_with_line_end(path: str, answer: str) -> None:
    _write_last_message(path, f"{answer}\n")


@fault(
    FAULTS,
    "exits 0 on failure",
    replaces=answer_prompt,
    caught_by=(
        "failure-unauthorized",
        "failure-rate-limited",
        "failure-cut-stream",
        "output-plain-failure",
    ),
)
def exits_0(process: FakeProcess, arguments: Arguments, thread: ThreadFile, prompt: bytes) -> None:
    try:
        answer_prompt(process, arguments, thread, prompt)
    except ProcessExit as ended:
        raise ProcessExit(0) from ended


# Folders.


@fault(
    FAULTS,
    "ignores the missing --skip-git-repo-check",
    replaces=_is_trusted,
    caught_by=("home-untrusted", "home-untrusted-resume"),
)
def trusts_every_folder(arguments: Arguments, folder: str) -> bool:
    return True


@fault(
    FAULTS,
    "does not detect a repository",
    replaces=in_repository,
    caught_by=("home-repository", "home-cd-repository"),
)
def never_in_repository(folder: str) -> bool:
    return False


@fault(FAULTS, "creates a missing home", replaces=home_problem, caught_by=("home-missing",))
def makes_home(home: str) -> str:
    os.makedirs(home or ".", exist_ok=True)  # noqa: PTH103 - like the program
    return home_problem(home)


# Signals and processes.


@fault(
    FAULTS,
    "exits 0 on SIGTERM",
    replaces=ensure_stdin,
    caught_by=("signal-term-reading", "signal-term-asking", "signal-term-answering"),
)
def handles_sigterm() -> None:
    ensure_stdin()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))


@fault(FAULTS, "survives SIGINT", replaces=ensure_stdin, caught_by=("signal-int-asking",))
def ignores_sigint() -> None:
    ensure_stdin()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@fault(
    FAULTS, "exits 0 when its standard output is closed", replaces=main, caught_by=("signal-stdout-closed",)
)
def exits_0_on_broken_pipe(state: str, argv: list[str], default_home: str = "") -> int:
    code = main(state, argv, default_home)
    return 0 if code == 101 else code


@fault(
    FAULTS,
    "leaves a child process",
    replaces=ensure_stdin,
    caught_by=("signal-leftovers", "signal-term-asking", "signal-kill-asking"),
)
def leaves_a_child() -> None:
    ensure_stdin()
    if not os.fork():
        os.closerange(0, 3)
        time.sleep(5)
        os._exit(0)
