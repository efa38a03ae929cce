"""Logs of calls that a simulated caller has made, and the scenarios that are made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlencode

from yemot_ai import AIFlow
from yemot_ai.sessions import Turn
from yemot_ai_testing import Caller
from yemot_ai_testing.from_log.conversion import Conversion, convert
from yemot_ai_testing.from_log.scenario import Settings
from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.scenario import PlayTarget, Scenario, loads, play_scenario, render_result

START = 1_796_031_000.0
"""When the logs begin, in Unix seconds."""

Drive = Callable[[Caller], None]


def json_lines(caller: Caller, *, answers: bool = True) -> list[str]:
    """Return the log of a call as JSON lines: the URL, and the response."""
    return [_json_line(exchange, answers=answers) for exchange in caller.exchanges]


def _json_line(exchange: LineExchange, *, answers: bool) -> str:
    entry = {"time": START + exchange.at, "url": f"/yemot?{urlencode(exchange.pairs)}"}
    return json.dumps(entry | ({"answer": exchange.body} if answers else {}), ensure_ascii=False)


def record_lines(caller: Caller, turns: Iterable[tuple[float, Turn]] = ()) -> list[str]:
    """Return the log of a call in the format of ``yemot-ai serve --record``.

    Args:
        caller: the caller.
        turns: the questions to the model, each with when it was answered, on the caller's clock.
    """
    exchanges = [
        {
            "yemot_record": 1,
            "kind": "exchange",
            "at": START + exchange.at,
            "seconds": exchange.seconds,
            "method": "GET",
            "pairs": exchange.pairs,
            "status": 200,
            "response": exchange.body,
        }
        for exchange in caller.exchanges
    ]
    answers = [
        {
            "yemot_record": 1,
            "kind": "turn",
            "at": START + at,
            "seconds": turn.duration,
            "call": caller.call_id,
            "text": turn.text,
            "answer": turn.answer,
            "failure": turn.failure.kind if turn.failure else None,
            "interrupted": turn.interrupted,
        }
        for at, turn in turns
    ]
    return [json.dumps(line, ensure_ascii=False) for line in (*exchanges, *answers)]


def record_of(flow: AIFlow, drive: Drive, phone: str = "0527654321", extension: str = "") -> list[str]:
    """Let a caller make a call, and return its record, with the model's answers."""
    caller = Caller(flow, phone, extension)
    turns: list[tuple[float, Turn]] = []
    flow.ai.on_turn(lambda _, turn: turns.append((caller.schedule.now(), turn)))
    caller.dial()
    drive(caller)
    return record_lines(caller, turns)


def convert_lines(
    folder: Path,
    lines: Iterable[str],
    *,
    words: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> Conversion:
    """Return the calls of a log of ``lines`` as scenario files."""
    path = folder / "calls.log"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return convert([path], settings or Settings(), words=words or {}, limit=100)


def scenarios_of(found: Conversion) -> list[Scenario]:
    """Return the scenarios as they are loaded from their files."""
    return [scenario for file in found.files for scenario in loads(file.text, Path(file.name)).scenarios]


def assert_passes(scenario: Scenario, app: object) -> None:
    """Play a scenario against an application; of a flow its provider is the double."""
    provider = getattr(getattr(app, "ai", None), "provider", None)
    result = play_scenario(scenario, PlayTarget(app, provider, grace=0.2))
    assert result.failure is None, render_result(result)
