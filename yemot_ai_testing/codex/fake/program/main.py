"""The main module of the fake ``codex`` executable.

It parses its arguments and its standard input as the real one does, keeps threads as files, refuses a
second writer, and writes the scripted answer in the recorded events of the real one. It must start in
milliseconds, so it imports almost nothing and parses no JSON.

The folder ``state`` has ``steps/<number>-<kind>``, claimed by renaming into ``taken/``; ``replies/<case>``,
the recordings; ``runs/``, a record of each process; ``gate``, a pipe at which processes wait; ``notify``, a
pipe that wakes the test.
"""

from __future__ import annotations

import _thread
import marshal
import os
import sys

from yemot_ai_testing.codex.fake.program.argv import Arguments, UsageError, parse
from yemot_ai_testing.codex.fake.program.checks import (
    argument_problem,
    decode_prompt,
    ensure_stdin,
    home_problem,
    in_repository,
    read_stdin,
)
from yemot_ai_testing.codex.fake.program.output import answer_prompt
from yemot_ai_testing.codex.fake.program.process import (
    FakeProcess,
    ProcessExit,
    fill_placeholders,
    write_text,
)
from yemot_ai_testing.codex.fake.program.threads import (
    ThreadFile,
    find_rollout,
    is_uuid,
    json_string,
    new_rollout_path,
    newest_thread_id,
    read_bytes,
    uuid7,
)

__all__ = ["main"]

_HELP = {"exec": "help", "resume": "help_resume", "review": "help", "fork": "help"}


def main(state: str, argv: list[str], default_home: str = "") -> int:
    """Run the fake Codex.

    Args:
        state: the state folder, shared with the test process.
        argv: the arguments after the program's name.
        default_home: the home without ``CODEX_HOME``; empty: ``~/.codex``.

    Returns:
        The exit code.
    """
    ensure_stdin()
    _end_with_owner(os.path.dirname(state))  # noqa: PTH120 - pathlib takes milliseconds to import
    process = FakeProcess(state, argv, default_home)
    try:
        _dispatch(process, parse(argv, process.grammar_overrides()))
    except UsageError as error:
        _write_exec_record(process)
        _write_warnings(process)
        write_text(2, f"{error}\n")
        return 2
    except ProcessExit as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        return 1 if process.run_record["called_model"] else _die_of_sigint()
    except PermissionError:
        write_text(
            2, "Error: failed to initialize in-process app-server client: Permission denied (os error 13)\n"
        )
        return 1
    except BrokenPipeError:
        # The real one panics when its standard output is closed.
        write_text(
            2, "\nthread 'codex-main' panicked\nfailed printing to stdout: Broken pipe (os error 32)\n"
        )
        return 101
    return 0


def _end_with_owner(folder: str) -> None:
    """End this process when the one that made the fake has ended, even if it was killed.

    A fake that lives until it is removed has no owner.
    """
    try:
        # Opening the pipe does not block; reading it does, until its owner has closed it.
        pipe = os.open(f"{folder}/owner", os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    os.set_blocking(pipe, True)
    _thread.start_new_thread(_wait_for_end, (pipe,))


def _wait_for_end(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(1)


def _die_of_sigint() -> int:
    """End by SIGINT with its default action."""
    import signal  # noqa: PLC0415 - it imports enum, which takes milliseconds, and only this needs it

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    return 1


def _dispatch(process: FakeProcess, arguments: Arguments) -> None:
    if case := _information_case(arguments):
        _replay(process, case)
    if arguments.command in {"exec", "resume"}:
        _run_turn(process, arguments)
    if arguments.command == "app-server":
        _run_app_server(process)
    _write_exec_record(process)
    if arguments.command == "review":
        _replay(process, "review")
    write_text(2, "Error: stdin is not a terminal\n")
    raise ProcessExit(1)


def _run_app_server(process: FakeProcess) -> None:
    """Run as app-server; its modules are imported only here."""
    from yemot_ai_testing.codex.fake.program.app_server import run_app_server  # noqa: PLC0415 - it takes milliseconds

    if problem := home_problem(os.environ.get("CODEX_HOME", "")):
        write_text(2, problem)
        raise ProcessExit(1)
    raise ProcessExit(run_app_server(process))


def _information_case(arguments: Arguments) -> str:
    """Return the recording for ``--help``, ``--version`` or ``features``; empty for other arguments."""
    if arguments.command == "features":
        return "features"
    if arguments.has("version"):
        return "version"
    if arguments.has("help") or arguments.command == "help":
        return _HELP.get(arguments.command, "help_root")
    return ""


def _write_exec_record(process: FakeProcess) -> None:
    if "exec" in process.argv or "e" in process.argv:
        process.write_run_record()


def _write_warnings(process: FakeProcess) -> None:
    """Write the recorded warnings at the start of standard error."""
    write_text(2, fill_placeholders(process.recorded_output("before_model")[2], process, {}))


def _replay(process: FakeProcess, case: str, **values: str) -> None:
    """Write the output of a recording, and raise ``ProcessExit``."""
    code, out, err = process.recorded_output(case)
    write_text(2, fill_placeholders(err, process, values))
    write_text(1, fill_placeholders(out, process, values))
    raise ProcessExit(code)


def _exit_with_problem(process: FakeProcess, problem: str) -> None:
    """Write the problem and raise ``ProcessExit``, if there is one."""
    if problem:
        process.write_run_record()
        _write_warnings(process)
        write_text(2, problem)
        raise ProcessExit(1)


def _run_turn(process: FakeProcess, arguments: Arguments) -> None:
    if problem := home_problem(os.environ.get("CODEX_HOME", "")):
        process.write_run_record()
        write_text(2, problem)
        raise ProcessExit(1)
    output = arguments.value("output-last-message") if _opens_output_first(process) else ""
    _exit_with_problem(
        process, argument_problem(arguments.options.get("config", []), arguments.value("cd"), output)
    )
    _check_features(process, arguments)
    folder = arguments.value("cd") or process.run_record["cwd"]
    if not _is_trusted(arguments, str(folder)):
        process.write_run_record()
        _replay(process, "untrusted_folder")
    process.run_record["prompt"] = prompt = _prompt_of(process, arguments)
    process.run_record["instructions"] = _instructions_of(arguments)
    if not prompt.strip():
        process.write_run_record()
        _replay(process, "no_prompt")
    answer_prompt(process, arguments, _open_thread(process, arguments), prompt)


def _instructions_of(arguments: Arguments) -> str | None:
    """Return the content of the instructions file now: the caller may delete it after the turn."""
    for setting in reversed(arguments.options.get("config", [])):
        name, _, path = setting.partition("=")
        if name.strip() == "model_instructions_file":
            try:
                return read_bytes(path.strip().strip('"')).decode("utf-8", "replace")
            except OSError:
                return None
    return None


def _is_trusted(arguments: Arguments, folder: str) -> bool:
    """Return whether a turn may run in this folder."""
    return arguments.has("skip-git-repo-check") or in_repository(folder)


def _opens_output_first(process: FakeProcess) -> bool:
    """Return whether this version opens the last-message file before the turn: since 0.169 (measured)."""
    version = process.recorded_output("version")[1].split()[-1].split(".")
    return [int(part) for part in version[:2]] >= [0, 169]


def _check_features(process: FakeProcess, arguments: Arguments) -> None:
    names = arguments.options.get("disable", []) + arguments.options.get("enable", [])
    known = marshal.loads(read_bytes(f"{process.state}/replies/feature_names")) if names else ()  # noqa: S302 - ours
    for name in names:
        if name not in known:
            _exit_with_problem(process, f"Error: Unknown feature flag: {name}\n")


def _prompt_of(process: FakeProcess, arguments: Arguments) -> bytes:
    """Return the prompt from arguments and standard input; like the real one, wait until that is closed."""
    resumes = arguments.command == "resume"
    # With --last and two words the first is ignored.
    words = (
        arguments.positionals[1:]
        if resumes and (not arguments.has("last") or arguments.positionals[1:])
        else arguments.positionals
    )
    process.run_record["resumed_thread"] = (
        arguments.positionals[0] if resumes and arguments.positionals and not arguments.has("last") else ""
    )
    if words and words[0] != "-":
        prompt = os.fsencode(words[0])
        if not _appends_stdin(arguments):
            return prompt
        _announce_stdin("additional input")
        more = _read_prompt(process)
        return prompt + b"\n\n<stdin>\n" + more + b"\n</stdin>" if more else prompt
    if not words:
        _announce_stdin("prompt")
    return _read_prompt(process)


def _appends_stdin(arguments: Arguments) -> bool:
    """Return whether standard input is read although the arguments have a prompt."""
    return arguments.command != "resume" and not os.isatty(0)


def _announce_stdin(what: str) -> None:
    write_text(2, f"Reading {what} from stdin...\n")


def _read_prompt(process: FakeProcess) -> bytes:
    prompt, problem = decode_prompt(read_stdin())
    _exit_with_problem(process, problem)
    return prompt


def _open_thread(process: FakeProcess, arguments: Arguments) -> ThreadFile:
    """Return the thread of this turn; raise ``ProcessExit`` if the real one refuses to open it."""
    if arguments.command != "resume":
        return _start_thread(process, arguments)
    wanted = _resumed_id(process, arguments)
    if not is_uuid(wanted):
        # The real one reads it as an unknown name, and silently starts a new thread.
        return _start_thread(process, arguments)
    wanted = wanted.lower()
    scripted = process.claim_step("unknown_session", "busy_session")
    path = find_rollout(process.home, wanted)
    if path and scripted and scripted[0] == "unknown_session":
        os.unlink(path)  # noqa: PTH108 - as above
        path = ""
    if not path:
        process.write_run_record()
        _replay(process, "unknown_session", thread_id=wanted, unknown_thread_id=wanted)
    thread = ThreadFile(process.home, wanted, path, resumed=True)
    # Early versions do not refuse a second writer: their recording is a completed turn.
    refuses = not process.recorded_output("busy_session")[1]
    if refuses and (scripted or not thread.acquire_lock()):
        process.write_run_record()
        _replay(process, "busy_session", thread_id=wanted)
    process.run_record["thread"] = wanted
    return thread


def _resumed_id(process: FakeProcess, arguments: Arguments) -> str:
    """Return the id given to ``resume``; with ``--last``, that of the thread used last."""
    if arguments.has("last"):
        return newest_thread_id(process.home, "" if arguments.has("all") else str(process.run_record["cwd"]))
    return str(process.run_record["resumed_thread"])


def _start_thread(process: FakeProcess, arguments: Arguments) -> ThreadFile:
    thread_id = uuid7()
    process.run_record["thread"] = thread_id
    if arguments.has("ephemeral"):
        return ThreadFile(process.home, thread_id, "", resumed=False)
    path = new_rollout_path(process.home, thread_id)
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - as above
    thread = ThreadFile(process.home, thread_id, path, resumed=False)
    thread.acquire_lock()
    cwd = json_string(os.getcwd())  # noqa: PTH109 - as above
    thread.append(f'{{"type":"session_meta","payload":{{"id":"{thread_id}","cwd":{cwd}}}}}')
    return thread


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
