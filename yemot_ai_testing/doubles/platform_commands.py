"""The commands of the platform's API, on files in memory.

Sources: the platform's developer forum, threads "API" and "אפשרויות API" [OFF]; the client ``yemot-api``
0.1.36 [LIB]; programs that report what a real line answered [LIVE]. A parameter or a command that no source
names is refused: whether the platform ignores it is not known [?].
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

__all__ = ["INVALID_TOKEN", "VERSION", "Files", "Refused", "run_command"]

Files = dict[str, bytes]
"""Contents by path from the root of the line: ``1/2/ext.ini``."""

Answer = dict[str, Any] | bytes
Command = Callable[[Files, Mapping[str, str], Sequence[bytes]], Answer]

VERSION: Final = 7
"""``yemotAPIVersion`` [LIVE]."""

INVALID_TOKEN: Final = "IllegalStateException(session token is invalid)"  # noqa: S105 - what the platform says
"""The message to an invalid token, with ``EXCEPTION`` [LIVE]."""

NO_FILE: Final = "file does not exist"
"""The message about a missing file, with ``ERROR`` [LIVE]."""

_UPLOAD: Final = {"path", "convertAudio", "autoNumbering", "tts"}
_PARAMETERS: Final = {
    "DownloadFile": {"path"},
    "GetFile": {"what"},
    "GetTextFile": {"what"},
    "UploadTextFile": {"what", "contents"},
    "UploadFile": _UPLOAD,
}
"""The parameters of each command except ``UpdateExtension``, which takes any setting."""


class Refused(Exception):  # noqa: N818 - an answer of the platform, no fault
    """The platform refuses a command.

    Attributes:
        message: what it says.
        status: its ``responseStatus``.
        code: its ``messageCode``, or None.
    """

    def __init__(self, message: str, *, status: str = "ERROR", code: int | None = None) -> None:
        self.message = message
        self.status = status
        self.code = code
        super().__init__(message)


def run_command(
    files: Files, command: str, parameters: Mapping[str, str], uploads: Sequence[bytes]
) -> tuple[int, bytes]:
    """Run a command and return status and body of the response.

    Args:
        files: the files of the line; the command may change them.
        command: its name.
        parameters: its parameters, without the token.
        uploads: the files that came with the request.

    Raises:
        Refused: the platform refuses.
    """
    run = _COMMANDS.get(command)
    if run is None:
        raise Refused(f"unknown command {command}", status="EXCEPTION")
    known = _PARAMETERS.get(command)
    if known is not None and (unknown := sorted(parameters.keys() - known)):
        raise Refused(f"unknown parameter {', '.join(unknown)}")
    answer = run(files, parameters, uploads)
    if isinstance(answer, bytes):
        return 200, answer
    return 200, json.dumps({"responseStatus": "OK", **answer, "yemotAPIVersion": VERSION}).encode()


def _download_file(files: Files, parameters: Mapping[str, str], _: Sequence[bytes]) -> Answer:
    """Answer with the bytes of a file [OFF]."""
    return files[_path(parameters, "path")]


def _get_file(files: Files, parameters: Mapping[str, str], _: Sequence[bytes]) -> Answer:
    """Answer with what is known of a file, in ``file`` [LIB]."""
    path = _path(parameters, "what")
    return {"file": _described(path, _existing(files, path))}


def _get_text_file(files: Files, parameters: Mapping[str, str], _: Sequence[bytes]) -> Answer:
    """Answer with ``contents`` [LIVE] and ``file`` [LIB]."""
    path = _path(parameters, "what")
    content = _existing(files, path)
    return {"contents": content.decode("utf-8", "replace"), "file": _described(path, content)}


def _upload_text_file(files: Files, parameters: Mapping[str, str], _: Sequence[bytes]) -> Answer:
    """Write ``contents`` over a file [LIVE]."""
    files[_path(parameters, "what")] = parameters.get("contents", "").encode()
    return {}


def _upload_file(files: Files, parameters: Mapping[str, str], uploads: Sequence[bytes]) -> Answer:
    """Write the file of the request; its errors have numbers [OFF].

    Nothing is converted: with ``convertAudio=1`` the answer has the sizes only. ``autoNumbering`` takes the
    next free number of three digits in the folder ``path`` [OFF, its form ?].
    """
    if len(uploads) != 1:
        message = "Only single upload per request" if uploads else "File upload expected"
        raise Refused(message, code=108 if uploads else 107)
    if not parameters.get("path"):
        raise Refused("path is required", code=109)
    path = _path(parameters, "path", code=110)
    if parameters.get("autoNumbering") in {"true", "1"}:
        path = _numbered(files, path, "tts" if parameters.get("tts") == "1" else "wav")
    files[path] = uploads[0]
    size = len(uploads[0])
    converted = {"convertedSize": size, "duration": size / 16_000}
    return {"path": f"ivr/{path}", "size": size} | (
        converted if parameters.get("convertAudio") == "1" else {}
    )


def _update_extension(files: Files, parameters: Mapping[str, str], _: Sequence[bytes]) -> Answer:
    """Write settings into the ``ext.ini`` of the folder ``path``; settings that are not named stay [LIVE].

    The folder is created [LIB]. A value replaces that of its line, and new settings come last [?].
    """
    folder = _path(parameters, "path", may_be_root=True)
    path = f"{folder}/ext.ini".removeprefix("/")
    settings = {name: value for name, value in parameters.items() if name != "path"}
    lines = [
        f"{key}={settings.pop(key)}" if (key := line.partition("=")[0].strip()) in settings else line
        for line in files.get(path, b"").decode("utf-8", "replace").splitlines()
    ]
    lines += [f"{name}={value}" for name, value in settings.items()]
    files[path] = "".join(f"{line}\n" for line in lines).encode()
    return {}


_COMMANDS: Final[Mapping[str, Command]] = {
    "DownloadFile": _download_file,
    "GetFile": _get_file,
    "GetTextFile": _get_text_file,
    "UpdateExtension": _update_extension,
    "UploadFile": _upload_file,
    "UploadTextFile": _upload_text_file,
}


def _path(
    parameters: Mapping[str, str], name: str, *, may_be_root: bool = False, code: int | None = None
) -> str:
    """Return a path from the root; ``ivr2:/1/2``, ``ivr2:1/2``, ``ivr/1/2`` and ``/1/2`` are one [LIB].

    Raises:
        Refused: there is none, or it leaves the line.
    """
    if name not in parameters:
        raise Refused(f"{name} is required", code=code and 109)
    text = parameters[name]
    for prefix in ("ivr2:", "ivr/"):
        text = text.removeprefix(prefix)
    parts = text.strip("/").split("/")
    if (may_be_root and parts == [""]) or not {"", ".", ".."} & set(parts):
        return "/".join(parts)
    raise Refused(f"{name} is invalid", code=code)


def _existing(files: Files, path: str) -> bytes:
    if path not in files:
        raise Refused(NO_FILE)
    return files[path]


def _described(path: str, content: bytes) -> dict[str, Any]:
    """Return the object ``file`` of an answer [LIB]."""
    name = path.rpartition("/")[2]
    kind = "INI" if name.endswith(".ini") else "AUDIO" if name.endswith(".wav") else "TEXT"
    return {
        "exists": True,
        "name": name,
        "fileType": kind,
        "size": len(content),
        "what": f"ivr2:/{path}",
        "path": f"ivr/{path}",
    }


def _numbered(files: Files, folder: str, suffix: str) -> str:
    number = 0
    while any(f"{folder}/{number:03}.{kind}" in files for kind in ("wav", "tts")):
        number += 1
    return f"{folder}/{number:03}.{suffix}"
