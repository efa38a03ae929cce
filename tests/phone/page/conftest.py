from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.support.axe_core import AxeError, axe_script
from tests.support.chromium import NoBrowserError, Window, window
from tests.support.not_run import not_run
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.phone.phone import Phone
from yemot_ai_testing.phone.target import open_phone_target
from yemot_ai_testing.phone.web.serving import serve_phone

ServePhone = Callable[..., tuple[str, Phone]]


@pytest.fixture
def serve(line_module: str, tmp_path: Path) -> Iterator[ServePhone]:
    """Return a function that serves the phone of the test's line; the address, and the phone."""
    with ExitStack() as stack:

        def start(model: PhoneModel | None = None) -> tuple[str, Phone]:
            target = stack.enter_context(open_phone_target(line_module, model))
            phone, urls, over = Phone(target, tmp_path), SimpleQueue[str](), threading.Event()
            threads = stack.enter_context(ThreadPoolExecutor(1))
            serving = threads.submit(serve_phone, phone, on_started=urls.put, is_over=over.is_set)
            stack.callback(serving.result, 20)
            stack.callback(over.set)
            return urls.get(timeout=20), phone

        yield start


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A Chromium. Where none can be started, skip and say so at the end of the run; with CI=true, fail."""
    try:
        with window(tmp_path_factory.mktemp("profile")) as browser_window:
            yield browser_window
    except NoBrowserError as error:
        not_run("the tests of the phone's page", error)


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, which finds what keeps people from using a page."""
    try:
        return axe_script(tmp_path_factory.mktemp("axe"))
    except AxeError as error:
        not_run("the accessibility of the phone's page", error)
