"""Which packages the product imports; each test runs its own process."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

SERVES_A_CALL = """
import sys
import yemot_ai
from yemot_ai.reference import flow

parameters = "ApiCallId=c1&ApiPhone=0501234567&ApiDID=0771234567&ApiExtension="
environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": parameters}
print(b"".join(flow.wsgi_app(environ, lambda status, headers: print(status))).decode())
print({name for name in sys.modules if name.partition(".")[0] in {"flask", "werkzeug", "jinja2"}})
"""


@pytest.mark.slow
def test_serving_a_call_imports_nothing_of_flask() -> None:
    served = subprocess.run(
        [sys.executable, "-c", SERVES_A_CALL], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert served[0] == "200 OK"
    assert served[1].startswith("id_list_message=t-ברוכים הבאים&read=")
    assert served[2:] == ["set()"]


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.fixture(scope="module")
def of_yemot_flow() -> set[str]:
    return modules_after("import yemot_flow")


def test_the_package_alone_imports_next_to_nothing() -> None:
    standard = modules_after("import __future__, importlib, collections.abc, typing")

    assert modules_after("import yemot_ai") - standard == {"yemot_ai", "yemot_ai.lazy_names"}


MAX_MODULES = 185
"""Each costs half a millisecond; 300 of them took 130 ms longer than yemot-flow."""

LATER = {
    "email",
    "sqlite3",
    "tomllib",
    "urllib.request",
    "yemot_ai.protocol.normalizer.conversion",
    "yemot_ai.providers.anthropic",
    "yemot_ai.providers.codex",
    "yemot_ai.providers.openai",
    "yemot_ai.providers.refusals.body",
    "yemot_ai.providers.sdk",
    "yemot_ai.server",
    "yemot_ai.sessions.stores.json_file",
    "yemot_ai.sessions.stores.redis",
}
"""What only some applications need, or what a first answer needs."""


def test_a_flow_imports_only_what_it_uses(of_yemot_flow: set[str]) -> None:
    imported = modules_after("from yemot_ai import AIFlow, YemotAI") - of_yemot_flow

    assert imported & LATER == set()
    assert len(imported) <= MAX_MODULES


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_command_answers_without_the_product(argument: str, of_yemot_flow: set[str]) -> None:
    code = f"import sys\nsys.argv = ['yemot-ai', {argument!r}]\nfrom yemot_ai.cli.main import main\n"
    imported = modules_after(f"{code}try: main()\nexcept SystemExit: pass")

    assert "yemot_flow" not in imported
    assert "asyncio" not in imported
    assert {name for name in imported if name.startswith("yemot_ai.")} <= {
        *(f"yemot_ai.cli{name}" for name in ("", ".main")),
        *(name for name in imported if name.startswith("yemot_ai.errors")),
        "yemot_ai.console",
        "yemot_ai.lazy_names",
    }


PACKAGES = ("", ".providers", ".providers.refusals", ".sessions", ".transcription")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_found(package: str) -> None:
    module = importlib.import_module(f"yemot_ai{package}")

    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_the_name_of_a_module(package: str) -> None:
    # ``import package.module`` would put the module in the place of the name.
    module = importlib.import_module(f"yemot_ai{package}")

    assert set(module.__all__) & {found.name for found in pkgutil.iter_modules(module.__path__)} == set()
