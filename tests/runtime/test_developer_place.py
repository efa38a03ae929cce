"""The place that is named is the developer's own line, not that of a library below or above it."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

import pytest

import yemot_ai
from yemot_ai._runtime.developer_place import DeveloperPlace, find_developer_place

OWN: Final = str(Path(yemot_ai.__file__).with_name("own.py"))
ENGINE: Final = str(Path(yemot_ai.__file__).parent / "_runtime" / "engine.py")
STANDARD: Final = f"{sysconfig.get_path('stdlib')}/queue.py"
PACKAGES: Final = sysconfig.get_path("purelib")
PIZZA: Final = "/srv/line/pizza.py"


def find_in(*files: str, is_async: bool = False) -> DeveloperPlace | None:
    """Return the place found in the innermost of functions in ``files``, each of which calls the next one."""
    call: Any = lambda: find_developer_place(sys._getframe(1))  # noqa: E731 - the frame of its caller
    for file in reversed(files):
        is_coroutine = is_async and file == PIZZA
        source = "async def order(): return call()" if is_coroutine else "def order(): return call()"
        names: dict[str, Any] = {
            "call": call,
            "__name__": file.removeprefix(f"{PACKAGES}/").replace("/", "."),
        }
        exec(compile(source, file, "exec"), names)  # noqa: S102 - the only way to choose the name of a file
        call = run_coroutine(names["order"]) if is_coroutine else names["order"]
    place: DeveloperPlace | None = call()
    return place


def run_coroutine(function: Any) -> Any:  # noqa: ANN401 - of any file
    """Return what runs a coroutine function that never waits, in the frame of its caller."""

    class Awaited:
        def __call__(self) -> DeveloperPlace | None:
            try:
                function().send(None)
            except StopIteration as stop:
                place: DeveloperPlace | None = stop.value
                return place
            raise AssertionError

    return Awaited()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((OWN, PIZZA), PIZZA),
        ((OWN, PIZZA, STANDARD), PIZZA),
        ((OWN, PIZZA, f"{PACKAGES}/requests/api.py", STANDARD), PIZZA),
        ((OWN, PIZZA, "/home/dina/.local/lib/python3.11/site-packages/requests/api.py"), PIZZA),
        ((OWN, PIZZA, "/usr/lib/python3/dist-packages/requests/api.py"), PIZZA),
        ((OWN, PIZZA, "/srv/line/database.py"), "/srv/line/database.py"),
        ((OWN, f"{PACKAGES}/pizza/line.py", f"{PACKAGES}/requests/api.py"), f"{PACKAGES}/pizza/line.py"),
    ],
    ids=[
        "own code",
        "standard library",
        "package",
        "user's package",
        "system's package",
        "helper",
        "installed",
    ],
)
def test_the_developers_innermost_line_is_the_place(files: tuple[str, ...], expected: str) -> None:
    place = find_in(*files)

    assert place is not None
    assert place.file == expected
    assert place.line == 1


@pytest.mark.parametrize(
    "files",
    [
        (OWN, STANDARD),
        (OWN, f"{PACKAGES}/openai/client.py"),
        (PIZZA, OWN),
        (PIZZA, OWN, STANDARD),
        (OWN, PIZZA, f"{sysconfig.get_path('stdlib')}/bdb.py"),
        (OWN, "<frozen importlib._bootstrap>", f"{PACKAGES}/openai/__init__.py"),
    ],
    ids=["standard library", "dependency", "this package", "a library below it", "debugger", "import"],
)
def test_what_is_not_the_developers_code_is_no_place(files: tuple[str, ...]) -> None:
    assert find_in(*files) is None


@pytest.mark.parametrize(("caller", "may_be_plain"), [(ENGINE, True), (OWN, False)], ids=["handler", "store"])
def test_only_a_function_that_may_run_in_a_thread_is_to_be_a_plain_one(
    caller: str,
    may_be_plain: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    place = find_in(caller, PIZZA, is_async=True)

    assert place is not None
    assert place.in_coroutine
    assert place.may_be_plain is may_be_plain
