"""The wrapper in Node of the documentation gets the same from the fake and from the real Codex."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.docs.test_examples import blocks_of
from tests.docs.test_wrapper_page import PAGES
from tests.foreign.node import program
from tests.support.codex import Codex

QUESTIONS = """
import { ask } from "./ask.mjs";

const first = await ask("When do you open?");
const second = await ask("And on Friday?", first.thread);
const failed = await ask("And now?", first.thread).catch((error) => error.message);
console.log(JSON.stringify([first.text, second.text, second.thread === first.thread, failed]));
"""


@pytest.mark.slow
def test_the_wrapper_answers_resumes_and_fails_alike(codex: Codex, tmp_path: Path) -> None:
    codex.answers("At eight.").answers("At nine.").fails("rate_limited")
    (wrapper,) = (block for block in blocks_of(PAGES[0], "js") if block.notes["file"] == "ask.mjs")
    (tmp_path / "ask.mjs").write_text(wrapper.code, encoding="utf-8")
    (tmp_path / "questions.mjs").write_text(QUESTIONS, encoding="utf-8")
    run = subprocess.run(
        [program("node"), "questions.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    failure = "exceeded retry limit, last status: 429 Too Many Requests"
    assert json.loads(run.stdout) == ["At eight.", "At nine.", True, failure]
    assert [one.prompt for one in codex.requests] == ["When do you open?", "And on Friday?", "And now?"]
    thread = codex.requests[0].thread_id
    assert [one.session for one in codex.requests] == [None, thread, thread]
