"""The checks of the fake Codex before it calls the model, in the order and the wording of the real one.

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
    """Return why ``CODEX_HOME`` cannot be used; empty if it can."""
    if not home or os.path.isdir(home):  # noqa: PTH112 - pathlib is too slow to import here
        return ""
    what = "that path is not a directory" if os.path.exists(home) else "that path does not exist"  # noqa: PTH110 - as above
    return f'Error finding codex home: CODEX_HOME points to "{home}", but {what}\n'


def argument_problem(settings: list[str], folder: str, output: str) -> str:
    """Return why the turn cannot start with these arguments; empty if it can.

    Args:
        settings: the values of ``-c``.
        folder: the value of ``--cd``.
        output: the value of ``--output-last-message``, if that file is opened before the turn.
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
    """Decode a prompt: UTF-8, or UTF-16 with a byte order mark; return it and the problem, if any."""
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
    """Return the problem of a prompt that is too long; empty if it is not."""
    if len(prompt) <= MAX_PROMPT_LENGTH:
        return ""
    data = (
        f'"input_error_code":"input_too_large","max_chars":{MAX_PROMPT_LENGTH},"actual_chars":{len(prompt)}'
    )
    what = f"Input exceeds the maximum length of {MAX_PROMPT_LENGTH} characters."
    return f"Error: turn/start: turn/start failed: {what} (code -32602), data: {{{data}}}\n"


def in_repository(folder: str) -> bool:
    """Return whether a folder or one of its parents is a git repository."""
    while not os.path.exists(f"{folder}/.git"):  # noqa: PTH110 - as above
        folder, _, last = folder.rpartition("/")
        if not last:
            return False
    return True


def read_stdin() -> bytes:
    """Read all of standard input."""
    chunks = []
    while chunk := os.read(0, 1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


def ensure_stdin() -> None:
    """Open /dev/null if standard input is closed, as Rust's runtime does at startup."""
    try:
        os.fstat(0)
    except OSError:
        os.open(os.devnull, os.O_RDONLY)
