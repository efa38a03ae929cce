from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ends = "q1=" in self.path or "hangup=" in self.path
        body = "id_list_message=t-תודה&go_to_folder=hangup" if ends else "read=t-ברוכים הבאים=q1,no,voice"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/yemot"
    server.shutdown()
    thread.join()
    server.server_close()


def test_scenarios_call_a_server(project: pytest.Pytester, run: Run, url: str) -> None:
    run("--yemot-scenario", f"--yemot-url={url}").assert_outcomes(passed=1)


def test_the_url_can_be_in_the_ini_file(project: pytest.Pytester, run: Run, write: Write, url: str) -> None:
    write("pytest.toml", f"[pytest]\nyemot_url = '{url}'\n")
    run("--yemot-scenario").assert_outcomes(passed=1)


@pytest.mark.slow
def test_the_model_of_a_server_cannot_be_scripted(
    project: pytest.Pytester, run: Run, write: Write, url: str
) -> None:
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{says: ב, agent: {answers: ג}}]}]\n")
    result = run("--yemot-scenario=bad.call.yaml", f"--yemot-url={url}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bad.call.yaml:1:31: agent: there is no double behind http*"])


def test_a_remote_server_is_not_called_by_default(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-scenario", "--yemot-url=http://192.0.2.1/yemot")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*is not on this machine*"])


@pytest.mark.parametrize("option", ["--yemot-url=localhost:8000", "-oyemot_url=localhost:8000"])
def test_an_address_without_scheme_is_a_usage_error(project: pytest.Pytester, run: Run, option: str) -> None:
    result = run("--yemot-scenario", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*yemot?url=localhost:8000: write a whole URL, such as http://*"])


def test_two_options_for_the_target_are_a_usage_error(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-scenario", "--yemot-app=shop:app", "--yemot-url=http://127.0.0.1:9")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--yemot-app and --yemot-url each name what is called: leave one out"])
