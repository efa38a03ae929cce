"""Official settings and types of extensions that this line does not simulate.

>>> find_unsimulated("enter_id_type", "api").meaning
'callers do not log in'
>>> find_unsimulated("omer_today_play", "api"), find_unsimulated("omer_today_play", "menu").meaning
(None, 'only M0000 and M1000 are heard')

Source: [OFF] the official texts on general settings, on the order of checks before an extension, on entering
by a personal ID, on menus, and the list of all types of extensions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["MENU_SETTINGS", "TYPES", "UNSIMULATED", "UnsimulatedSettings", "find_unsimulated"]


@dataclass(frozen=True, slots=True)
class UnsimulatedSettings:
    """Settings of one subject.

    Attributes:
        name: their names; ``…`` stands for the rest of a name.
        meaning: what the simulated line does not do.
        pattern: what their names match.
    """

    name: str
    meaning: str
    pattern: re.Pattern[str]


def _settings(names: str, meaning: str) -> UnsimulatedSettings:
    pattern = "|".join(re.escape(name).replace("…", "(?:_.+)?") for name in names.split())
    return UnsimulatedSettings(", ".join(names.split()), meaning, re.compile(pattern))


UNSIMULATED: Final = (
    _settings("password…", "callers are not asked for a password"),
    _settings("enter_if_time… check_again_enter_if_time", "the extension is open at any time"),
    _settings("enter_after_time… enter_foldar_end_time…", "the extension is open on any date"),
    _settings("black_no_phone…", "withheld numbers are let in"),
    _settings("white_list… black_list…", "lists of numbers are not read"),
    _settings(
        "check_phone_number check_phone_verify check_if_mobile_kosher_phone after_check_phone… "
        "mobile_kosher_phone… mobile_not_kosher_phone… verify_phone_operator_network…",
        "the number of the caller is not checked",
    ),
    _settings(
        "enter_id… login… list_all_information… record_name say_name say_points say_rank "
        "say_login_successfully delete_id_exit limit_double_entry…",
        "callers do not log in",
    ),
    _settings("check_api… api_goto api_error_goto", "no server is asked for the permission to enter"),
    _settings("package_calls_time", "callers need no subscription"),
    _settings(
        "check_access_filter access_filter… check_template_filter… check_points_filter… check_listening_ok "
        "listening… go_to_from_tzintuk… check_did_and_go_to_folder… did_and_phone… did_directed_check "
        "הפעל_מעבר_לשלוחה_אחרת_לפי_המספר_המחויג… בדיקה_לפי_מספר_מחייג_ומחויג check_if_music_on_hold…",
        "callers are not filtered, and not sent elsewhere",
    ),
    _settings("limit_call… limit_entries_folder…", "nothing is limited"),
    _settings("mode_say_log", "the place in the line is not spoken"),
    _settings(
        "play_campaign_message… stop_campaign_message campaign_message… campaign_selection… oref_check… "
        "checking_units…",
        "the announcement is not heard",
    ),
    _settings(
        "send_sms… sms_text sms_from_phone_in_text send_tzintuk… send_message_to_telegram… telegram_chat_id "
        "send_dtmf… points_time…",
        "nothing is sent or counted",
    ),
    _settings("credit_card… billing_sum", "a payment has only the fields of its action"),
)
"""Settings that any extension, or an API extension, may have."""

MENU_SETTINGS: Final = (
    _settings("timeout timeout_goto attempts", "the menu waits without an end"),
    _settings("up root again hash_extension star_extension", "`*` and `#` have no effect"),
    _settings("text_extensions", "folders have the names of their keys"),
    _settings(
        "menu_sequence menu_voice say_menu_voice menu_say_conf_bridge… menu_say_playdir_time… "
        "menu_check_playfile_message… manu_say_last_play play_file_date… file_to_play_date omer_today_play "
        "post_with_time say_tfr_end",
        "only M0000 and M1000 are heard",
    ),
)
"""Settings of a menu."""

TYPES: Final = frozenset(
    {
        "access_filter", "add_id_to_list", "admin_login", "amount_incoming_phone_numbers", "api",
        "approval_number", "block_id_type", "calculator_add_percentage", "call_api_verification", "cardcom",
        "chapter_receive", "chapter_receive_mishnayot_select", "checking_units", "conference_amount",
        "confbridge", "counter_calculator", "coupon", "create_ivr2", "create_tts", "credit_card",
        "daily_message", "donation_campaign", "donation_campaign_some_actions", "examination",
        "examination_american", "exchange_rates", "folder_play_random", "fundraising", "go_to_folder",
        "go_to_folder_count", "go_to_folder_date", "go_to_folder_from_list_all_information",
        "go_to_folder_time", "hangup", "id_list_message", "id_message", "key_play_set_record_go_to_foldar",
        "last_play", "limit_call_seconds", "members_active", "menu", "menu_star", "menu_voice",
        "message_options_menu", "music_on_hold", "nedarim_plus", "nitoviya", "nitoviya_b_say_number",
        "number_now_is", "open_wap_reseller_customer", "oref_alerts", "oref_alerts_quiet_wave", "pelecard",
        "phone_play_list", "play_and_return", "playdir_time", "playfile", "playfile_time",
        "points_and_rating", "points_edit", "points_save", "points_say_total", "points_to_other_id",
        "private_did", "private_did_customer", "queue", "record", "record_system_messages",
        "recording_and_entering_data", "recv_fax", "remove_id_from_list", "routing", "routing_1800",
        "routing_ip", "routing_time", "routing_yemot", "sale_products", "sale_seats",
        "say_amount_subscribers", "say_hour_and_minute", "seker", "send_fax", "sending_sms",
        "sending_sms_and_return", "start_select_file", "stt_dir_all_file", "study_tracking", "tasks_report",
        "tehillim_select_save_and_listen", "template_add_number", "template_filter",
        "template_remove_number", "time_keeper", "toplay_time", "trivia_questions", "tzintuk",
        "voicemail_email", "yemot_dialer", "yemot_dialer_campaign_list", "yemot_dialer_campaign_start",
        "zmanim",
    }
)  # fmt: skip
"""The values of ``type``; only ``api`` and ``menu`` are simulated."""


def find_unsimulated(key: str, kind: str) -> UnsimulatedSettings | None:
    """Return the settings that ``key`` belongs to in an extension of type ``kind``; empty for any type."""
    tables = (*UNSIMULATED, *(MENU_SETTINGS if kind != "api" else ()))
    return next((settings for settings in tables if settings.pattern.fullmatch(key)), None)
