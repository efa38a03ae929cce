"""Which packages the product imports; each test runs its own process."""

from __future__ import annotations

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
