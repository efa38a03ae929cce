"""Write the files of a new project."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.ext_ini import ext_ini, extension_file
from yemot_ai.new.models import MODELS
from yemot_ai.new.names import ProjectName

__all__ = ["EXAMPLE_URL", "write_project"]

EXAMPLE_URL: Final = "https://line.example.com/yemot"
"""In the ``ext.ini`` files until the developer writes theirs."""

EXTENSIONS: Final = ("", "2")
"""Of the flow in the template."""

_SUFFIX: Final = ".tmpl"
"""Of template files, so that no tool takes them for code or settings of this project."""

_SKILL: Final = ".agents/skills/yemot-line/SKILL.md"


def write_project(project: ProjectName, folder: Path, *, model: str = "codex") -> list[Path]:
    """Write the files of a project; return their paths, sorted.

    Args:
        project: its name.
        folder: is created; it may exist if it is empty, or has a new Git repository only.
        model: a key of ``MODELS``.

    Raises:
        ConfigurationError: if there is something in the folder, or it cannot be written.
    """
    contents = dict(_contents(project, model))
    try:
        _check_empty(folder)
        for path, text in contents.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: {error.strerror}") from error
    return sorted(folder / path for path in contents)


def _check_empty(folder: Path) -> None:
    if folder.is_dir() and all(path.name == ".git" for path in folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        raise ConfigurationError(
            f"{folder} exists, and nothing was written: choose another name, or --into another FOLDER"
        )


def _contents(project: ProjectName, model: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each file, from the root of the project, and its text."""
    package = files("yemot_ai")
    values = {
        "name": project.name,
        "module": project.module,
        "model": model,
        "extras": MODELS[model].extras,
        "key_line": MODELS[model].key_line,
        "model_hebrew": MODELS[model].hebrew,
        "model_english": MODELS[model].english,
    }
    for path, text in _templates(package / "new" / "template"):
        name = path.replace("dot_", ".").replace("__module__", project.module).removesuffix(_SUFFIX)
        yield name, Template(text).substitute(values)
    for extension in EXTENSIONS:
        yield f"extensions/{extension_file(extension)}", ext_ini(EXAMPLE_URL)
    yield _SKILL, package.joinpath(*_SKILL.split("/")).read_text(encoding="utf-8")


def _templates(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")
