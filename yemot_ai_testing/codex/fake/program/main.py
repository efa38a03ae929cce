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
    before_the_prompt,
    home_problem,
    in_repository,
    open_stdin,
    prompt_of,
    stdin,
    too_long,
)
from yemot_ai_testing.codex.fake.program.process import Ended, Process, Told, filled, say
from yemot_ai_testing.codex.fake.program.threads import Thread, is_uuid, newest, quoted, read, rollout, uuid7

__all__ = ["main"]

_UNSCRIPTED = "unscripted"
_SILENCE: Told = (0, "", "")
_HELP = {"exec": "help", "resume": "help_resume", "review": "help", "fork": "help"}


def main(state: str, argv: list[str]) -> int:
    """Be Codex.

    Args:
        state: the folder that the test process keeps.
        argv: the arguments after the program's name.

    Returns:
        The exit code.
    """
    open_stdin()
    process = Process(state, argv)
    try:
        _dispatch(process, parse(argv, process.grammar()))
    except UsageError as error:
        _note_run(process)
        _warn(process)
        say(2, f"{error}\n")
        return 2
    except Ended as ended:
        return ended.code
    except KeyboardInterrupt:
        return 1 if process.note["asked"] else _interrupted()
    except PermissionError:
        say(2, "Error: failed to initialize in-process app-server client: Permission denied (os error 13)\n")
        return 1
    except BrokenPipeError:
        # The real one panics when nobody reads what it writes.
        say(2, "\nthread 'codex-main' panicked\nfailed printing to stdout: Broken pipe (os error 32)\n")
        return 101
    return 0


def _interrupted() -> int:
    """Die of SIGINT, as any program does that has not asked for it."""
    import signal  # noqa: PLC0415 - it imports enum, which takes milliseconds, and only this needs it

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    return 1


def _dispatch(process: Process, found: Arguments) -> None:
    if asked_for := _information(found):
        _play(process, asked_for)
    if found.command in {"exec", "resume"}:
        _turn(process, found)
    if found.command == "app-server":
        _serve(process)
    _note_run(process)
    if found.command == "review":
        _play(process, "review")
    say(2, "Error: stdin is not a terminal\n")
    raise Ended(1)


def _serve(process: Process) -> None:
    """Be a server; nothing of one is imported for a single turn."""
    from yemot_ai_testing.codex.fake.program.app_server import serve  # noqa: PLC0415 - it takes milliseconds

    if why := home_problem(os.environ.get("CODEX_HOME", "")):
        say(2, why)
        raise Ended(1)
    raise Ended(serve(process))


def _information(found: Arguments) -> str:
    """The recording that answers a question about the program itself; empty if it is none."""
    if found.command == "features":
        return "features"
    if found.has("version"):
        return "version"
    if found.has("help") or found.command == "help":
        return _HELP.get(found.command, "help_root")
    return ""


def _note_run(process: Process) -> None:
    if "exec" in process.argv or "e" in process.argv:
        process.jot()


def _warn(process: Process) -> None:
    """Say what stands before everything else on standard error."""
    say(2, filled(process.reply("begun")[2], process, {}))


def _play(process: Process, case: str, **places: str) -> None:
    """Say what a recording says, and end."""
    code, out, err = process.reply(case)
    say(2, filled(err, process, places))
    say(1, filled(out, process, places))
    raise Ended(code)


def _refuse(process: Process, why: str) -> None:
    """End, if there is a reason to."""
    if why:
        process.jot()
        _warn(process)
        say(2, why)
        raise Ended(1)


def _turn(process: Process, found: Arguments) -> None:
    if why := home_problem(os.environ.get("CODEX_HOME", "")):
        process.jot()
        say(2, why)
        raise Ended(1)
    output = found.value("output-last-message") if _opens_output_first(process) else ""
    _refuse(process, before_the_prompt(found.options.get("config", []), found.value("cd"), output))
    _check_features(process, found)
    folder = found.value("cd") or process.note["cwd"]
    if not _is_trusted(found, str(folder)):
        process.jot()
        _play(process, "untrusted_folder")
    process.note["prompt"] = prompt = _prompt(process, found)
    if not prompt.strip():
        process.jot()
        _play(process, "no_prompt")
    _converse(process, found, _opened(process, found), prompt)


def _is_trusted(found: Arguments, folder: str) -> bool:
    """Return whether a turn may run in this folder."""
    return found.has("skip-git-repo-check") or in_repository(folder)


def _opens_output_first(process: Process) -> bool:
    """Whether this version opens the file for the last message before the turn: 0.169 does, 0.163 not."""
    version = process.reply("version")[1].split()[-1].split(".")
    return [int(part) for part in version[:2]] >= [0, 169]


def _check_features(process: Process, found: Arguments) -> None:
    named = found.options.get("disable", []) + found.options.get("enable", [])
    known = marshal.loads(read(f"{process.state}/replies/feature_names")) if named else ()  # noqa: S302 - ours
    for name in named:
        if name not in known:
            process.jot()
            _warn(process)
            say(2, f"Error: Unknown feature flag: {name}\n")
            raise Ended(1)


def _prompt(process: Process, found: Arguments) -> bytes:
    """The prompt, as Codex puts it together; like the real one it waits for an open standard input."""
    resumes = found.command == "resume"
    # With --last and two words the first is passed over.
    words = found.words[1:] if resumes and (not found.has("last") or found.words[1:]) else found.words
    process.note["resumes"] = found.words[0] if resumes and found.words and not found.has("last") else ""
    if words and words[0] != "-":
        given = os.fsencode(words[0])
        if not _appends_stdin(found):
            return given
        _announce_stdin("additional input")
        more = _read_prompt(process)
        return given + b"\n\n<stdin>\n" + more + b"\n</stdin>" if more else given
    if not words:
        _announce_stdin("prompt")
    return _read_prompt(process)


def _appends_stdin(found: Arguments) -> bool:
    """Return whether standard input is read although the arguments have a prompt."""
    return found.command != "resume" and not os.isatty(0)


def _announce_stdin(what: str) -> None:
    say(2, f"Reading {what} from stdin...\n")


def _read_prompt(process: Process) -> bytes:
    prompt, why = prompt_of(stdin())
    _refuse(process, why)
    return prompt


def _opened(process: Process, found: Arguments) -> Thread:
    """The thread of this turn, or the end, where the real one refuses to open it."""
    if found.command != "resume":
        return _new_thread(process, found)
    wanted = _resumed_id(process, found)
    if not is_uuid(wanted):
        # The real one takes it for a name, knows none such, and silently begins a new thread.
        return _new_thread(process, found)
    wanted = wanted.lower()
    scripted = process.claim("unknown_session", "busy_session")
    path = rollout(process.home, wanted)
    if path and scripted and scripted[0] == "unknown_session":
        os.unlink(path)  # noqa: PTH108 - as above
        path = ""
    if not path:
        process.jot()
        _play(process, "unknown_session", thread_id=wanted, unknown_thread_id=wanted)
    thread = Thread(process.home, wanted, path, resumed=True)
    # Early versions let a second writer in: what was recorded of them is a turn.
    refuses = not process.reply("busy_session")[1]
    if refuses and (scripted or not thread.claim()):
        process.jot()
        _play(process, "busy_session", thread_id=wanted)
    process.note["thread"] = wanted
    return thread


def _resumed_id(process: Process, found: Arguments) -> str:
    """Return the id given to ``resume``; with ``--last``, that of the thread used last."""
    if found.has("last"):
        return newest(process.home, "" if found.has("all") else str(process.note["cwd"]))
    return str(process.note["resumes"])


def _new_thread(process: Process, found: Arguments) -> Thread:
    thread_id = uuid7()
    process.note["thread"] = thread_id
    if found.has("ephemeral"):
        return Thread(process.home, thread_id, "", resumed=False)
    now = time.gmtime()
    folder = f"{process.home}/sessions/{time.strftime('%Y/%m/%d', now)}"
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
    path = f"{folder}/rollout-{time.strftime('%Y-%m-%dT%H-%M-%S', now)}-{thread_id}.jsonl"
    thread = Thread(process.home, thread_id, path, resumed=False)
    thread.claim()
    thread.append(f'{{"type":"session_meta","payload":{{"id":"{thread_id}","cwd":{quoted(os.getcwd())}}}}}')  # noqa: PTH109 - as above
    return thread


def _converse(process: Process, found: Arguments, thread: Thread, prompt: bytes) -> None:
    shows = found.has("json")
    closing = ""
    words = prompt.decode("utf-8", "replace")
    thread.append(f'{{"type":"event_msg","payload":{{"type":"user_message","message":{quoted(words)}}}}}')
    places = _placeholders(thread)
    replayed = process.claim("replay")
    _code, begun, warnings = replayed[1][5] if replayed else process.reply("begun")
    if not shows:
        _code, closing, warnings = process.reply("plain_begun")
    say(2, filled(warnings, process, places).replace("{prompt}", words))
    if why := too_long(words):
        say(1, filled(begun, process, places).partition("\n")[0] + "\n" if shows else "")
        process.jot()
        say(2, why)
        raise Ended(1)
    _start_turn(process, filled(begun, process, places) if shows else "")
    taken = replayed or process.claim()
    kind, step = taken or (_UNSCRIPTED, (0.0, *process.reply(_UNSCRIPTED), "", _SILENCE))
    process.note["unscripted"] = kind not in {"play", "replay", "hang"}
    process.jot()
    process.wait_at_gate()
    after, code, out, err, answer, _begun = step
    if kind == "hang":
        say(1, filled(out, process, places) if shows else "")
        _hang()
    time.sleep(after)
    places["usage"] = _usage(process, thread.turns + 1)
    say(2, filled(err, process, places))
    if answer and not shows:
        say(2, closing.replace("{answer}", answer))
    if _is_completed(code, out):
        _remember(thread, found, answer, places["usage"])
    say(1, _output(process, out, places) if shows else f"{answer}\n" if answer else "")
    raise Ended(code)


def _placeholders(thread: Thread) -> dict[str, str]:
    """Return the values of a thread for the placeholders in recordings."""
    return {"thread_id": thread.id}


def _start_turn(process: Process, events: str) -> None:
    """Write the events before the model's answer, and note that the model is asked."""
    say(1, events)
    process.note["asked"] = True


def _is_completed(code: int, events: str) -> bool:
    """Return whether a turn with this exit code and these events succeeded."""
    return code == 0 and '"turn.completed"' in events


def _output(process: Process, events: str, places: dict[str, str]) -> str:
    """Return the recorded events after the model's answer, as those of this turn."""
    return filled(events, process, places)


def _remember(thread: Thread, found: Arguments, answer: str, usage: str) -> None:
    said = f'{{"type":"event_msg","payload":{{"type":"agent_message","message":{quoted(answer)}}}}}'
    counted = f'{{"type":"event_msg","payload":{{"type":"token_count","info":{usage}}}}}'
    thread.append(*[said] * bool(answer), counted)
    if path := found.value("output-last-message"):
        if not answer:
            say(2, f"Warning: no last agent message; wrote empty content to {path}\n")
        _write_last_message(path, answer)


def _write_last_message(path: str, answer: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
            file.write(answer)
    except FileNotFoundError:
        say(2, f'Failed to write last message file "{path}": No such file or directory (os error 2)\n')


def _usage(process: Process, turns: int) -> str:
    """What the real one counts: the tokens of the whole thread."""
    each = marshal.loads(read(f"{process.state}/replies/usage"))  # noqa: S302 - our own file
    return "{" + ",".join(f'"{name}":{tokens * turns}' for name, tokens in each) + "}"


def _hang() -> None:
    import signal  # noqa: PLC0415 - it imports enum, which takes milliseconds, and only this needs it

    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
