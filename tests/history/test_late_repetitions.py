from __future__ import annotations

import pytest

from yemot_ai_testing import Caller
from yemot_ai_testing.history import History, RecordedApp


@pytest.mark.parametrize(("seconds", "sent"), [(50, True), (70, False), (-7_200, False)])
def test_a_request_is_not_repeated_when_no_line_would_wait_so_long(seconds: int, sent: bool) -> None:  # noqa: FBT001 - a parameter of the test
    app = RecordedApp(lambda pairs: f"read=t-{len(pairs)}=said_{len(pairs)},no,voice", History())
    caller = Caller(app, call_id="c1")
    caller.dial()
    app.time_offset += seconds
    caller.says("שלום")

    assert bool(app.resend("c1", back=1)) is sent
    assert app.resend("c1") != ""
