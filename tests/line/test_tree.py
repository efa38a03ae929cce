from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.line.apps import ASK, BYE, Pairs, Script, served
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, Line, ScriptedProvider
from yemot_ai_testing.errors import AppError, CallOverError, EndlessLineError, LineError, WrongVerbError
from yemot_ai_testing.line.platform.settings import UnknownWord
from yemot_ai_testing.line.states import Asking, Outside
from yemot_ai_testing.line.transcript import HoldMusic

SHOP = Path(__file__).parents[2] / "fixtures" / "lines" / "shop"
BAKER = "http://127.0.0.1:8000/yemot"
ORDERS = "http://127.0.0.1:8001/orders"


def tree(folder: Path, **extensions: str) -> Path:
    """Write a tree; ``_1_2=…`` is the ext.ini of extension 1/2, ``_`` the root's."""
    for name, text in extensions.items():
        place = folder / name.strip("_").replace("_", "/")
        place.mkdir(parents=True, exist_ok=True)
        (place / "ext.ini").write_text(text, encoding="utf-8")
    return folder


def api(link: str, *more: str) -> str:
    return "\n".join(["type=api", f"api_link={link}", *more])


def shop(orders: Script, baker: object | None = None) -> Line:
    return Line.read(SHOP, servers={BAKER: baker or Script(ASK), ORDERS: orders})


def test_the_example_tree_is_read_without_a_warning() -> None:
    line = Line.read(SHOP)
    assert line.warnings == ()
    assert {path: one.kind for path, one in line.extensions.items()} == {
        "": "menu",
        "1": "api",
        "2": "api",
        "3": "playfile",
    }


def test_a_call_leaves_one_server_for_another_and_comes_back(tmp_path: Path) -> None:
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
    assert [sent["ApiExtension"] for sent in third.told] == ["2", "2"]
    assert (third.told[-1]["hangup"], third.told[-1]["ApiHangupExtension"]) == ("yes", "/2")
    assert [sent["ApiExtension"] for sent in first.told + second.told] == ["", "", "", "1", "1", "1"]
    assert {sent["ApiCallId"] for sent in first.told + second.told + third.told} == {caller.call_id}


def test_a_flow_in_this_process_and_a_server_over_http_answer_one_call(tmp_path: Path) -> None:
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


def test_two_flows_on_virtual_time_live_in_one_call(tmp_path: Path) -> None:
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


def test_a_menu_is_heard_and_a_digit_leads_into_the_folder_of_that_name() -> None:
    orders = Script(ASK)
    caller = Caller(shop(orders))
    assert caller.dial() == "f-M1000"
    assert not caller.ended
    caller.presses("2")
    assert caller.extension == "2"


def test_a_digit_without_a_folder_is_refused() -> None:
    caller = Caller(shop(Script()))
    caller.dial()
    assert caller.presses("7").startswith("M1224")
    assert caller.extension == ""


def test_what_ext_ini_asks_is_asked_before_the_first_request() -> None:
    orders = Script(ASK)
    caller = Caller(shop(orders), extension="2")
    assert caller.dial() == "f-M0000 f-000"
    assert orders.sent == []
    caller.presses("1234#")
    assert (orders.told[0]["customer"], orders.told[0]["branch"]) == ("1234", "7")


def test_a_bare_word_plays_its_file_and_does_what_ext_ini_says() -> None:
    baker = Script("read=t-המאפייה=q,no,voice")
    caller = Caller(shop(Script("OK"), baker), extension="2")
    caller.dial()
    assert caller.presses("1234") == "OK המאפייה"
    assert caller.extension == "1"


def test_a_value_that_ext_ini_answers_is_not_sent() -> None:
    orders = Script("read=t-עוד=more,no,1,1,7,No")
    caller = Caller(shop(orders), extension="2")
    caller.dial()
    caller.presses("1234")
    caller.presses("0")
    assert len(orders.sent) == 1
    assert caller.extension == ""


def test_a_caller_who_left_finds_the_way_back() -> None:
    orders = Script(ASK)
    baker = Script("go_to_folder=/3", "read=t-חזרת=q,no,voice")
    caller = Caller(shop(orders, baker), extension="1")
    caller.dial()
    assert caller.extension == "3"
    assert caller.goes_to("/1") == "חזרת"
    assert [sent["ApiExtension"] for sent in baker.told] == ["1", "1"]


def test_who_hangs_up_elsewhere_is_told_to_the_last_server() -> None:
    baker = Script("go_to_folder=/3")
    caller = Caller(shop(Script(), baker), extension="1")
    caller.dial()
    caller.hangs_up()
    assert (baker.told[-1]["ApiExtension"], baker.told[-1]["ApiHangupExtension"]) == ("1", "/3")


def test_who_hangs_up_before_any_server_is_told_to_nobody() -> None:
    baker = Script()
    caller = Caller(shop(Script(), baker))
    caller.dial()
    caller.hangs_up()
    assert baker.sent == []


@pytest.mark.parametrize(("retain", "values"), [(False, None), (True, "1")])
def test_values_of_a_visit_are_cleared_or_kept_when_the_caller_comes_back(
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
    assert app.told[-1].get("a") == values


def test_a_file_that_is_not_there_is_silent_and_a_warning() -> None:
    caller = Caller(shop(Script("read=f-nothing.t-מה.f-YM_LOCAL/x.s-000=q,no,voice")), extension="2")
    caller.dial()
    assert caller.presses("1234") == "מה f-YM_LOCAL/x s-000"
    assert [(one.level, one.code) for one in caller.problems] == [("warning", "missing-file")]


def test_a_target_that_is_no_folder_is_m1608_and_an_error() -> None:
    line = shop(Script(), Script("go_to_folder=/9"))
    with pytest.raises(LineError, match=r"(?s)no-extension.*/9.*there are /, /1, /2, /3"):
        Caller(line, extension="1").dial()
    caller = Caller(shop(Script(), Script("go_to_folder=/9")), extension="1", strict=False)
    assert caller.dial().startswith("M1608")
    assert caller.extension == ""


def test_recordings_of_a_line_are_numbered_on_beside_its_files() -> None:
    line = Line.read(SHOP, servers={BAKER: Script(*["read=t-הקליטו=r,no,record,/2,,no"] * 4)})
    values = []
    for _ in range(2):
        caller = Caller(line, extension="1")
        caller.dial()
        caller.records()
        values.append(dict(caller.exchanges[-1].pairs)["r"])
    assert values == ["/2/001.wav", "/2/002.wav"]


def test_only_files_of_the_folder_may_be_typed_where_the_read_says_so() -> None:
    caller = Caller(shop(Script("read=t-איזה=f,no,3,1,7,File,,,,from_folder,,,,,no", BYE)), extension="2")
    caller.dial()
    caller.presses("1234")
    assert caller.presses("007").startswith("M1224")
    caller.presses("000")
    assert caller.ended


def test_a_bare_word_that_the_folder_does_not_know_is_m1607_or_just_leaves() -> None:
    heard = {}
    words: list[UnknownWord] = ["M1607", "leaves"]
    for switch in words:
        caller = Caller(shop(Script("ERROR")), extension="2", unknown_word=switch)
        caller.dial()
        heard[switch] = caller.presses("1234")
    assert heard["M1607"].startswith("M1607")
    assert heard["leaves"] == "f-M1000"


def test_a_link_that_nobody_stands_behind_is_called_over_http_and_only_on_this_machine(
    tmp_path: Path,
) -> None:
    line = Line.read(tree(tmp_path, _=api("https://line.example.com/yemot")))
    with pytest.raises(AppError, match=r"servers=\{…\}"):
        Caller(line).dial()


def test_a_query_of_a_link_reaches_the_server_that_stands_behind_it(tmp_path: Path) -> None:
    app = Script(ASK)
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a?secret=x"))
    Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app})).dial()
    assert app.told[0]["secret"].startswith("x?ApiCallId=")


def test_a_folder_without_a_link_says_m1609_and_leaves(tmp_path: Path) -> None:
    caller = Caller(Line.read(tree(tmp_path, _="type=menu", _1="type=api")), extension="1")
    assert caller.dial().startswith("M1609")
    assert (caller.extension, [one.code for one in caller.problems]) == ("", ["no-link"])


def test_hang_ups_go_to_a_link_of_their_own_or_nowhere(tmp_path: Path) -> None:
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
    assert [sent["ApiExtension"] for sent in bye.told] == ["1"]
    assert not any("hangup" in sent for sent in app.told)


def test_a_line_that_goes_round_in_a_circle_is_stopped(tmp_path: Path) -> None:
    line = Line.read(
        tree(tmp_path, _=api("http://127.0.0.1:1/a")),
        servers={"http://127.0.0.1:1/a": lambda _: "go_to_folder=."},
    )
    with pytest.raises(EndlessLineError, match="circle"):
        Caller(line).dial()


def test_a_folder_without_a_link_that_leads_to_itself_is_stopped(tmp_path: Path) -> None:
    line = Line.read(tree(tmp_path, _="type=api\napi_end_goto=/"))
    with pytest.raises(EndlessLineError):
        Caller(line).dial()


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="there is no folder"):
        Line.read(tmp_path / "nothing")


def test_a_server_that_stands_behind_no_link_is_refused() -> None:
    with pytest.raises(AppError, match=r"http://127.0.0.1:8000/yemot, http://127.0.0.1:8001/orders"):
        Line.read(SHOP, servers={"http://127.0.0.1:9/": Script()})


def test_an_extension_that_is_not_there_cannot_be_dialled() -> None:
    with pytest.raises(AppError, match=r"no extension /9; there are /, /1, /2, /3"):
        Caller(shop(Script()), extension="9")


def test_what_stands_in_ext_ini_cannot_be_a_switch_of_the_caller() -> None:
    with pytest.raises(AppError, match="constants, method: a Line has that"):
        Caller(shop(Script()), method="POST", constants=())


def test_a_file_in_another_encoding_is_read_with_a_warning_that_names_it(tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path / "shop")
    path = tmp_path / "shop" / "2" / "ext.ini"
    path.write_bytes(path.read_text(encoding="utf-8").encode() + "lang=עברית\n".encode("windows-1255"))
    line = Line.read(tmp_path / "shop")
    assert [str(one).partition(": byte")[0] for one in line.warnings] == ["2/ext.ini: not-utf8"]
    assert line.extensions["2"].link == ORDERS


def test_only_who_is_outside_can_find_a_way_and_only_to_what_is_there() -> None:
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


def test_a_line_of_several_calls_is_closed_by_who_made_it() -> None:
    line = shop(Script(ASK, ASK))
    for _ in range(2):
        with Caller(line, extension="2") as caller:
            caller.dial()
            assert caller.presses("1234") == "מה"


def test_music_goes_on_where_it_stopped_if_ext_ini_says_so(tmp_path: Path) -> None:
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
    notes = [event for event in caller.transcript if isinstance(event, HoldMusic) and event.seconds]
    assert notes[1].position == notes[0].position + notes[0].seconds
    assert {event.name for event in notes} == {"ztomao"}


def test_spaces_are_plus_where_ext_ini_says_so(tmp_path: Path) -> None:
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


def test_who_was_directed_here_is_named_where_ext_ini_says_so(tmp_path: Path) -> None:
    app = Script(ASK)
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", "api_add_directed_phone=yes"))
    Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app}), referred_from="0521111111").dial()
    assert app.told[0]["ReferredFrom"] == "0521111111"


def test_a_key_at_a_question_of_ext_ini_has_a_file_of_its_own(tmp_path: Path) -> None:
    app = Script(ASK)
    pre = ["api_000=size,no,1,1,7,No", "api_000_key_2_say=100", "api_001=name,no,1,1,7,Number"]
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", *pre))
    (folder / "000.wav").touch()
    (folder / "001.wav").touch()
    (folder / "001-AskBeforeOk.wav").touch()
    caller = Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app}))
    assert caller.dial() == "f-000"
    assert caller.presses("2") == "f-100 f-001"
    assert caller.presses("3").startswith("3 f-001-AskBeforeOk M1353")
    caller.presses("1")
    assert (app.told[0]["size"], app.told[0]["name"]) == ("2", "3")


def test_a_question_of_ext_ini_that_may_reuse_its_value_is_asked_once_a_call(tmp_path: Path) -> None:
    app = Script("go_to_folder=.", ASK)
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", "api_000=id,yes,1,1,7,No"))
    (folder / "000.tts").touch()
    caller = Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app}), retain_values=True)
    caller.dial()
    assert caller.presses("5") == "מה"
    assert [sent["id"] for sent in app.told] == ["5", "5"]


def test_a_bare_word_can_be_spoken(tmp_path: Path) -> None:
    app = Script("OK")
    folder = tree(tmp_path, _=api("http://127.0.0.1:1/a", "say_api_answer=yes"))
    assert Caller(Line.read(folder, servers={"http://127.0.0.1:1/a": app})).dial() == "OK"


def test_what_a_server_on_the_walls_time_takes_passes_in_virtual_time_too(tmp_path: Path) -> None:
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
