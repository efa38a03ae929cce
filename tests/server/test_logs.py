from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai.server.logs import JSONFormatter, LineFormatter, LogOptions, configure_logging
from yemot_ai_testing import ScriptedProvider

KEYS = {"time", "level", "logger", "pid", "message"}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the handler of an application writes at level DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("yemot_ai", "yemot_ai.words", "uvicorn")}
    filters = {name: logging.getLogger(name).filters[:] for name in ("yemot_ai", "uvicorn.error", "asyncio")}
    formatters = [(one, one.formatter) for one in root.handlers]
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for name, before in filters.items():
        logging.getLogger(name).filters[:] = before
    for one, formatter in formatters:
        one.setFormatter(formatter)


def objects(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def call_of_two_requests() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider().answers("סוד התשובה")))
    flow.ai_agent("agent", greeting="שלום")(lambda call, text: None)
    line = Line(flow, "0123456789abcdef")
    line.enter("agent")
    line.send(("ai_1", "סוד השאלה"))


def test_a_request_is_an_object_with_stable_keys(written: io.StringIO) -> None:
    configure_logging(LogOptions("info", "json"))
    call_of_two_requests()

    (request,) = [one for one in objects(written) if one.get("input") == "start"]
    assert request.keys() == KEYS | {"call", "extension", "phone", "input", "response", "milliseconds"}
    assert request["call"] == "0123456789abcdef"
    assert request["phone"] == "…4567"
    assert request["level"] == "INFO"
    assert isinstance(request["milliseconds"], int)


def test_each_record_about_a_call_has_its_whole_id(written: io.StringIO) -> None:
    configure_logging(LogOptions("info", "json"))
    call_of_two_requests()

    assert {one["call"] for one in objects(written)} == {"0123456789abcdef"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_words_are_in_the_log_only_at_level_debug(form: str, written: io.StringIO) -> None:
    configure_logging(LogOptions("info", form))
    call_of_two_requests()
    at_info = written.getvalue()
    configure_logging(LogOptions("debug", form))
    call_of_two_requests()

    words = "סוד" if form == "text" else json.dumps("סוד")[1:-1]
    assert words not in at_info
    assert words in written.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_control_characters_do_not_break_the_lines_of_any_logger(form: str, written: io.StringIO) -> None:
    configure_logging(LogOptions("info", form))
    logging.getLogger("shop").warning("order of %s", "a\nFAKE\x1b[2J\r\x85\u2028b")

    assert len(written.getvalue().splitlines()) == 1
    assert "\x1b" not in written.getvalue()


def test_a_traceback_is_a_field_of_its_object(written: io.StringIO) -> None:
    configure_logging(LogOptions("info", "json"))
    try:
        int("no number")
    except ValueError:
        logging.getLogger("yemot_ai").exception("call c1: the hook raised")

    (record,) = objects(written)
    assert str(record["exception"]).endswith("'no number'")


def test_the_lines_of_several_workers_have_their_process() -> None:
    record = logging.LogRecord("yemot_ai", logging.INFO, "f", 1, "ready", (), None)
    record.process = 7
    formatter = LineFormatter("%(name)s[%(process)d]: %(message)s")

    assert formatter.format(record) == "yemot_ai[7]: ready"
    assert json.loads(JSONFormatter().format(record))["pid"] == 7


def test_the_handlers_of_an_application_keep_their_form_unless_another_is_asked_for(
    written: io.StringIO,
) -> None:
    configure_logging(LogOptions("info"))
    logging.getLogger("yemot_ai").info("plain")
    configure_logging(LogOptions("info", "text"))
    logging.getLogger("yemot_ai").info("with a time")

    plain, timed = written.getvalue().splitlines()
    assert plain == "plain"
    assert timed.endswith(" INFO yemot_ai: with a time")


def test_the_lines_of_uvicorn_are_for_debugging(written: io.StringIO) -> None:
    configure_logging(LogOptions("info"))
    logging.getLogger("uvicorn.error").info("Waiting for application startup.")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    configure_logging(LogOptions("debug"))
    logging.getLogger("uvicorn.error").info("Application startup complete.")

    assert written.getvalue().splitlines() == [
        "Invalid HTTP request received.",
        "Application startup complete.",
    ]
