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

from yemot_ai_testing.doubles.fake_codex_argv import Arguments, UsageError, parse
from yemot_ai_testing.doubles.fake_codex_threads import Thread, is_uuid, newest, quoted, read, rollout, uuid7

__all__ = ["main"]

_Told = tuple[int, str, str]
_Step = tuple[float, int, str, str, str, _Told]
_UNSCRIPTED = "unscripted"
_SILENCE: _Told = (0, "", "")
_HELP = {"exec": "help", "resume": "help_resume", "review": "help", "fork": "help"}


class _Ended(Exception):  # noqa: N818 - not an error: the way out of the process
    """The process is over, with this code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class _Process:
    """One run: its arguments, its state folder, and what it notes for the test."""

    __slots__ = ("argv", "home", "note", "state")

    def __init__(self, state: str, argv: list[str]) -> None:
        self.state = state
        self.argv = argv
        self.home = os.environ.get("CODEX_HOME") or f"{os.environ.get('HOME', '')}/.codex"
        self.note: dict[str, object] = {
            "argv": argv,
            "cwd": os.getcwd(),  # noqa: PTH109 - as above
            "env": sorted(os.environ),
            "pid": os.getpid(),
            "prompt": b"",
            "resumes": "",
            "thread": "",
            "asked": False,
            "unscripted": False,
        }

    def reply(self, case: str) -> _Told:
        """A recording: exit code, standard output, standard error."""
        code, out, err = marshal.loads(read(f"{self.state}/replies/{case}"))  # noqa: S302 - our own file
        return code, out, err

    def grammar(self) -> dict[str, dict[str, str | None]] | None:
        """What this version's command line has otherwise; mostly nothing."""
        try:
            found: dict[str, dict[str, str | None]] = marshal.loads(read(f"{self.state}/replies/grammar"))  # noqa: S302 - our own file
        except FileNotFoundError:
            return None
        return found

    def jot(self) -> None:
        """Write down what was asked, in one piece, and ring."""
        name = f"{time.time_ns():020d}-{os.getpid()}"
        draft = f"{self.state}/drafts/{name}"
        with open(draft, "wb") as file:  # noqa: PTH123 - as above
            marshal.dump(self.note, file)
        os.rename(draft, f"{self.state}/runs/{name}")  # noqa: PTH104 - as above
        try:
            bell = os.open(f"{self.state}/bell", os.O_WRONLY | os.O_NONBLOCK)
            os.write(bell, b"!")
            os.close(bell)
        except OSError:
            # Nobody listens, or the pipe is full: the note is written all the same.
            return

    def claim(self, *kinds: str) -> tuple[str, _Step] | None:
        """Take the next step, if it is of one of these kinds (any, if none is named)."""
        for name in sorted(os.listdir(f"{self.state}/steps")):  # noqa: PTH208 - as above
            kind = name.partition("-")[2]
            if kinds and kind not in kinds:
                return None
            taken = f"{self.state}/taken/{name}"
            try:
                os.rename(f"{self.state}/steps/{name}", taken)  # noqa: PTH104 - as above
            except FileNotFoundError:
                continue
            return kind, marshal.loads(read(taken))  # noqa: S302 - our own file
        return None

    def wait_at_gate(self) -> None:
        """Opening a pipe for reading blocks until somebody opens it for writing."""
        try:
            os.close(os.open(f"{self.state}/gate", os.O_RDONLY))
        except FileNotFoundError:
            return


def main(state: str, argv: list[str]) -> int:
    """Be Codex.

    Args:
        state: the folder that the test process keeps.
        argv: the arguments after the program's name.

    Returns:
        The exit code.
    """
    process = _Process(state, argv)
    try:
        _dispatch(process, parse(argv, process.grammar()))
    except UsageError as error:
        _note_run(process)
        _say(2, f"{error}\n")
        return 2
    except _Ended as ended:
        return ended.code
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:
        # The real one panics when nobody reads what it writes.
        return 101
    return 0


def _dispatch(process: _Process, found: Arguments) -> None:
    if asked_for := _information(found):
        _play(process, asked_for)
    if found.command in {"exec", "resume"}:
        _turn(process, found)
    _note_run(process)
    if found.command == "review":
        _play(process, "review")
    _say(2, "Error: stdin is not a terminal\n")
    raise _Ended(1)


def _information(found: Arguments) -> str:
    """The recording that answers a question about the program itself; empty if it is none."""
    if found.command == "features":
        return "features"
    if found.has("version"):
        return "version"
    if found.has("help") or found.command == "help":
        return _HELP.get(found.command, "help_root")
    return ""


def _note_run(process: _Process) -> None:
    if "exec" in process.argv or "e" in process.argv:
        process.jot()


def _play(process: _Process, case: str, **places: str) -> None:
    """Say what a recording says, and end."""
    code, out, err = process.reply(case)
    _say(2, _filled(err, process, places))
    _say(1, _filled(out, process, places))
    raise _Ended(code)


def _turn(process: _Process, found: Arguments) -> None:
    _check_features(process, found)
    folder = found.value("cd") or process.note["cwd"]
    if not found.has("skip-git-repo-check") and not _in_repository(str(folder)):
        process.jot()
        _play(process, "untrusted_folder")
    process.note["prompt"] = prompt = _prompt(process, found)
    if not prompt.strip():
        process.jot()
        _play(process, "no_prompt")
    _converse(process, found, _opened(process, found), prompt)


def _check_features(process: _Process, found: Arguments) -> None:
    named = found.options.get("disable", []) + found.options.get("enable", [])
    known = marshal.loads(read(f"{process.state}/replies/feature_names")) if named else ()  # noqa: S302 - ours
    for name in named:
        if name not in known:
            process.jot()
            _say(2, f"Error: Unknown feature flag: {name}\n")
            raise _Ended(1)


def _in_repository(folder: str) -> bool:
    while not os.path.exists(f"{folder}/.git"):  # noqa: PTH110 - as above
        folder, _, last = folder.rpartition("/")
        if not last:
            return False
    return True


def _prompt(process: _Process, found: Arguments) -> bytes:
    """The prompt, as Codex puts it together; like the real one it waits for an open standard input."""
    resumes = found.command == "resume"
    words = found.words[1:] if resumes and not found.has("last") else found.words
    process.note["resumes"] = found.words[0] if resumes and found.words and not found.has("last") else ""
    if words and words[0] != "-":
        given = os.fsencode(words[0])
        if resumes or os.isatty(0):
            return given
        _say(2, "Reading additional input from stdin...\n")
        more = _stdin()
        return given + b"\n\n<stdin>\n" + more + b"\n</stdin>" if more else given
    if not words:
        _say(2, "Reading prompt from stdin...\n")
    return _stdin()


def _opened(process: _Process, found: Arguments) -> Thread:
    """The thread of this turn, or the end, where the real one refuses to open it."""
    if found.command != "resume":
        return _new_thread(process, found)
    wanted = str(process.note["resumes"]) if not found.has("last") else newest(process.home)
    if not is_uuid(wanted):
        # The real one takes it for a name, knows none such, and silently begins a new thread.
        return _new_thread(process, found)
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


def _new_thread(process: _Process, found: Arguments) -> Thread:
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


def _converse(process: _Process, found: Arguments, thread: Thread, prompt: bytes) -> None:
    shows = found.has("json")
    words = prompt.decode("utf-8", "replace")
    thread.append(f'{{"type":"event_msg","payload":{{"type":"user_message","message":{quoted(words)}}}}}')
    places = {"thread_id": thread.id}
    replayed = process.claim("replay")
    _code, begun, warnings = replayed[1][5] if replayed else process.reply("begun")
    _say(2, _filled(warnings, process, places))
    _say(1, _filled(begun, process, places) if shows else "")
    process.note["asked"] = True
    taken = replayed or process.claim()
    kind, step = taken or (_UNSCRIPTED, (0.0, *process.reply(_UNSCRIPTED), "", _SILENCE))
    process.note["unscripted"] = kind not in {"play", "replay", "hang"}
    process.jot()
    process.wait_at_gate()
    if kind == "hang":
        _hang()
    after, code, out, err, answer, _begun = step
    time.sleep(after)
    places["usage"] = _usage(process, thread.turns + 1)
    _say(2, _filled(err, process, places))
    if answer:
        _remember(thread, found, answer, places["usage"])
    _say(1, _filled(out, process, places) if shows else f"{answer}\n")
    raise _Ended(code)


def _remember(thread: Thread, found: Arguments, answer: str, usage: str) -> None:
    thread.append(
        f'{{"type":"event_msg","payload":{{"type":"agent_message","message":{quoted(answer)}}}}}',
        f'{{"type":"event_msg","payload":{{"type":"token_count","info":{usage}}}}}',
    )
    if found.has("output-last-message"):
        with open(found.value("output-last-message"), "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
            file.write(answer)


def _usage(process: _Process, turns: int) -> str:
    """What the real one counts: the tokens of the whole thread."""
    each = marshal.loads(read(f"{process.state}/replies/usage"))  # noqa: S302 - our own file
    return "{" + ",".join(f'"{name}":{tokens * turns}' for name, tokens in each) + "}"


def _hang() -> None:
    import signal  # noqa: PLC0415 - it imports enum, which takes milliseconds, and only this needs it

    while True:
        signal.pause()


def _filled(text: str, process: _Process, places: dict[str, str]) -> str:
    if "{" not in text:
        return text
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    if "{folder}" in text or "{time}" in text:
        text = text.replace("{folder}/home", process.home).replace("{temporary}", "/tmp")  # noqa: S108 - a word of a warning
        text = text.replace("{time}", time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()))
    return text


def _stdin() -> bytes:
    chunks = []
    while chunk := os.read(0, 1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


def _say(fd: int, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    while data:
        data = data[os.write(fd, data) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
