"""``yemot-ai doctor``: targets of ``goto`` that no handler answers."""

from __future__ import annotations

import pytest

from tests.doctor.conftest import FLOW, WriteModule
from yemot_ai.doctor import Finding, examine

HANDLERS = """
ORDERS = "/orders"

@flow.get("menu")
async def menu(call):
    {code}

@flow.ai_agent("/agent", greeting="שלום")
def agent(call, text): ...

flow.add_route("thanks", lambda call: None)
flow.add_route("menu/1", lambda call: None)
flow.add_route("", lambda call: None)
"""


def gotos(write_module: WriteModule, code: str) -> list[Finding]:
    module = write_module(FLOW + HANDLERS.format(code=code))
    return [finding for finding in examine(module) if finding.check == "goto"]


@pytest.mark.parametrize(
    "code",
    [
        'call.goto("/agent")',
        'call.goto("/agent/")',
        'call.goto("1")',
        'call.goto("..")',
        'call.goto("../thanks")',
        'call.goto(".")',
        'call.goto("/")',
        'call.goto("")',
        'call.goto("hangup")',
        'await call.goto(folder="/thanks")',
        'call.goto("/" + call.read("?"))',
        'call.page.goto("/ajent")',
        'call.goto("https://example.com")',
    ],
)
def test_a_target_with_a_handler_or_one_that_is_not_known_is_in_order(
    write_module: WriteModule, code: str
) -> None:
    assert [finding.level for finding in gotos(write_module, code)] == ["ok"]


@pytest.mark.parametrize(
    ("code", "path", "meant"),
    [
        ('call.goto("/ajent")', "/ajent", "'/agent'"),
        ('call.goto("thanks")', "/menu/thanks", "'/thanks'"),
        ('call.goto("../thank")', "/thank", "'/thanks'"),
        ("call.goto(ORDERS)", "/orders", ""),
        ('await call.goto(folder="/ajent")', "/ajent", "'/agent'"),
        ('[call.goto("/ajent") for _ in "1"]', "/ajent", "'/agent'"),
        ('(lambda: call.goto("thanks"))()', "/menu/thanks", "'/thanks'"),
    ],
)
def test_a_target_without_a_handler_is_a_warning_with_its_place(
    write_module: WriteModule, code: str, path: str, meant: str
) -> None:
    (finding,) = gotos(write_module, code)
    assert finding.level == "warning"
    assert finding.message.startswith("examined_line_0.py:10: goto(")
    assert f"leads to {path}, for which there is no handler" in finding.message
    assert finding.message.partition("did you mean ")[2].partition("?")[0] == meant


def test_a_function_beside_the_handlers_is_searched_for_absolute_targets(write_module: WriteModule) -> None:
    leave = "def leave(call):\n    call.goto('/x')\n    call.goto('x')\n"
    module = write_module(FLOW + HANDLERS.format(code="leave(call)") + leave)
    (finding,) = [finding for finding in examine(module) if finding.check == "goto"]
    assert "leads to /x," in finding.message


def test_a_handler_of_several_extensions_is_looked_at_in_each(write_module: WriteModule) -> None:
    module = write_module(
        f"{FLOW}\n@flow.get('a')\n@flow.get('b')\ndef shared(call):\n    call.goto('1')\n"
        "flow.add_route('a/1', lambda call: None)\n"
    )
    found = [finding.message for finding in examine(module) if finding.check == "goto"]
    assert [message.partition("leads to ")[2].split(",")[0] for message in found] == ["/b/1"]


def test_methods_partials_and_handlers_of_other_modules_are_searched(write_module: WriteModule) -> None:
    other = write_module(
        "class Line:\n    def menu(self, call):\n        call.goto('/ajent')\n"
        "def start(first, call):\n    call.goto('/strat')\n"
    )
    module = write_module(
        f"import functools, {other}\n{FLOW}flow.add_route('agent', {other}.Line().menu)\n"
        f"flow.add_route('start', functools.partial({other}.start, 1))\n"
    )
    found = [finding for finding in examine(module) if finding.check == "goto"]
    assert [finding.message.partition("did you mean ")[2] for finding in found] == ["'/agent'?", "'/start'?"]


def test_handlers_without_a_source_are_left_out(write_module: WriteModule) -> None:
    module = write_module(
        f"{FLOW}space = {{}}\nexec('def menu(call):\\n    call.goto(\"/x\")', space)\n"
        "flow.add_route('', space['menu'])\n"
    )
    (finding,) = [finding for finding in examine(module) if finding.check == "goto"]
    assert finding.level == "ok"
