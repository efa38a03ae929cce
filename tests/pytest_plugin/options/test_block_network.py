"""``--yemot-block-network``; the remote addresses are of TEST-NET, and nothing is sent to them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

CONNECTS = """
import socket

def test_it():
    with socket.socket() as sock:
        sock.connect(("192.0.2.1", 443))
"""

SWALLOWS = """
import contextlib
import socket

def test_it():
    with contextlib.suppress(OSError), socket.socket() as sock:
        sock.connect(("192.0.2.1", 443))
"""

LEAKING_APP = """
import contextlib
import socket

def app(pairs):
    with contextlib.suppress(OSError):
        socket.create_connection(("192.0.2.1", 443), timeout=0.1)
    return "read=t-ברוכים הבאים=q1,no,voice" if "q1" not in dict(pairs) else "go_to_folder=hangup"
"""

LEAKING_CALL = """
scenarios:
  - name: שיחה
    turns:
      - hears: ברוכים הבאים
"""


def test_a_connection_that_leaves_the_machine_is_refused(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("test_it.py", CONNECTS)
    result = run("--yemot-block-network", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*IsolationError: *refused a connection to 192.0.2.1:443*--yemot-allow=192.0.2.1"]
    )


def test_a_refused_attempt_fails_the_test_even_if_the_error_is_swallowed(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("test_it.py", SWALLOWS)
    result = run("--yemot-block-network", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["test_it.py:5: test_it: refused a connection to 192.0.2.1:443; *--yemot-allow=192.0.2.1"]
    )


def test_the_network_is_not_blocked_in_ordinary_tests_by_default(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        "import sys\ndef test_it():\n    sys.audit('socket.getaddrinfo', 'example.test', 1, 0, 0, 0)",
    )
    run("test_it.py").assert_outcomes(passed=1)
    run("--yemot-block-network", "test_it.py").assert_outcomes(failed=1)
    run("test_it.py").assert_outcomes(passed=1)


def test_the_ini_key_blocks_the_network_in_all_tests(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("test_it.py", SWALLOWS)
    run("-o", "yemot_block_network=true", "test_it.py").assert_outcomes(failed=1)


def test_scenarios_are_isolated_and_a_refusal_names_the_location_of_the_scenario(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("leaky.py", LEAKING_APP)
    write("leaky.call.yaml", LEAKING_CALL)
    result = run("--yemot-scenario=leaky.call.yaml", "--yemot-app=leaky:app")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "leaky.call.yaml:3: שיחה: refused a connection to 192.0.2.1:443; *",
            "1 call · 0 agent turns · 0 outbound connections · 0 real codex · * refused",
        ]
    )


@pytest.mark.slow
def test_the_summary_counts_outbound_connections(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-scenario=shop.call.yaml", "--yemot-app=shop:app")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 call · 0 agent turns · 0 outbound connections · 0 real codex"])


def test_an_option_switches_it_off(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-scenario=shop.call.yaml", "--yemot-app=shop:app", "--no-yemot-block-network")
    result.stdout.fnmatch_lines(["1 call · 0 agent turns"])


@pytest.mark.slow
def test_the_summary_counts_the_refusals_of_workers(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("leaky.py", LEAKING_APP)
    write("leaky.call.yaml", LEAKING_CALL)
    result = run("-p", "xdist", "-n", "2", "--yemot-scenario=leaky.call.yaml", "--yemot-app=leaky:app")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["1 call · 0 agent turns · 0 outbound connections · 0 real codex · * refused"]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "attempt",
    [
        "socket.gethostbyaddr('192.0.2.1')",
        "socket.getfqdn('192.0.2.1')",
        "socket.getnameinfo(('192.0.2.1', 80), 0)",
        "socket.getaddrinfo('api.example.test', 443)",
        "socket.gethostbyname('api.example.test')",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
        "asyncio.run(asyncio.open_connection('192.0.2.1', 443))",
        "subprocess.run(['curl', 'http://192.0.2.1'])",
        "os.system('curl http://192.0.2.1')",
        "os.spawnlp(os.P_WAIT, 'curl', 'curl', 'http://192.0.2.1')",
        "os.posix_spawn(shutil.which('curl'), ['curl'], {})",
        "subprocess.run('curl http://192.0.2.1 | sh', shell=True)",
        "asyncio.run(asyncio.create_subprocess_exec('curl', 'http://192.0.2.1'))",
    ],
)
def test_every_attempt_is_refused(
    project: pytest.Pytester, run: Run, write: Write, attempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    curl = project.path / "bin" / "curl"
    curl.parent.mkdir()
    curl.write_text(f"#!/bin/sh\ntouch {project.path}/was-started\n")
    curl.chmod(0o755)
    monkeypatch.setenv("PATH", str(curl.parent), prepend=":")
    write(
        "test_it.py",
        f"""
        import asyncio, contextlib, os, shutil, socket, subprocess

        def test_it():
            with contextlib.suppress(OSError):
                {attempt}
        """,
    )
    result = run("--yemot-block-network", "-W", "ignore::ResourceWarning", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_it.py:4: test_it: refused *"])
    assert not (project.path / "was-started").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "socket.create_connection(server.getsockname()).close()",
        "socket.create_connection(('localhost', server.getsockname()[1])).close()",
        "socket.create_connection(('0.0.0.0', server.getsockname()[1])).close()",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "[one.close() for one in socket.socketpair()]",
        "socket.gethostbyaddr('127.0.0.1')",
        "socket.getnameinfo(('127.0.0.1', 80), 0)",
        "socket.getaddrinfo('::1', 80)",
        "socket.getfqdn('')",
        "subprocess.run([sys.executable, '-c', ''], check=True)",
        "subprocess.run(['git', '--version'], check=True)",
        "subprocess.run('git --version', shell=True, check=True)",
        "subprocess.run(['nothing-of-this-name'])",
    ],
)
def test_access_to_this_machine_is_allowed(
    project: pytest.Pytester, run: Run, write: Write, statement: str
) -> None:
    write(
        "test_it.py",
        f"""
        import contextlib, socket, subprocess, sys

        def test_it():
            with socket.create_server(("127.0.0.1", 0)) as server, contextlib.suppress(FileNotFoundError):
                {statement}
        """,
    )
    run("--yemot-block-network", "-W", "ignore::ResourceWarning", "test_it.py").assert_outcomes(passed=1)


def test_unix_sockets_are_allowed(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_it.py",
        """
        import socket

        def test_it(tmp_path, monkeypatch):
            monkeypatch.chdir(tmp_path)
            with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
                server.bind("door")
                server.listen()
                client.connect("door")
        """,
    )
    run("--yemot-block-network", "test_it.py").assert_outcomes(passed=1)


def test_an_attempt_in_a_thread_fails_the_test(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_it.py",
        """
        import contextlib, socket, threading

        def leak():
            with contextlib.suppress(OSError), socket.socket() as sock:
                sock.connect(("192.0.2.1", 443))

        def test_it():
            thread = threading.Thread(target=leak)
            thread.start()
            thread.join()
        """,
    )
    result = run("--yemot-block-network", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_it.py:8: test_it: refused a connection to 192.0.2.1:443; *"])


def test_an_attempt_in_a_fork_fails_the_test(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_it.py",
        """
        import os, socket

        def test_it():
            child = os.fork()
            if child == 0:
                try:
                    socket.socket().connect(("192.0.2.1", 443))
                except OSError:
                    os._exit(7)
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        """,
    )
    result = run("--yemot-block-network", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_it.py:4: test_it: refused a connection to 192.0.2.1:443; *"])


def test_a_child_process_has_empty_homes_and_no_network(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "child.py",
        """
        import os, pathlib, urllib.request

        assert not any(pathlib.Path.home().iterdir())
        assert not any(pathlib.Path(os.environ["CODEX_HOME"]).iterdir())
        try:
            urllib.request.urlopen("http://api.example.test/v1", timeout=5)
        except OSError as error:
            assert "403" in str(error), error
        """,
    )
    write(
        "test_it.py",
        """
        import subprocess, sys

        def test_it():
            subprocess.run([sys.executable, "child.py"], check=True)
        """,
    )
    result = run("--yemot-block-network", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["test_it.py:4: test_it: refused a connection to api.example.test:80, through a proxy variable; *"]
    )


@pytest.mark.slow
def test_a_child_process_finds_no_real_codex(
    project: pytest.Pytester, run: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = project.path / "bin" / "codex"
    real.parent.mkdir()
    real.write_text(f"#!/bin/sh\ntouch {project.path}/was-started\n")
    real.chmod(0o755)
    monkeypatch.setenv("PATH", str(real.parent), prepend=":")
    write(
        "test_it.py",
        """
        import subprocess, sys

        CHILD = "import subprocess; subprocess.run(['codex', 'exec', '-'])"

        def test_by_a_child():
            subprocess.run([sys.executable, "-c", CHILD])

        def test_itself():
            subprocess.run(["codex", "exec", "-"])

        def test_by_its_path():
            subprocess.run(["bin/codex", "exec", "-"])

        def test_the_fake_is_allowed(fake_codex):
            fake_codex.answers("שלום")
            subprocess.run(["codex", "exec", "--skip-git-repo-check", "-"], input=b"x", check=True)
        """,
    )
    result = run("--yemot-block-network", "test_it.py")
    result.assert_outcomes(failed=3, passed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py:6: test_by_a_child: refused the program codex (exec -), called by a program *",
            "*refused the program codex*--yemot-codex=real",
        ]
    )
    assert not (project.path / "was-started").exists()


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--yemot-allow={}", "--override-ini=yemot_allow={}"])
def test_hosts_and_programs_are_allowed_by_name(
    project: pytest.Pytester, run: Run, write: Write, option: str
) -> None:
    write(
        "test_it.py",
        """
        import subprocess, sys

        def test_it():
            sys.audit("socket.getaddrinfo", "api.example.test", 443, 0, 0, 0)  # nothing is looked up
            subprocess.run(["true"], check=True)
        """,
    )
    run("--yemot-block-network", "test_it.py").assert_outcomes(failed=1)
    names = ["api.example.test true"] if "ini" in option else ["api.example.test", "true"]
    run("--yemot-block-network", *(option.format(name) for name in names), "test_it.py").assert_outcomes(
        passed=1
    )


def test_allowed_connections_are_counted(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "leaky.py",
        LEAKING_APP.replace("socket.create_connection(('192.0.2.1', 443), timeout=0.1)", "_").replace(
            'socket.create_connection(("192.0.2.1", 443), timeout=0.1)',
            'import sys; sys.audit("socket.connect", socket.socket(), ("192.0.2.1", 443))',
        ),
    )
    write("leaky.call.yaml", LEAKING_CALL)
    run_of = ("--yemot-scenario=leaky.call.yaml", "--yemot-app=leaky:app", "--yemot-allow=192.0.2.1:443")
    result = run(*run_of, "-W", "ignore::ResourceWarning")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 call · 0 agent turns · * outbound connection* · 0 real codex"])
    result.stdout.no_fnmatch_line("* 0 outbound*")


def test_a_refusal_outside_of_tests_fails_the_run(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "conftest.py",
        """
        import contextlib, socket

        def pytest_sessionfinish():
            with contextlib.suppress(OSError), socket.socket() as sock:
                sock.connect(("192.0.2.1", 443))
        """,
    )
    result = run("--yemot-block-network", "test_ordinary.py")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["after test_ordinary.py:1: test_ordinary: refused a connection to 192.0.2.1:443; *"]
    )


def test_the_environment_is_restored_after_the_run(
    project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ)
    run("--yemot-block-network", "test_ordinary.py").assert_outcomes(passed=1)
    assert {**os.environ, "PYTEST_CURRENT_TEST": ""} == {**before, "PYTEST_CURRENT_TEST": ""}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--yemot-guard", "--yemot-guard is now --yemot-block-network"),
        ("--no-yemot-guard", "--no-yemot-guard is now --no-yemot-block-network"),
        ("--override-ini=yemot_guard=true", "the ini key yemot_guard is now yemot_block_network"),
    ],
)
def test_the_former_names_are_errors_with_the_new_name(
    project: pytest.Pytester, run: Run, argument: str, message: str
) -> None:
    result = run(argument, "test_ordinary.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
