"""Files that are no log, or not a whole one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from yemot_ai_testing.errors import LogFormatError
from yemot_ai_testing.from_log import sources
from yemot_ai_testing.from_log.calls import CallIndex
from yemot_ai_testing.from_log.sources import LogFiles

LINE = '{"url": "/?ApiCallId=%s&x=%s", "answer": "noop=x"}\n'


def index_of(path: Path, content: bytes) -> CallIndex:
    path.write_bytes(content)
    return CallIndex.build(LogFiles([path]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(range(256)), "is binary"),
        (gzip.compress(b"x"), "is compressed: unpack it first"),
        (LINE.encode("utf-16"), "is UTF-16: convert it first"),
        (b'{"log": {"entries": [', "is cut off"),
        (b'{"log": {"version": "1.2"}}', "is none"),
        (b'{"log": {"entries": 5}}', "is no list"),
    ],
    ids=["binary", "gzip", "utf-16", "cut HAR", "other HAR", "wrong HAR"],
)
def test_a_file_that_is_no_log_is_named_with_the_way_out(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(LogFormatError, match=reason) as error:
        index_of(tmp_path / "x.log", content)
    assert error.value.path == tmp_path / "x.log"


def test_a_large_har_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_HAR_BYTES", 10)
    with pytest.raises(LogFormatError, match="export fewer requests"):
        index_of(tmp_path / "x.har", b'{"log": {"entries": []}}')


def test_an_empty_file_has_no_calls(tmp_path: Path) -> None:
    assert len(index_of(tmp_path / "x.log", b"")) == 0


def test_cut_lines_are_counted_and_the_others_are_read(tmp_path: Path) -> None:
    lines = (LINE % ("c1", 1)).encode()
    index = index_of(tmp_path / "x.log", lines + lines[:30] + b"\n" + lines[:12])
    assert (len(index), index.requests, index.files.unreadable) == (1, 1, 2)


def test_a_line_without_an_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_LINE_BYTES", 100)
    whole = (LINE % ("c1", 1)).encode()
    index = index_of(tmp_path / "x.log", (LINE % ("c2", "x" * 1000)).encode() + whole)
    assert [call.exchanges[0].request.call_id for call in index] == ["c1"]
    assert index.files.unreadable == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1255"])
def test_hebrew_of_old_servers_is_read(tmp_path: Path, encoding: str) -> None:
    index = index_of(tmp_path / "x.log", (LINE % ("c1", "שלום")).encode(encoding))
    assert index.call(1).exchanges[0].values == (("x", "שלום"),)


def test_requests_without_an_id_are_counted(tmp_path: Path) -> None:
    index = index_of(tmp_path / "x.log", b"/?ApiPhone=0501234567&x=1\n")
    assert (len(index), index.requests, index.without_id) == (0, 1, 1)


def call_lines(*queries: str) -> bytes:
    return "".join(f"{json.dumps({'url': f'/?{query}'})}\n" for query in queries).encode()


def test_calls_of_the_same_second_are_separated(tmp_path: Path) -> None:
    index = index_of(
        tmp_path / "x.log",
        call_lines(
            "ApiCallId=b&ApiTime=1796031001&x=1",
            "ApiCallId=a&ApiTime=1796031000",
            "ApiCallId=b&ApiTime=1796031001",
            "ApiCallId=a&ApiTime=1796031001&x=2",
        ),
    )
    assert [[exchange.values for exchange in call.exchanges] for call in index] == [
        [(), (("x", "2"),)],
        [(), (("x", "1"),)],
    ]


def test_an_id_that_changes_between_extensions_does_not_part_a_call(tmp_path: Path) -> None:
    lines = call_lines(
        "ApiCallId=a&ApiYFCallId=y", "ApiCallId=b&ApiYFCallId=y&x=1", "ApiCallId=b&x=1&hangup=yes"
    )
    assert len(index_of(tmp_path / "x.log", lines)) == 1


def test_the_hang_up_comes_last_in_its_second(tmp_path: Path) -> None:
    lines = call_lines("ApiCallId=a&ApiTime=1796031000&x=1&hangup=yes", "ApiCallId=a&ApiTime=1796031000&x=1")
    (call,) = index_of(tmp_path / "x.log", lines)
    assert [exchange.request.hangup for exchange in call.exchanges] == [False, True]


def test_a_call_has_a_bounded_number_of_requests(tmp_path: Path) -> None:
    (call,) = index_of(tmp_path / "x.log", call_lines(*[f"ApiCallId=a&x={n}" for n in range(3000)]))
    assert len(call.exchanges) == 2000
