"""``--yemot-isolation``: the fence of the kernel, in pytest runs of their own processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.support.not_run import not_run
from yemot_ai_testing.isolation.namespace import has_loopback_only, namespace_obstacle

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]
RunProcess = Callable[..., subprocess.CompletedProcess[str]]

KERNEL = "network blocked by the kernel and in Python"
PYTHON = "network blocked in Python only"
REFUSED = "the kernel refuses a network namespace"

AS_ANOTHER_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
WITHOUT_NAMESPACES = (
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
    *("sh", *WITHOUT_RIGHTS),
)

IN_C = """
import ctypes, os, pathlib, socket, struct, sys, time
import _posixsubprocess, _xxsubinterpreters
import pycares

PORT = int(os.environ["OUTSIDE"])
CONNECTS = f"import socket; socket.create_connection(('127.0.0.1', {PORT})).close()"

def by_ctypes():
    libc = ctypes.CDLL(None)
    host = socket.inet_aton("127.0.0.1")
    packed = struct.pack("=H", socket.AF_INET) + struct.pack("!H", PORT) + host + bytes(8)
    handle = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    libc.connect(handle, packed, len(packed))
    os.close(handle)

def by_fork_exec():
    read, write = os.pipe()
    argv, unused = [os.fsencode(sys.executable), b"-c", CONNECTS.encode()], [-1] * 6
    child = _posixsubprocess.fork_exec(
        argv, argv[:1], True, (write,), None, None, *unused, read, write, False, False, -1, None, None, None,
        -1, None, True,
    )
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)

def by_subinterpreter():
    interpreter = _xxsubinterpreters.create()
    try:
        _xxsubinterpreters.run_string(interpreter, CONNECTS)
    except _xxsubinterpreters.RunFailedError:
        pass
    _xxsubinterpreters.destroy(interpreter)

def by_pycares():
    tcp = {"tcp_port": PORT, "flags": pycares.ARES_FLAG_USEVC}
    channel = pycares.Channel(servers=["127.0.0.1"], timeout=1, tries=1, **tcp)
    done = []
    channel.query("example.test.", pycares.QUERY_TYPE_A, callback=lambda result, error: done.append(error))
    deadline = time.monotonic() + 10
    while not done and time.monotonic() < deadline:
        time.sleep(0.01)
    channel.close()

def by_child():
    import subprocess
    subprocess.run([sys.executable, "-c", CONNECTS], stderr=subprocess.DEVNULL)

def test_it():
    globals()[os.environ["ATTEMPT"]]()
"""
ATTEMPTS = ("by_ctypes", "by_fork_exec", "by_subinterpreter", "by_pycares", "by_child")


@pytest.fixture
def outside() -> Iterator[socket.socket]:
    """A server of this machine that was started before the run."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.fixture
def run_process(project: pytest.Pytester, outside: socket.socket) -> RunProcess:
    """Run pytest in another process."""

    def run_pytest(
        *arguments: str, prefix: tuple[str, ...] = (), **env: str
    ) -> subprocess.CompletedProcess[str]:
        plugins = ("-p", "yemot_ai_testing.plugin", "-p", "no:cacheprovider")
        command = [*prefix, sys.executable, "-m", "pytest", *plugins, *arguments]
        port = str(outside.getsockname()[1])
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OUTSIDE": port, **env}
        return subprocess.run(
            command, cwd=project.path, env=environment, capture_output=True, text=True, check=False
        )

    return run_pytest


@pytest.fixture
def namespaces() -> None:
    """Run the test only where this process could enter a network namespace, and is in none."""
    if has_loopback_only():
        not_run("the tests of the fence", OSError("this machine has no network"), installable=False)
    # This process may have threads already; its children begin with one.
    check = (
        "from yemot_ai_testing.isolation.namespace import namespace_obstacle as o; raise SystemExit(o() or 0)"
    )
    tried = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    if tried.returncode:
        not_run("the tests of the fence", OSError(tried.stderr), installable=False)


def was_reached(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def has_line(output: str, line: str) -> bool:
    return any(one.startswith(line) for one in output.splitlines())


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_kernel_holds_what_python_does_not_see(
    attempt: str, namespaces: None, outside: socket.socket, write: Write, run_process: RunProcess
) -> None:
    write("test_it.py", IN_C)
    ran = run_process("--yemot-isolation=namespace", "test_it.py", ATTEMPT=attempt)
    assert ran.returncode == 0, ran.stdout
    assert has_line(ran.stdout, KERNEL)
    assert not was_reached(outside)

    ran = run_process("--no-yemot-block-network", "test_it.py", ATTEMPT=attempt)
    assert ran.returncode == 0, ran.stdout
    assert was_reached(outside)


def test_python_alone_refuses_functions_of_c_and_names_what_it_does_not_see(
    namespaces: None, outside: socket.socket, write: Write, run_process: RunProcess
) -> None:
    write("test_it.py", IN_C)
    ran = run_process("--yemot-isolation=python", "test_it.py", ATTEMPT="by_ctypes")
    assert ran.returncode == 1
    assert "test_it: refused the function connect of C; " in ran.stdout
    assert (
        f"{PYTHON} (as yemot_isolation asks for): it does not see _xxsubinterpreters, pycares" in ran.stdout
    )
    assert not was_reached(outside)


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_the_fence_is_raised_for_isolated_runs_by_default(
    workers: tuple[str, ...], namespaces: None, outside: socket.socket, write: Write, run_process: RunProcess
) -> None:
    write("test_it.py", IN_C)
    ran = run_process("--yemot-block-network", "test_it.py", *workers, ATTEMPT="by_child")
    assert ran.returncode == 0, ran.stdout
    assert has_line(ran.stdout, KERNEL)
    assert not was_reached(outside)


def test_workers_report_what_python_does_not_see(
    namespaces: None, write: Write, run_process: RunProcess
) -> None:
    write("test_it.py", "def test_it():\n    import pycares\n")
    ran = run_process("--yemot-isolation=python", "test_it.py", "-p", "xdist", "-n", "1")
    assert "it does not see pycares, which was imported" in ran.stdout


def test_scenarios_and_the_loopback_work_inside(namespaces: None, run_process: RunProcess) -> None:
    ran = run_process("--yemot-scenario=shop.call.yaml", "--yemot-app=shop:app")
    assert ran.returncode == 0, ran.stdout
    assert has_line(ran.stdout, KERNEL)


MINE = """
import os, pathlib, socket, pytest

def test_the_loopback_works():
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")):
        with socket.create_server((host, 0), family=family) as server:
            socket.create_connection(server.getsockname()).close()

def test_the_user_is_the_same(tmp_path):
    assert (os.getuid(), os.getgid()) == (1000, 1000)
    file = tmp_path / "closed"
    file.touch(mode=0)
    with pytest.raises(PermissionError):
        file.read_text()
"""


def test_a_user_without_rights_has_the_fence_and_no_new_rights(
    namespaces: None, write: Write, run_process: RunProcess
) -> None:
    write("test_it.py", MINE)
    ran = run_process("--yemot-isolation=namespace", "test_it.py", prefix=AS_ANOTHER_USER)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert has_line(ran.stdout, KERNEL)


@pytest.fixture
def without_namespaces(namespaces: None) -> tuple[str, ...]:
    """A command that runs another one where the kernel refuses namespaces."""
    tried = subprocess.run([*WITHOUT_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        not_run("the tests of a refused fence", OSError(tried.stderr), installable=False)
    return WITHOUT_NAMESPACES


def test_the_last_lines_say_that_the_kernel_refuses(
    without_namespaces: tuple[str, ...], run_process: RunProcess
) -> None:
    ran = run_process("--yemot-block-network", "test_ordinary.py", prefix=without_namespaces)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert has_line(ran.stdout, f"{PYTHON} ({REFUSED}: ")
    assert "): it does not see sockets opened in C" in ran.stdout


def test_a_demanded_fence_that_the_kernel_refuses_is_an_error_with_the_way_out(
    without_namespaces: tuple[str, ...], run_process: RunProcess
) -> None:
    ran = run_process("--yemot-isolation=namespace", "test_ordinary.py", prefix=without_namespaces)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert has_line(ran.stderr, f"ERROR: --yemot-isolation=namespace: {REFUSED}: ")
    assert "--yemot-isolation=auto" in ran.stderr
    assert "docker run --network none" in ran.stderr


def test_a_run_in_a_network_without_a_way_out_has_the_fence_already(
    namespaces: None, run_process: RunProcess
) -> None:
    prefix = ("unshare", "--user", "--map-root-user", "--net")
    ran = run_process("--yemot-isolation=python", "test_ordinary.py", prefix=prefix)
    assert has_line(ran.stdout, KERNEL)


REACHES_OUT = """
import os, socket

def test_it():
    socket.create_connection(("127.0.0.1", int(os.environ["OUTSIDE"]))).close()
"""


def test_a_server_that_was_started_before_is_named_with_the_way_out(
    namespaces: None, outside: socket.socket, write: Write, run_process: RunProcess
) -> None:
    write("test_it.py", REACHES_OUT)
    ran = run_process("--yemot-block-network", "test_it.py")
    assert ran.returncode == 1
    assert f"nothing listens at port {outside.getsockname()[1]} in the network of this run" in ran.stdout
    assert "add --yemot-isolation=python" in ran.stdout
    assert run_process("--yemot-isolation=python", "test_it.py").returncode == 0


def test_no_server_is_named_if_a_test_fails_for_another_reason(
    namespaces: None, write: Write, run_process: RunProcess
) -> None:
    write(
        "test_it.py",
        """
        import socket

        def test_it():
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
                assert False
        """,
    )
    ran = run_process("--yemot-block-network", "test_it.py")
    assert ran.returncode == 1
    assert "nothing listens" not in ran.stdout


THREADED = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--yemot-allow=api.example.test",), "api.example.test is allowed"),
        (("--yemot-allow=192.0.2.1:443",), "192.0.2.1:443 is allowed"),
        (("-o", "yemot_allow=api.example.test git"), "api.example.test is allowed"),
        (("-o", "yemot_url=http://127.0.0.1:9"), "it calls http://127.0.0.1:9"),
        (("-p", "threaded"), "the process has 2 threads already"),
        (("-o", "yemot_isolation=python", "--yemot-block-network"), "as yemot_isolation asks for"),
    ],
    ids=["host", "address", "ini", "url", "threads", "python"],
)
def test_the_last_lines_say_why_python_is_alone(
    arguments: tuple[str, ...], reason: str, namespaces: None, write: Write, run_process: RunProcess
) -> None:
    write("threaded.py", THREADED)
    ran = run_process("--yemot-block-network", "test_ordinary.py", *arguments, PYTHONPATH=".")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert has_line(ran.stdout, f"{PYTHON} ({reason}): ")


@pytest.mark.parametrize("allowed", ["git", "/no/program", "127.0.0.1", "localhost:80"])
def test_what_needs_no_network_may_be_allowed_behind_the_fence(
    allowed: str, namespaces: None, run_process: RunProcess
) -> None:
    ran = run_process("--yemot-isolation=namespace", f"--yemot-allow={allowed}", "test_ordinary.py")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_run_inside_of_another_one_raises_no_fence(
    namespaces: None, project: pytest.Pytester, run: Run
) -> None:
    run("--yemot-block-network", "test_ordinary.py").stdout.fnmatch_lines(
        [f"{PYTHON} (it runs inside of another pytest run): *"]
    )
    assert not has_loopback_only()
    result = run("--yemot-isolation=namespace", "test_ordinary.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --yemot-isolation=namespace: it runs inside of another pytest run*"])


def test_ordinary_runs_are_not_changed(project: pytest.Pytester, run: Run) -> None:
    run("test_ordinary.py").stdout.no_fnmatch_line("network blocked*")


def test_another_kind_of_isolation_is_an_error(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-block-network", "-o", "yemot_isolation=kernel", "test_ordinary.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: yemot_isolation is one of auto, namespace, python, not 'kernel'"])


@pytest.mark.parametrize("family", ["AF_PACKET", "AF_CAN"])
def test_a_socket_that_sends_without_an_address_is_refused(
    family: str, project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        f"""
        import socket, sys, types

        def test_it():
            # Only root may open one; the event is that of socket.bind.
            sys.audit("socket.bind", types.SimpleNamespace(family=socket.{family}), ("lo", 3))
        """,
    )
    result = run("--yemot-block-network", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*refused a socket of {family} in an isolated test*"])


def test_an_obstacle_is_found_without_changing_this_process() -> None:
    before = socket.if_nameindex()
    namespace_obstacle()
    assert socket.if_nameindex() == before
