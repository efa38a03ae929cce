"""Numbers as Hebrew words, by the library of the extra ``hebrew``, after the rules of ``speakable``."""

from __future__ import annotations

import re
import sys

import pytest
from heb_tts_normalizer import Config

from yemot_ai import AIFlow, DialogSettings, HebrewWords, YemotAI
from yemot_ai.errors import MissingExtraError
from yemot_ai.protocol import speakable
from yemot_ai_testing import Caller, ScriptedProvider

SPOKEN = [
    ("יש 3 ספרים ו-2 מחברות", "יש שלושה ספרים ושתי מחברות"),
    ("ב-5 ימים, ל-25 אנשים, מ-3 עד 8.", "בחמישה ימים, לעשרים וחמישה אנשים, משלוש עד שמונה."),
    ("פתוח עד 12:30", "פתוח עד שתים עשרה וחצי בצהריים"),
    ("10%", "עשרה אחוז"),
    ("ב-1 בינואר", "בראשון בינואר"),
    ("1,234 ספרים", "אלף מאתיים שלושים וארבעה ספרים"),
    # The library alone leaves out the number of a list.
    ("1. ראשון", "אחת, ראשון"),
    # The library alone joins a number and a letter.
    ("קו 5א", "קו חמש א"),
    ("פתוח 9am-5pm, 8GB", "פתוח תשע am עד חמש pm, שמונה GB"),
    # Codes and telephone numbers stay digits; the library alone reads them as quantities.
    ("מספר הזמנה 12345", "מספר הזמנה 12345"),
    ("טלפון 03-1234567", "טלפון 031234567"),
    # Nothing to say in Hebrew.
    ("We open at 9 o'clock", "We open at 9 o'clock"),
    ("פתוח", "פתוח"),
    ("😀", "😀"),
]


@pytest.fixture(scope="module")
def speech() -> HebrewWords:
    return HebrewWords()


@pytest.mark.parametrize(("sentence", "spoken"), SPOKEN)
def test_numbers_become_words(speech: HebrewWords, sentence: str, spoken: str) -> None:
    assert speech(sentence) == spoken


@pytest.mark.parametrize(("sentence", "_"), SPOKEN)
def test_words_that_are_spoken_again_stay_as_they_are(speech: HebrewWords, sentence: str, _: str) -> None:
    assert speech(speech(sentence)) == speech(sentence)


@pytest.mark.parametrize(("sentence", "_"), SPOKEN)
def test_no_word_is_lost(speech: HebrewWords, sentence: str, _: str) -> None:
    words = re.findall("[א-ת]{2,}", " ".join(map(str, speakable(sentence))))

    assert [word for word in words if word not in speech(sentence)] == []


def test_the_settings_of_the_library_can_be_given() -> None:
    assert HebrewWords(Config(clock="24"))("עד 14:30") == "עד ארבע עשרה שלושים"


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_is_spoken_with_words_for_numbers(provider: ScriptedProvider, *, stream: bool) -> None:
    provider.answers(["יש 3 ספרים. ", "הקוד הוא 0485. ", "פתוח 5 ימים."])
    flow = AIFlow(YemotAI(provider=provider), dialog=DialogSettings(speech=HebrewWords()))
    flow.ai_agent("", greeting="שלום", stream=stream)(lambda call, text: None)
    caller = Caller(flow)
    caller.dial()

    assert caller.says("כמה?") == "יש שלושה ספרים, הקוד הוא d-0485 פתוח חמישה ימים"
    caller.hangs_up()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "heb_tts_normalizer", None)

    with pytest.raises(
        MissingExtraError, match=r"heb-tts-normalizer is not installed: pip install 'yemot-ai\[hebrew\]'"
    ):
        HebrewWords()
