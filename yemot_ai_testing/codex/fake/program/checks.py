"""What the fake Codex looks at before it asks the model, in the real one's order and words.

Run inside the fake executable, where each import costs a millisecond.
"""

from __future__ import annotations

import os

__all__ = [
    "MAX_PROMPT_LENGTH",
    "argument_problem",
    "decode_prompt",
    "ensure_stdin",
    "home_problem",
    "in_repository",
    "length_problem",
    "read_stdin",
]

MAX_PROMPT_LENGTH = 1_048_576

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def home_problem(home: str) -> str:
    """Why a ``CODEX_HOME`` that is named cannot be one; empty if it can."""
    if not home or os.path.isdir(home):  # noqa: PTH112 - pathlib is too slow to import here
        return ""
    what = "that path is not a directory" if os.path.exists(home) else "that path does not exist"  # noqa: PTH110 - as above
    return f'Error finding codex home: CODEX_HOME points to "{home}", but {what}\n'


def argument_problem(settings: list[str], folder: str, output: str) -> str:
    """Why these arguments cannot be followed; empty if they can.

    Args:
        settings: what ``-c`` was given.
        folder: what ``--cd`` was given.
        output: what ``--output-last-message`` was given, if it is opened before the turn.
    """
    for setting in settings:
        if "=" not in setting:
            return f"Error parsing -c overrides: Invalid override (missing '='): {setting}\n"
    if folder and not os.path.isdir(folder):  # noqa: PTH112 - as above
        return "Error: No such file or directory (os error 2)\n"
    if output and not os.path.isdir(os.path.dirname(output) or "."):  # noqa: PTH112, PTH120 - as above
        return f'Error: Failed to open last message file "{output}": No such file or directory (os error 2)\n'
    return ""


def decode_prompt(data: bytes) -> tuple[bytes, str]:
    """A prompt out of standard input, or why it is none: it has to be UTF-8, or UTF-16 that says so."""
    if data.startswith(_UTF16_BOMS):
        return data.decode("utf-16", "replace").encode("utf-8", "replace"), ""
    text = data.removeprefix(_BOM)
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return b"", (
            "Failed to read prompt from stdin: input is not valid UTF-8 "
            f"(invalid byte at offset {error.start}). "
            "Convert it to UTF-8 and retry (e.g., `iconv -f <ENC> -t UTF-8 prompt.txt`).\n"
        )
    return text, ""


def length_problem(prompt: str) -> str:
    """Why a prompt is too long; empty if it is not."""
    if len(prompt) <= MAX_PROMPT_LENGTH:
        return ""
    told = (
        f'"input_error_code":"input_too_large","max_chars":{MAX_PROMPT_LENGTH},"actual_chars":{len(prompt)}'
    )
    what = f"Input exceeds the maximum length of {MAX_PROMPT_LENGTH} characters."
    return f"Error: turn/start: turn/start failed: {what} (code -32602), data: {{{told}}}\n"


def in_repository(folder: str) -> bool:
    """Whether a folder, or one that it lies in, is a git repository."""
    while not os.path.exists(f"{folder}/.git"):  # noqa: PTH110 - as above
        folder, _, last = folder.rpartition("/")
        if not last:
            return False
    return True


def read_stdin() -> bytes:
    """All of standard input; nothing, where it is closed."""
    chunks = []
    while chunk := os.read(0, 1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


def ensure_stdin() -> None:
    """Put /dev/null where a standard input is missing, as the real one's language does at its start."""
    try:
        os.fstat(0)
    except OSError:
        os.open(os.devnull, os.O_RDONLY)
