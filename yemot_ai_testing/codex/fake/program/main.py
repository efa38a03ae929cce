"""The fake ``codex``: what runs in its process.

It reads its arguments and its standard input as the real one does, keeps threads as files, refuses a
second writer, and plays what the test process has laid ready, in the words of the real one's recordings.
It must be up in milliseconds, so it imports next to nothing and reads no JSON.

In ``state`` lie: ``steps/<number>-<kind>``, claimed by renaming into ``taken/``; ``replies/<case>``, the
recordings; ``runs/``, what each process was asked; ``gate``, a pipe to wait at; ``bell``, a pipe to ring.
"""

from __future__ import annotations

import marshal
import os
import sys
import time

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
    newest_thread_id,
    read_bytes,
    uuid7,
)

__all__ = ["main"]

_HELP = {"exec": "help", "resume": "help_resume", "review": "help", "fork": "help"}


def main(state: str, argv: list[str]) -> int:
    """Be Codex.

    Args:
        state: the folder that the test process keeps.
        argv: the arguments after the program's name.

    Returns:
        The exit code.
    """
    ensure_stdin()
    process = FakeProcess(state, argv)
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
        # The real one panics when nobody reads what it writes.
        write_text(
            2, "\nthread 'codex-main' panicked\nfailed printing to stdout: Broken pipe (os error 32)\n"
        )
        return 101
    return 0


def _die_of_sigint() -> int:
    """Die of SIGINT, as any program does that has not asked for it."""
    import signal  # noqa: PLC0415 - it imports enum, which takes milliseconds, and only this needs it

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    return 1


def _dispatch(process: FakeProcess, arguments: Arguments) -> None:
    if asked_for := _information_case(arguments):
        _play_recording(process, asked_for)
    if arguments.command in {"exec", "resume"}:
        _run_turn(process, arguments)
    if arguments.command == "app-server":
        _run_app_server(process)
    _write_exec_record(process)
    if arguments.command == "review":
        _play_recording(process, "review")
    write_text(2, "Error: stdin is not a terminal\n")
    raise ProcessExit(1)


def _run_app_server(process: FakeProcess) -> None:
    """Be a server; nothing of one is imported for a single turn."""
    from yemot_ai_testing.codex.fake.program.app_server import run_app_server  # noqa: PLC0415 - it takes milliseconds

    if why := home_problem(os.environ.get("CODEX_HOME", "")):
        write_text(2, why)
        raise ProcessExit(1)
    raise ProcessExit(run_app_server(process))


def _information_case(arguments: Arguments) -> str:
    """The recording that answers a question about the program itself; empty if it is none."""
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
    """Say what stands before everything else on standard error."""
    write_text(2, fill_placeholders(process.recorded_output("before_model")[2], process, {}))


def _play_recording(process: FakeProcess, case: str, **values: str) -> None:
    """Say what a recording says, and end."""
    code, out, err = process.recorded_output(case)
    write_text(2, fill_placeholders(err, process, values))
    write_text(1, fill_placeholders(out, process, values))
    raise ProcessExit(code)


def _exit_with_problem(process: FakeProcess, problem: str) -> None:
    """End, if there is a reason to."""
    if problem:
        process.write_run_record()
        _write_warnings(process)
        write_text(2, problem)
        raise ProcessExit(1)


def _run_turn(process: FakeProcess, arguments: Arguments) -> None:
    if why := home_problem(os.environ.get("CODEX_HOME", "")):
        process.write_run_record()
        write_text(2, why)
        raise ProcessExit(1)
    output = arguments.value("output-last-message") if _opens_output_first(process) else ""
    _exit_with_problem(
        process, argument_problem(arguments.options.get("config", []), arguments.value("cd"), output)
    )
    _check_features(process, arguments)
    folder = arguments.value("cd") or process.run_record["cwd"]
    if not _is_trusted(arguments, str(folder)):
        process.write_run_record()
        _play_recording(process, "untrusted_folder")
    process.run_record["prompt"] = prompt = _prompt_of(process, arguments)
    if not prompt.strip():
        process.write_run_record()
        _play_recording(process, "no_prompt")
    answer_prompt(process, arguments, _open_thread(process, arguments), prompt)


def _is_trusted(arguments: Arguments, folder: str) -> bool:
    """Return whether a turn may run in this folder."""
    return arguments.has("skip-git-repo-check") or in_repository(folder)


def _opens_output_first(process: FakeProcess) -> bool:
    """Whether this version opens the file for the last message before the turn: 0.169 does, 0.163 not."""
    version = process.recorded_output("version")[1].split()[-1].split(".")
    return [int(part) for part in version[:2]] >= [0, 169]


def _check_features(process: FakeProcess, arguments: Arguments) -> None:
    named = arguments.options.get("disable", []) + arguments.options.get("enable", [])
    known = marshal.loads(read_bytes(f"{process.state}/replies/feature_names")) if named else ()  # noqa: S302 - ours
    for name in named:
        if name not in known:
            process.write_run_record()
            _write_warnings(process)
            write_text(2, f"Error: Unknown feature flag: {name}\n")
            raise ProcessExit(1)


def _prompt_of(process: FakeProcess, arguments: Arguments) -> bytes:
    """The prompt, as Codex puts it together; like the real one it waits for an open standard input."""
    resumes = arguments.command == "resume"
    # With --last and two words the first is passed over.
    words = (
        arguments.positionals[1:]
        if resumes and (not arguments.has("last") or arguments.positionals[1:])
        else arguments.positionals
    )
    process.run_record["resumed_thread"] = (
        arguments.positionals[0] if resumes and arguments.positionals and not arguments.has("last") else ""
    )
    if words and words[0] != "-":
        given = os.fsencode(words[0])
        if not _appends_stdin(arguments):
            return given
        _announce_stdin("additional input")
        more = _read_prompt(process)
        return given + b"\n\n<stdin>\n" + more + b"\n</stdin>" if more else given
    if not words:
        _announce_stdin("prompt")
    return _read_prompt(process)


def _appends_stdin(arguments: Arguments) -> bool:
    """Return whether standard input is read although the arguments have a prompt."""
    return arguments.command != "resume" and not os.isatty(0)


def _announce_stdin(what: str) -> None:
    write_text(2, f"Reading {what} from stdin...\n")


def _read_prompt(process: FakeProcess) -> bytes:
    prompt, why = decode_prompt(read_stdin())
    _exit_with_problem(process, why)
    return prompt


def _open_thread(process: FakeProcess, arguments: Arguments) -> ThreadFile:
    """The thread of this turn, or the end, where the real one refuses to open it."""
    if arguments.command != "resume":
        return _start_thread(process, arguments)
    wanted = _resumed_id(process, arguments)
    if not is_uuid(wanted):
        # The real one takes it for a name, knows none such, and silently begins a new thread.
        return _start_thread(process, arguments)
    wanted = wanted.lower()
    scripted = process.claim_step("unknown_session", "busy_session")
    path = find_rollout(process.home, wanted)
    if path and scripted and scripted[0] == "unknown_session":
        os.unlink(path)  # noqa: PTH108 - as above
        path = ""
    if not path:
        process.write_run_record()
        _play_recording(process, "unknown_session", thread_id=wanted, unknown_thread_id=wanted)
    thread = ThreadFile(process.home, wanted, path, resumed=True)
    # Early versions let a second writer in: what was recorded of them is a turn.
    refuses = not process.recorded_output("busy_session")[1]
    if refuses and (scripted or not thread.acquire_lock()):
        process.write_run_record()
        _play_recording(process, "busy_session", thread_id=wanted)
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
    now = time.gmtime()
    folder = f"{process.home}/sessions/{time.strftime('%Y/%m/%d', now)}"
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
    path = f"{folder}/rollout-{time.strftime('%Y-%m-%dT%H-%M-%S', now)}-{thread_id}.jsonl"
    thread = ThreadFile(process.home, thread_id, path, resumed=False)
    thread.acquire_lock()
    cwd = json_string(os.getcwd())  # noqa: PTH109 - as above
    thread.append(f'{{"type":"session_meta","payload":{{"id":"{thread_id}","cwd":{cwd}}}}}')
    return thread


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
