from __future__ import annotations

import errno
import socket

import pytest

from yemot_ai.errors import ConfigurationError
from yemot_ai.server.listening import listen, open_sockets, port_of, url_of


def close(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        opened.close()


def test_port_0_is_a_free_port_of_all_addresses_of_a_name() -> None:
    sockets = open_sockets("localhost", 0)
    ports = {opened.getsockname()[1] for opened in sockets}
    close(sockets)

    assert len(ports) == 1
    assert ports != {0}


def test_the_url_has_the_address_and_the_port() -> None:
    sockets = open_sockets("127.0.0.1", 0)
    close_port = port_of(sockets)

    assert url_of(sockets) == f"http://127.0.0.1:{close_port}"
    close(sockets)


def test_a_port_in_use_names_the_program_and_another_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            open_sockets("127.0.0.1", port)

    message = str(caught.value)
    assert message.startswith(f"port {port} of 127.0.0.1 is in use by another program")
    assert f"--port {port + 1}" in message
    assert "\n" not in message


def test_a_port_that_another_program_has_got_since_it_was_bound_is_explained() -> None:
    ours = open_sockets("127.0.0.1", 0)
    port = port_of(ours)
    others = open_sockets("127.0.0.1", port)
    listen(others)
    with pytest.raises(ConfigurationError, match=f"port {port} of 127.0.0.1 is in use by another program"):
        listen(ours)
    close([*ours, *others])


@pytest.mark.parametrize(
    ("host", "part"),
    [
        ("192.0.2.1", "this machine has no such address: use 127.0.0.1"),
        ("no-such-host.invalid", "there is no such host"),
        ("a" * 70 + ".invalid", "there is no such host"),
        ("..", "there is no such host"),
    ],
)
def test_a_host_that_is_not_this_machine_is_named_with_what_to_use(host: str, part: str) -> None:
    with pytest.raises(ConfigurationError, match=part):
        open_sockets(host, 0)


def test_a_port_that_needs_rights_is_named_with_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    class Refusing(socket.socket):
        bind = refuse

    monkeypatch.setattr(socket, "socket", Refusing)  # root may bind all ports
    with pytest.raises(ConfigurationError, match="--port 80: ports below 1024 need the rights of root"):
        open_sockets("127.0.0.1", 80)
