"""Faults to plant in the fake Codex: what is changed in its program, and which cases have to see it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.fake import double as doubles
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.install import detach
from yemot_ai_testing.codex.rules.suite import Suite, suite_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FAULTS", "Fault", "fault_planted", "planted"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake that a fake could make.

    Attributes:
        name: what it does.
        module: the part of the program, without ``fake_codex_``.
        was: the text that is replaced; it stands there once.
        becomes: what stands there then.
        cases: those that see it.
    """

    name: str
    module: str
    was: str
    becomes: str
    cases: tuple[str, ...]


def fault_planted(fake: FakeCodex, module: str, was: str, becomes: str) -> None:
    """Give a fake a program of its own, with the fault in it."""
    folder = fake.executable.parents[1]
    detach(fake.executable, folder)
    path = folder / f"program/yemot_ai_testing/doubles/{module}.py"
    text = Path(doubles.__file__).with_name(path.name).read_text(encoding="utf-8")
    assert text.count(was) == 1, f"{was!r} stands {text.count(was)} times in {path.name}"
    # A source is taken before what is compiled.
    path.write_text(text.replace(was, becomes), encoding="utf-8")


@contextmanager
def planted(fault: Fault) -> Iterator[Suite]:
    """The suite for a fake with the fault."""
    fake = FakeCodex()
    try:
        fault_planted(fake, f"fake_codex_{fault.module}", fault.was, fault.becomes)
        yield suite_of(fake.executable, name=fault.name)
    finally:
        fake.close()


_SAID: Final = '    say(1, filled(out, process, places) if shows else f"'

FAULTS: Final = (
    Fault(
        "accepts --image A resume ID",
        "argv",
        'many = name == "image" and level.greedy and value is None',
        "many = False",
        ("argv-greedy-image", "argv-greedy-image-dash"),
    ),
    Fault(
        "is greedy after resume too",
        "argv",
        "_RESUME_FLAGS, (), 2, greedy=False)",
        "_RESUME_FLAGS, (), 2, greedy=True)",
        ("resume-image",),
    ),
    Fault(
        "accepts unknown options",
        "argv",
        "    if known is None and name not in level.flags:\n",
        "    if known is None and name not in level.flags:\n        return\n",
        ("argv-unknown-option", "argv-unknown-letter", "argv-last-alone"),
    ),
    Fault(
        "lets resume take --sandbox",
        "argv",
        "_RESUME_USAGE, _COMMON_VALUES,",
        "_RESUME_USAGE, _EXEC_VALUES,",
        ("resume-lacks-sandbox", "resume-lacks-cd", "resume-lacks-profile"),
    ),
    Fault(
        "takes `review` for a prompt",
        "argv",
        '("resume", "fork", "review", "help"), 1',
        '("resume", "fork", "help"), 1',
        ("argv-word-review",),
    ),
    Fault(
        "exits 0 on failure",
        "program",
        "    raise Ended(code)\n\n\ndef _remember",
        "    raise Ended(0)\n\n\ndef _remember",
        ("failure-unauthorized", "failure-rate-limited", "failure-cut-stream", "output-plain-failure"),
    ),
    Fault(
        "exits 1 for wrong arguments",
        "program",
        "        return 2\n",
        "        return 1\n",
        ("argv-unknown-option", "argv-two-prompts", "resume-third-word"),
    ),
    Fault(
        "answers an unknown id",
        "program",
        "    if not path:\n",
        "    if not path:\n        return _new_thread(process, found)\n    if not path:\n",
        ("thread-unknown", "thread-foreign", "thread-deleted", "thread-ephemeral"),
    ),
    Fault(
        "refuses an id that is no UUID",
        "program",
        "    if not is_uuid(wanted):\n",
        '    if not is_uuid(wanted):\n        _play(process, "unknown_session")\n',
        ("thread-name", "thread-empty-name", "resume-last-of-none"),
    ),
    Fault(
        "changes the thread's id on resume",
        "program",
        '    places = {"thread_id": thread.id}\n',
        '    places = {"thread_id": uuid7()}\n',
        ("thread-same-id", "resume-image", "failure-first-turn"),
    ),
    Fault(
        "counts the tokens of the turn",
        "program",
        "_usage(process, thread.turns + 1)",
        "_usage(process, 1)",
        ("thread-usage-adds-up", "failure-resumable", "thread-ephemeral-resume"),
    ),
    Fault(
        "counts failed turns",
        "program",
        "    if code == 0 and '\"turn.completed\"' in out:\n",
        "    if True:\n",
        ("failure-resumable", "output-file-of-failure"),
    ),
    Fault(
        "ignores standard input",
        "program",
        "    prompt, why = prompt_of(stdin())\n",
        '    prompt, why = "שלום".encode(), ""\n',
        ("stdin-empty", "stdin-null-dash", "stdin-open-dash", "stdin-besides-prompt"),
    ),
    Fault(
        "does not wait for standard input besides a prompt",
        "program",
        "        if resumes or os.isatty(0):\n",
        "        if True:\n",
        ("stdin-open-prompt", "stdin-besides-prompt"),
    ),
    Fault(
        "waits for ever when standard input is closed",
        "checks",
        "        os.open(os.devnull, os.O_RDONLY)\n",
        "        os.pipe()\n",
        ("stdin-closed-dash", "stdin-closed-prompt"),
    ),
    Fault(
        "waits for standard input when it resumes",
        "program",
        "        if resumes or os.isatty(0):\n",
        "        if os.isatty(0):\n",
        ("stdin-open-prompt-resume", "stdin-besides-prompt-resume"),
    ),
    Fault(
        "loses the second writer's error",
        "program",
        "    if refuses and (scripted or not thread.claim()):\n",
        "    if refuses and scripted:\n",
        ("thread-second-writer", "thread-second-writer-of-new"),
    ),
    Fault(
        "locks the whole home",
        "threads",
        'f"{folder}/{self.id}.lock"',
        'f"{folder}/all.lock"',
        ("thread-others-at-once",),
    ),
    Fault(
        "breaks lines at U+2028",
        "process",
        '    data = text.encode("utf-8", "surrogatepass")\n',
        '    data = text.replace("\\u2028", "\\n").encode("utf-8", "surrogatepass")\n',
        ("events-odd-text", "events-unescaped"),
    ),
    Fault(
        "cuts lines at 64 KiB",
        "process",
        '    data = text.encode("utf-8", "surrogatepass")\n',
        '    data = b"\\n".join(line[:65536] for line in text.encode().split(b"\\n"))\n',
        ("events-long-line",),
    ),
    Fault(
        "writes the answer before it says that the turn has started",
        "program",
        '    say(1, filled(begun, process, places) if shows else "")\n    process.note["asked"] = True\n',
        '    process.note["asked"] = True\n',
        ("events-order", "thread-same-id", "failure-unauthorized"),
    ),
    Fault(
        "completes the turn before the message",
        "program",
        _SAID,
        '    out = "".join(reversed(out.splitlines(keepends=True)))\n' + _SAID,
        ("events-order", "events-two-messages", "failure-error-event"),
    ),
    Fault(
        "puts the reasoning behind the message",
        "program",
        _SAID,
        "    lines = out.split('\\n')\n"
        "    out = '\\n'.join(lines[1:2] + lines[:1] + lines[2:]) if '\"reasoning\"' in lines[0] else out\n"
        + _SAID,
        ("events-reasoning",),
    ),
    Fault(
        "leaves the error event out",
        "program",
        _SAID,
        "    out = '\\n'.join(line for line in out.split('\\n') if '\"type\":\"error\"' not in line)\n"
        + _SAID,
        ("failure-unauthorized", "failure-error-event"),
    ),
    Fault(
        "prints warnings on standard output",
        "program",
        '        say(2, "Reading prompt from stdin...\\n")\n',
        '        say(1, "Reading prompt from stdin...\\n")\n',
        ("events-streams", "argv-no-prompt", "resume-no-prompt"),
    ),
    Fault(
        "ignores the missing --skip-git-repo-check",
        "program",
        '    if not found.has("skip-git-repo-check") and not in_repository(str(folder)):\n',
        "    if False:\n",
        ("home-untrusted", "home-untrusted-resume"),
    ),
    Fault(
        "does not see that it is in a repository",
        "checks",
        "    while not os.path.exists(",
        "    return False\n    while not os.path.exists(",
        ("home-repository", "home-cd-repository"),
    ),
    Fault(
        "exits 0 on SIGTERM",
        "program",
        "    open_stdin()\n",
        "    open_stdin()\n    import signal\n    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))\n",
        ("signal-term-reading", "signal-term-asking", "signal-term-answering"),
    ),
    Fault(
        "survives SIGINT",
        "program",
        "    open_stdin()\n",
        "    open_stdin()\n    import signal\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n",
        ("signal-int-asking",),
    ),
    Fault(
        "ends well when nobody reads it",
        "program",
        "        return 101\n",
        "        return 0\n",
        ("signal-stdout-closed",),
    ),
    Fault(
        "leaves a child behind",
        "program",
        "    open_stdin()\n",
        "    open_stdin()\n"
        "    if not os.fork():\n        os.closerange(0, 3)\n        time.sleep(5)\n        os._exit(0)\n",
        ("signal-leftovers", "signal-term-asking", "signal-kill-asking"),
    ),
    Fault(
        "keeps --ephemeral threads",
        "program",
        '    if found.has("ephemeral"):\n',
        "    if False:\n",
        ("thread-ephemeral",),
    ),
    Fault(
        "takes the thread that began last for the last one",
        "threads",
        "os.stat(path).st_mtime_ns",
        "path",
        ("resume-last",),
    ),
    Fault(
        "makes a home that is missing",
        "checks",
        "    if not home or os.path.isdir(home):",
        '    os.makedirs(home or ".", exist_ok=True)\n    if not home or os.path.isdir(home):',
        ("home-missing",),
    ),
    Fault(
        "writes the last message with a line end",
        "program",
        "                file.write(answer)\n",
        '                file.write(answer + "\\n")\n',
        ("output-file", "output-file-of-none"),
    ),
    Fault(
        "drops white space around a prompt",
        "checks",
        "    text = data.removeprefix(_MARK)\n",
        "    text = data.removeprefix(_MARK).strip()\n",
        ("stdin-white-space",),
    ),
)
