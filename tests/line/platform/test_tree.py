from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.line.apps import ASK, Pairs, Script, served
from tests.line.platform.trees import api, tree
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, Line, ScriptedProvider
from yemot_ai_testing.errors import AppError, CallOverError, EndlessLineError, LineError, WrongVerbError
from yemot_ai_testing.line.platform.settings import UnknownWord
from yemot_ai_testing.line.states import Asking, Outside
from yemot_ai_testing.line.transcript import HoldMusic

SHOP = Path(__file__).parents[3] / "fixtures" / "lines" / "shop"
BAKER = "http://127.0.0.1:8000/yemot"
ORDERS = "http://127.0.0.1:8001/orders"


def shop(orders: Script, baker: object | None = None) -> Line:
    return Line.read(SHOP, servers={BAKER: baker or Script(ASK), ORDERS: orders})


def test_the_example_tree_is_read_with_a_note_on_a_skipped_file() -> None:
    line = Line.read(SHOP)
    assert [str(warning).partition(" is not")[0] for warning in line.warnings] == [
        "2/wish.ini: skipped-file: it"
    ]
    assert {path: settings.kind for path, settings in line.extensions.items()} == {
        "": "menu",
        "1": "api",
        "2": "api",
        "3": "playfile",
    }


def test_a_call_changes_between_servers(tmp_path: Path) -> None:
    first = Script("go_to_folder=1", "read=t-שורש=root,no,1,1,7,No", "go_to_folder=1")
    second = Script("go_to_folder=..", "read=t-שוב=again,no,voice", "go_to_folder=/2")
    third = Script("read=t-הזמנה=order,no,1,1,7,No")
    with served(third) as link:
        folder = tree(
            tmp_path,
            _=api("http://127.0.0.1:1/root"),
            _1=api("http://127.0.0.1:1/one"),
            _2=api(link, "api_url_post=yes"),
        )
        servers = {"http://127.0.0.1:1/root": first, "http://127.0.0.1:1/one": second}
        with Line.read(folder, servers=servers) as line:
            caller = Caller(line)
            assert caller.dial() == "שורש"
            assert caller.presses("1") == "שוב"
            assert caller.says("שלום") == "שלום הזמנה"  # api_say_tts is on by default
            caller.hangs_up()
    assert [sent["ApiExtension"] for sent in third.requests] == ["2", "2"]
    assert (third.requests[-1]["hangup"], third.requests[-1]["ApiHangupExtension"]) == ("yes", "/2")
    assert [sent["ApiExtension"] for sent in first.requests + second.requests] == ["", "", "", "1", "1", "1"]
    assert {sent["ApiCallId"] for sent in first.requests + second.requests + third.requests} == {
        caller.call_id
    }


def test_one_line_has_a_flow_in_this_process_and_a_server_over_http(tmp_path: Path) -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider().answers("עד שמונה", after=30)))
    flow.ai_agent("1", greeting="המאפייה")(lambda call, text: None)
    orders = Script("read=t-כמה=many,no,1,1,7,No", "go_to_folder=..")
    with served(orders) as link:
        folder = tree(tmp_path, _="type=menu", _1=api("http://127.0.0.1:1/a"), _2=api(link))
        with Line.read(folder, servers={"http://127.0.0.1:1/a": flow}) as line:
            caller = Caller(line)
            caller.dial()
            assert caller.presses("1") == "המאפייה"
            assert caller.says("עד מתי פתוח?").endswith("עד שמונה")
            assert caller.dead_air <= 3.1
            caller.hangs_up()
            assert flow.ai.open_calls() == 0
            other = Caller(line, extension="2")
            assert other.dial() == "כמה"
            other.presses("3")
            assert other.state == Outside("", known=True)


def test_two_flows_in_virtual_time_answer_one_call(tmp_path: Path) -> None:
    flows = []
    for number in ("1", "2"):
        flow = AIFlow(YemotAI(provider=ScriptedProvider().answers("בסדר", after=20)))
        flow.ai_agent(number, greeting=f"סוכן {number}")(lambda call, text: None)
        flows.append(flow)
    links = ["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"]
    folder = tree(tmp_path, _="type=menu", _1=api(links[0]), _2=api(links[1]))
    with Line.read(folder, servers=dict(zip(links, flows, strict=True))) as line:
        for number in ("1", "2"):
            caller = Caller(line)
            caller.dial()
            assert caller.presses(number) == f"סוכן {number}"
            assert caller.says("מה נשמע").endswith("בסדר")
            assert caller.transcript[-1].at - caller.transcript[0].at > 20
            caller.hangs_up()


def test_a_digit_in_a_menu_leads_to_the_folder_of_that_name() -> None:
    orders = Script(ASK)
    caller = Caller(shop(orders))
    assert caller.dial() == "f-M1000"
    assert not caller.ended
    caller.presses("2")
    assert caller.extension == "2"


def test_a_menu_is_heard_again_after_a_digit_without_a_folder_off() -> None:
    caller = Caller(shop(Script()))
    caller.dial()
    assert caller.presses("7") == "f-M1000"
    assert caller.extension == ""


def test_a_menu_can_say_that_a_key_is_wrong_off(tmp_path: Path) -> None:
    folder = tree(tmp_path, _="type=menu\nM1001_say=yes")
    (folder / "M1000.wav").touch()
    caller = Caller(Line.read(folder))
    caller.dial()
    assert caller.presses("7") == "M1001 f-M1000"


def test_a_digit_without_a_folder_is_refused_outside_a_menu() -> None:
    caller = Caller(shop(Script()), extension="3")
    caller.dial()
    assert caller.presses("7").startswith("M1224")


@pytest.mark.parametrize(("keys", "extension"), [("1", "01"), ("01", "01"), ("11", "11"), ("2", "")])
def test_the_folders_of_a_menu_can_have_names_of_two_digits_off(
    tmp_path: Path, keys: str, extension: str
) -> None:
    folder = tree(tmp_path, _="type=menu\ndigits=2", _01="type=menu", _11="type=menu", _2="type=menu")
    caller = Caller(Line.read(folder))
    caller.dial()
    caller.presses(keys)
    assert caller.extension == extension


@pytest.mark.parametrize(
    ("settings", "heard"),
    [
        ([], "f-M0000 f-M0000-1 f-M0000-2 מה"),
        (["messages_max=2"], "f-M0000 f-M0000-2 f-M0000-1 מה"),
        (["muted_messages=M0000"], "f-M0000 f-M0000-1 f-M0000-2 מה"),
    ],
)
def test_a_continued_welcome_is_heard_in_order_off(tmp_path: Path, settings: list[str], heard: str) -> None:
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", *settings))
    for number in ("", "-1", "-2"):
        (folder / f"M0000{number}.wav").touch()
    assert Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": Script(ASK)})).dial() == heard


def test_a_continued_message_of_a_menu_is_heard_in_order_off(tmp_path: Path) -> None:
    folder = tree(tmp_path, _="type=menu")
    for name in ("M1000-1.tts", "M1000.wav", "M0000.ogg", "M1000-3.wav"):
        (folder / name).touch()
    assert Caller(Line.read(folder)).dial() == "f-M0000 f-M1000 f-M1000-1"


@pytest.mark.parametrize(("value", "again"), [("yes", "שנית"), ("no", "f-M0000 שנית")])
def test_a_welcome_can_be_heard_once_in_a_call_off(tmp_path: Path, value: str, again: str) -> None:
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", f"say_first_one_time={value}"))
    (folder / "M0000.wav").touch()
    app = Script("read=t-אחת=a,no,1,1,7,No", "go_to_folder=.", "read=t-שנית=b,no,voice")
    caller = Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app}))
    assert caller.dial() == "f-M0000 אחת"
    assert caller.presses("1") == again


@pytest.mark.parametrize(("value", "heard"), [("yes", "f-x מה"), ("no", "מה")])
def test_a_missing_file_may_be_in_the_shared_library_off(tmp_path: Path, value: str, heard: str) -> None:
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", f"global_folder_check={value}"))
    app = Script("read=f-x.t-מה=q,no,voice")
    assert Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app})).dial() == heard


def test_questions_of_ext_ini_are_asked_before_the_first_request() -> None:
    orders = Script(ASK)
    caller = Caller(shop(orders), extension="2")
    assert caller.dial() == "f-M0000 f-000"
    assert orders.sent == []
    caller.presses("1234#")
    assert (orders.requests[0]["customer"], orders.requests[0]["branch"]) == ("1234", "7")


def test_a_bare_word_plays_its_file_and_performs_its_actions_of_ext_ini() -> None:
    baker = Script("read=t-המאפייה=q,no,voice")
    caller = Caller(shop(Script("OK"), baker), extension="2")
    caller.dial()
    assert caller.presses("1234") == "OK המאפייה"
    assert caller.extension == "1"


def test_a_value_with_local_actions_is_not_sent() -> None:
    orders = Script("read=t-עוד=more,no,1,1,7,No")
    caller = Caller(shop(orders), extension="2")
    caller.dial()
    caller.presses("1234")
    caller.presses("0")
    assert len(orders.sent) == 1
    assert caller.extension == ""


def test_a_caller_outside_goes_back_to_an_extension() -> None:
    orders = Script(ASK)
    baker = Script("go_to_folder=/3", "read=t-חזרת=q,no,voice")
    caller = Caller(shop(orders, baker), extension="1")
    caller.dial()
    assert caller.extension == "3"
    assert caller.goes_to("/1") == "חזרת"
    assert [sent["ApiExtension"] for sent in baker.requests] == ["1", "1"]


def test_a_hang_up_outside_is_sent_to_the_last_server() -> None:
    baker = Script("go_to_folder=/3")
    caller = Caller(shop(Script(), baker), extension="1")
    caller.dial()
    caller.hangs_up()
    assert (baker.requests[-1]["ApiExtension"], baker.requests[-1]["ApiHangupExtension"]) == ("1", "/3")


def test_a_hang_up_before_any_server_sends_no_request() -> None:
    baker = Script()
    caller = Caller(shop(Script(), baker))
    caller.dial()
    caller.hangs_up()
    assert baker.sent == []


@pytest.mark.parametrize(("retain", "values"), [(False, None), (True, "1")])
def test_retain_values_keeps_the_values_of_an_earlier_visit(
    tmp_path: Path,
    retain: bool,  # noqa: FBT001 - parametrized
    values: str | None,
) -> None:
    app = Script("read=t-א=a,no,1,1,7,No", "go_to_folder=..", ASK)
    folder = tree(tmp_path, _="type=menu", _1=api("http://127.0.0.1:1/a"))
    caller = Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app}), retain_values=retain)
    caller.dial()
    caller.presses("1")
    caller.presses("1")
    caller.presses("1")
    assert app.requests[-1].get("a") == values


def test_a_missing_file_is_silent_and_a_warning() -> None:
    caller = Caller(shop(Script("read=f-nothing.t-מה.f-YM_LOCAL/x.s-000=q,no,voice")), extension="2")
    caller.dial()
    assert caller.presses("1234") == "מה f-YM_LOCAL/x s-000"
    assert [(problem.level, problem.code) for problem in caller.problems] == [("warning", "missing-file")]


def test_a_missing_target_folder_is_m1608_and_an_error() -> None:
    line = shop(Script(), Script("go_to_folder=/9"))
    with pytest.raises(LineError, match=r"(?s)no-extension.*/9.*there are /, /1, /2, /3"):
        Caller(line, extension="1").dial()
    caller = Caller(shop(Script(), Script("go_to_folder=/9")), extension="1", strict=False)
    assert caller.dial().startswith("M1608")
    assert caller.extension == ""


def test_recordings_are_numbered_after_the_existing_files() -> None:
    line = Line.read(SHOP, servers={BAKER: Script(*["read=t-הקליטו=r,no,record,/2,,no"] * 4)})
    values = []
    for _ in range(2):
        caller = Caller(line, extension="1")
        caller.dial()
        caller.records()
        values.append(dict(caller.exchanges[-1].pairs)["r"])
    assert values == ["/2/001.wav", "/2/002.wav"]


def test_an_unknown_bare_word_is_m1607_or_leaves() -> None:
    heard = {}
    settings: list[UnknownWord] = ["M1607", "leaves"]
    for setting in settings:
        caller = Caller(shop(Script("ERROR")), extension="2", unknown_word=setting)
        caller.dial()
        heard[setting] = caller.presses("1234")
    assert heard["M1607"].startswith("M1607")
    assert heard["leaves"] == "f-M1000"


def test_a_link_without_a_server_must_be_on_this_machine(
    tmp_path: Path,
) -> None:
    line = Line.read(tree(tmp_path, _=api("https://line.example.com/yemot")))
    with pytest.raises(AppError, match=r"servers=\{…\}"):
        Caller(line).dial()


def test_the_query_of_a_link_reaches_its_server(tmp_path: Path) -> None:
    app = Script(ASK)
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a?secret=x"))
    Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app})).dial()
    assert app.requests[0]["secret"].startswith("x?ApiCallId=")


def test_a_folder_without_a_link_plays_m1609_and_leaves(tmp_path: Path) -> None:
    caller = Caller(Line.read(tree(tmp_path, _="type=menu", _1="type=api")), extension="1")
    assert caller.dial().startswith("M1609")
    assert (caller.extension, [problem.code for problem in caller.problems]) == ("", ["no-link"])


def test_hang_up_requests_go_to_the_hangup_link_or_are_switched_off(tmp_path: Path) -> None:
    app, bye = Script(ASK, ASK), Script()
    links = {"http://127.0.0.1:1/a": app, "http://127.0.0.1:1/bye": bye}
    folder = tree(
        tmp_path,
        _="type=menu",
        _1=api("http://127.0.0.1:1/a", "api_hangup_link=http://127.0.0.1:1/bye"),
        _2=api("http://127.0.0.1:1/a", "api_hangup_send=no"),
    )
    for extension in ("1", "2"):
        with Caller(Line.read(folder, servers=links), extension=extension) as caller:
            caller.dial()
    assert [sent["ApiExtension"] for sent in bye.requests] == ["1"]
    assert not any("hangup" in sent for sent in app.requests)


def test_a_redirect_loop_raises(tmp_path: Path) -> None:
    line = Line.read(
        tree(tmp_path, _=api("http://127.0.0.1:1/a")),
        servers={"http://127.0.0.1:1/a": lambda _: "go_to_folder=."},
    )
    with pytest.raises(EndlessLineError, match="loop"):
        Caller(line).dial()


def test_an_end_goto_loop_raises(tmp_path: Path) -> None:
    line = Line.read(tree(tmp_path, _="type=api\napi_end_goto=/"))
    with pytest.raises(EndlessLineError):
        Caller(line).dial()


def test_reading_a_missing_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="there is no folder"):
        Line.read(tmp_path / "nothing")


def test_a_server_whose_link_no_extension_has_raises() -> None:
    with pytest.raises(AppError, match=r"http://127.0.0.1:8000/yemot, http://127.0.0.1:8001/orders"):
        Line.read(SHOP, servers={"http://127.0.0.1:9/": Script()})


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        (api(BAKER).replace("api", "apis", 1), "unknown-type: type=apis"),
        (f"api_link={BAKER}", "no-api: no server is asked"),
        (f"type=api\napi_lnik={BAKER}", "unknown-key: 'api_lnik'"),
    ],
)
def test_a_server_without_its_link_raises_with_the_warnings_of_the_line(
    tmp_path: Path, settings: str, warning: str
) -> None:
    with pytest.raises(AppError, match="there are: none\n  ") as raised:
        Line.read(tree(tmp_path, _=settings), servers={BAKER: Script()})
    assert warning in str(raised.value)


def test_dialling_a_missing_extension_raises() -> None:
    with pytest.raises(AppError, match=r"no extension /9; there are /, /1, /2, /3"):
        Caller(shop(Script()), extension="9")


def test_ext_ini_options_with_a_line_raise() -> None:
    with pytest.raises(AppError, match="constants, method: a Line has that"):
        Caller(shop(Script()), method="POST", constants=())


def test_a_file_in_another_encoding_is_read_with_a_warning_that_names_it(tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path / "shop")
    path = tmp_path / "shop" / "2" / "ext.ini"
    path.write_bytes(path.read_text(encoding="utf-8").encode() + "lang=עברית\n".encode("windows-1255"))
    line = Line.read(tmp_path / "shop")
    assert str(line.warnings[0]).startswith("2/ext.ini: not-utf8: byte ")
    assert line.extensions["2"].link == ORDERS


def test_goes_to_needs_an_outside_caller_and_an_existing_extension() -> None:
    caller = Caller(shop(Script()))
    with pytest.raises(CallOverError, match="dial"):
        caller.goes_to("/1")
    caller.dial()
    with pytest.raises(WrongVerbError, match="there are /, /1"):
        caller.goes_to("/8")
    with pytest.raises(WrongVerbError, match=r"no server decides.*goes_to"):
        caller.says("שלום")
    caller.goes_to("/1")
    assert isinstance(caller.state, Asking)
    with pytest.raises(WrongVerbError, match="waits for speech"):
        caller.goes_to("/2")


def test_a_caller_does_not_close_the_line_that_it_was_given() -> None:
    line = shop(Script(ASK, ASK))
    for _ in range(2):
        with Caller(line, extension="2") as caller:
            caller.dial()
            assert caller.presses("1234") == "מה"


def test_hold_music_continues_if_ext_ini_says_so(tmp_path: Path) -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider().answers("טוב", after=1).answers("יפה", after=1)))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    settings = [
        "api_wait_answer_music_on_hold=yes",
        "api_wait_answer_music_on_hold_different=ztomao",
        "api_wait_answer_music_on_hold_continue_all_sends=yes",
    ]
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", *settings))
    caller = Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": flow}))
    caller.dial()
    caller.says("אחת")
    caller.says("שתיים")
    music_events = [event for event in caller.transcript if isinstance(event, HoldMusic) and event.seconds]
    assert music_events[1].position == music_events[0].position + music_events[0].seconds
    assert {event.name for event in music_events} == {"ztomao"}


def test_replace_space_encodes_spaces_as_plus(tmp_path: Path) -> None:
    seen = []

    def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        seen.append(environ["QUERY_STRING"])
        start_response("200 OK", [])
        return [ASK.encode()]

    for plus in ("yes", "no"):
        folder = tree(
            tmp_path, _=api("http://127.0.0.1:1/a", f"api_add_replace_space={plus}", "api_add_0=n=a b")
        )
        Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": wsgi})).dial()
    assert [query.rpartition("n=")[2] for query in seen] == ["a+b", "a%20b"]


def test_add_directed_phone_sends_the_referrer(tmp_path: Path) -> None:
    app = Script(ASK)
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", "api_add_directed_phone=yes"))
    Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app}), referred_from="0521111111").dial()
    assert app.requests[0]["ReferredFrom"] == "0521111111"


def test_a_question_of_ext_ini_with_reuse_is_asked_once(tmp_path: Path) -> None:
    app = Script("go_to_folder=.", ASK)
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", "api_000=id,yes,1,1,7,No"))
    (folder / "000.tts").touch()
    caller = Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app}), retain_values=True)
    caller.dial()
    assert caller.presses("5") == "מה"
    assert [sent["id"] for sent in app.requests] == ["5", "5"]


def test_a_bare_word_can_be_spoken(tmp_path: Path) -> None:
    app = Script("OK")
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", "say_api_answer=yes"))
    assert Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app})).dial() == "OK"


def test_the_real_seconds_of_a_server_pass_in_virtual_time_too(tmp_path: Path) -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))
    flow.ai_agent("1", greeting="שלום")(lambda call, text: None)

    def slow(_: Pairs) -> str:
        time.sleep(0.05)
        return "go_to_folder=1"

    links = {"http://127.0.0.1:1/slow": slow, "http://127.0.0.1:1/flow": flow}
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/slow"), _1=api("http://127.0.0.1:1/flow"))
    caller = Caller(Line.read(folder, servers=links))
    assert caller.dial() == "שלום"
    assert caller.exchanges[0].seconds >= 0.05
