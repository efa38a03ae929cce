"""The fixture ``yemot_tools``, and scenarios with tools in a run of pytest."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]

SHOP = """
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider

def order_status(id: int) -> str:
    '''Return the status of an order.'''
    return f"{id} מוכנה"

def new_flow():
    flow = AIFlow(YemotAI(provider=ScriptedProvider(), tools=[order_status]))

    @flow.ai_agent("", greeting="שלום")
    def agent(call, text): ...

    return flow

flow = new_flow()
"""

CALLS = """
app: tool_shop:new_flow
scenarios:
  - name: מצב הזמנה
    tool: {order_status: {returns: בדרך}}
    turns:
      - says: מה עם הזמנה שבע
        agent: {calls: order_status, with: {id: 7}, then: {answers: בדרך}}
        hears: מוכנה
"""


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.path.joinpath("tool_shop.py").write_text(SHOP, encoding="utf-8")
    monkeypatch.syspath_prepend(pytester.path)
    return pytester


def write(shop: pytest.Pytester, body: str) -> None:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    head = "import pytest\nfrom tool_shop import flow\n\n@pytest.mark.yemot(app=flow)\n"
    script = "flow.ai.provider.calls('order_status', {'id': 7})"
    test = f"def test_it(yemot_caller, yemot_tools):\n    {script}\n{lines}"
    shop.path.joinpath("test_it.py").write_text(head + test, encoding="utf-8")


def test_the_calls_of_a_caller_are_listed(shop: pytest.Pytester, run: Run) -> None:
    write(
        shop,
        """
flow.ai.provider.answers("מוכנה")
yemot_caller.dial()
yemot_caller.says("מה עם הזמנה שבע")
assert [(run.name, run.arguments, run.result, run.times) for run in yemot_tools] == [
    ("order_status", {"id": 7}, "7 מוכנה", 1)
]
assert yemot_tools.calls[0].call_id == yemot_caller.call_id
assert len(yemot_tools) == 1
""",
    )
    run("test_it.py").assert_outcomes(passed=1)


def test_a_tool_is_replaced_for_one_test(shop: pytest.Pytester, run: Run) -> None:
    write(
        shop,
        """
flow.ai.provider.answers("בדרך").calls("order_status", {"id": 8}).answers("נשלחה")
yemot_tools.replace("order_status", returns={"status": "בדרך"})
yemot_caller.dial()
yemot_caller.says("מה עם הזמנה שבע")

async def status(id):
    return f"{id} נשלחה"

yemot_tools.replace("order_status", function=status)
yemot_caller.says("ומה עם שמונה")
assert [run.result for run in yemot_tools] == ['{"status": "בדרך"}', "8 נשלחה"]

def test_another(yemot_tools):
    flow.ai.provider.calls("order_status", {"id": 9}).answers("מוכנה")
    assert flow.ai.reply("call-2", "ומה עם תשע") == "מוכנה"
    assert [run.result for run in yemot_tools] == ["9 מוכנה"]
""",
    )
    text = shop.path.joinpath("test_it.py").read_text(encoding="utf-8")
    body, another = text.split("    def test_another")
    second = "\n".join(line.removeprefix("    ") for line in f"    def test_another{another}".splitlines())
    shop.path.joinpath("test_it.py").write_text(f"{body}\n{second}\n", encoding="utf-8")
    run("test_it.py").assert_outcomes(passed=2)


def test_a_tool_that_does_not_exist_cannot_be_replaced(shop: pytest.Pytester, run: Run) -> None:
    write(shop, "yemot_tools.replace('order_statu', returns=1)")
    result = run("test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*no tool 'order_statu' (did you mean 'order_status'?); there are order_status"]
    )


def test_a_failed_test_shows_its_tools_in_the_call(shop: pytest.Pytester, run: Run) -> None:
    write(
        shop,
        """
flow.ai.provider.answers("מוכנה")
yemot_caller.dial()
assert yemot_caller.says("מה עם הזמנה שבע") == "נשלחה"
""",
    )
    result = run("test_it.py", "--yemot-html=calls.html")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*caller  “מה עם*", '*tool  order_status({"id": 7}) (0.0 s) → 7 מוכנה', "*line  מוכנה"]
    )
    assert "order_status({&#34;id&#34;: 7})" in shop.path.joinpath("calls.html").read_text(encoding="utf-8")


def test_a_failed_scenario_shows_its_tools(shop: pytest.Pytester, run: Run) -> None:
    shop.path.joinpath("shop.call.yaml").write_text(CALLS, encoding="utf-8")
    result = run("--yemot-scenario")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*tool  order_status({"id": 7}) (0.0 s) → בדרך', "*line  בדרך"])


def test_a_replacement_of_an_unknown_tool_is_one_line(shop: pytest.Pytester, run: Run) -> None:
    text = CALLS.replace("tool: {order_status:", "tool: {order_statu:")
    shop.path.joinpath("shop.call.yaml").write_text(text, encoding="utf-8")
    result = run("--yemot-scenario")
    result.assert_outcomes(failed=1)
    known = "(did you mean 'order_status'?); there are order_status"
    result.stdout.fnmatch_lines([f"shop.call.yaml:5:12: tool: no tool 'order_statu' {known}"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (
            "--yemot-url=http://127.0.0.1:9/",
            [
                "*5:12: tool: order_status runs in a server, where nothing can replace it*",
                "*tools that run in a*",
            ],
        ),
        ("--yemot-serve=true", ["*5:12: tool: order_status runs in a server*", "*tools that run in a*"]),
    ],
)
def test_tools_of_a_server_are_out_of_reach(
    shop: pytest.Pytester, run: Run, target: str, parts: list[str]
) -> None:
    text = f"{CALLS}    afterwards: {{tools: [order_status]}}\n".replace("app: tool_shop:new_flow", "")
    shop.path.joinpath("shop.call.yaml").write_text(text, encoding="utf-8")
    result = run("--yemot-scenario", target)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(parts)


def test_a_masked_summary_has_no_whole_phone_number_of_a_tool(
    shop: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CALLS.replace("returns: בדרך", "returns: {phone: '0521234567'}")
    shop.path.joinpath("shop.call.yaml").write_text(text, encoding="utf-8")
    summary = shop.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    run("--yemot-scenario", "--yemot-github=all").assert_outcomes(failed=1)
    written = summary.read_text(encoding="utf-8")
    assert "order_status" in written
    assert "0521234567" not in written
    assert "…4567" in written
    assert json.dumps({"phone": "…4567"}, ensure_ascii=False) in written


def test_the_wording_of_a_call_with_tools_is_updated(shop: pytest.Pytester, run: Run) -> None:
    path = shop.path / "shop.call.yaml"
    path.write_text(CALLS, encoding="utf-8")
    run("--yemot-scenario", "--yemot-update").assert_outcomes(passed=1)
    assert path.read_text(encoding="utf-8") == CALLS.replace("hears: מוכנה", "hears: בדרך")


def test_other_tools_than_expected_are_not_updated(shop: pytest.Pytester, run: Run) -> None:
    path = shop.path / "shop.call.yaml"
    text = f"{CALLS.replace('hears: מוכנה', 'hears: בדרך')}    afterwards: {{tools: []}}\n"
    path.write_text(text, encoding="utf-8")
    result = run("--yemot-scenario", "--yemot-update")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*tools: order_status({"id": 7}) ran, not none'])
    assert path.read_text(encoding="utf-8") == text
