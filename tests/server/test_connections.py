from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import pytest

from yemot_ai.server.connections import BoundedConnection, Connections
from yemot_ai.server.limits import ServerLimits
from yemot_ai.server.logs import RepetitionFilter


@dataclass
class Cycle:
    """A request of uvicorn."""

    response_complete: bool = False
    more_body: bool = False


class Protocol(asyncio.Protocol):
    """A protocol of uvicorn, whose request the first bytes complete."""

    def __init__(self) -> None:
        self.cycle: Cycle | None = None

    def data_received(self, data: bytes) -> None:
        self.cycle = Cycle()


class Transport(asyncio.Transport):
    """Notes what is written, and whether it has ended or is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.has_ended = False
        self.is_closed = False
        self.is_gone = False

    def write_eof(self) -> None:
        if self.is_gone:
            raise OSError("not connected")
        self.has_ended = True

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.is_closed

    def write(self, data: object) -> None:
        self.written += bytes(data)  # type: ignore[call-overload]  # bytes

    def close(self) -> None:
        self.is_closed = True

    abort = close


def connect(connections: Connections, sent: bytes = b"") -> Transport:
    transport, connection = Transport(), BoundedConnection(connections, Protocol)
    connection.connection_made(transport)
    if sent:
        connection.data_received(sent)
    return transport


def test_the_connection_that_waits_longest_makes_room_for_a_new_one() -> None:
    async def main() -> list[bool]:
        connections = Connections(limit=3, header_seconds=10)
        opened = [connect(connections, b"request"), connect(connections), connect(connections)]
        opened.append(connect(connections))
        return [transport.is_closed for transport in opened]

    assert asyncio.run(main()) == [False, True, False, False]


def test_a_connection_is_refused_if_all_others_are_busy(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> tuple[Transport, Transport]:
        connections = Connections(limit=1, header_seconds=10)
        return connect(connections, b"request"), connect(connections, b"ignored")

    busy, refused = asyncio.run(main())

    assert not busy.has_ended
    assert refused.has_ended
    assert refused.written.startswith(b"HTTP/1.1 503 ")
    assert "all 1 are busy" in caplog.text


def test_the_oldest_of_too_many_refused_connections_is_closed() -> None:
    async def main() -> list[bool]:
        connections = Connections(limit=1, header_seconds=10, refused=2)
        connect(connections, b"request")
        return [transport.is_closed for transport in [connect(connections) for _ in range(5)]]

    assert asyncio.run(main()) == [True, True, True, False, False]


def test_a_connection_that_cannot_end_is_closed() -> None:
    async def main() -> Transport:
        connections = Connections(limit=1, header_seconds=10)
        connect(connections, b"request")
        transport = Transport()
        transport.is_gone = True
        BoundedConnection(connections, Protocol).connection_made(transport)
        return transport

    transport = asyncio.run(main())

    assert transport.is_closed
    assert transport.written.startswith(b"HTTP/1.1 503 ")


def test_a_client_that_does_not_read_is_closed_although_it_sends() -> None:
    async def main() -> tuple[bool, bool]:
        connections = Connections(limit=2, header_seconds=0.01)
        transports = Transport(), Transport()
        for transport in transports:
            connection = BoundedConnection(connections, Protocol)
            connection.connection_made(transport)
            connection.data_received(b"request")
            connection.pause_writing()
            connection.data_received(b"next request")
        connection.resume_writing()
        await asyncio.sleep(0.05)  # past the deadline: the loop runs its timers in the order of their times
        return transports[0].is_closed, transports[1].is_closed

    assert asyncio.run(main()) == (True, False)


def test_what_strangers_can_repeat_is_logged_some_times_and_then_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    logger = logging.getLogger("yemot_ai.tests.repeated")
    logger.addFilter(RepetitionFilter())

    for number in range(50):
        logger.warning("call %.60r is refused: %s", f"c{number}", "for a reason")
        logger.warning("another line %d", number)
    now += 61
    logger.warning("call %.60r is refused: %s", "next", "for a reason")

    refused = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(caplog.records) == 20 + 50 + 1
    assert refused[19:] == [
        "call 'c19' is refused: for a reason",
        "call 'next' is refused: for a reason (30 more like this were not logged)",
    ]


def test_connections_are_fewer_than_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 1024))

    assert ServerLimits().open_connections == 824
    assert ServerLimits(connections=50).open_connections == 50
    assert ServerLimits().refused_connections == 50
    assert ServerLimits().accepted_at_once == 25
