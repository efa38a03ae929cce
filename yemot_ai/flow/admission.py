"""Admission: which requests a flow answers, and what the others get.

A request is looked at twice: its bytes before they are parsed (``screen``, from the mounts), and its values
(``admit``, always).
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final

from yemot_ai.flow.access import EVERYONE, AccessPolicy
from yemot_ai.flow.call_key import KeyFunction
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.flow.rendering import HANGUP
from yemot_ai.flow.request_log.repetition import RepetitionCounter
from yemot_ai.flow.request_log.summary import AnsweredRequest, describe_fields, mask_foreign
from yemot_ai.protocol import Play, Request, Response
from yemot_ai.protocol.request import Params
from yemot_ai.redaction import MASKED
from yemot_ai.web import Form, Pairs, RequestLimits

__all__ = ["Admission", "CallIdWatch"]

log = logging.getLogger("yemot_ai")

MAX_WATCHED_CALLS = 1000
"""The calls whose ids are compared, to find out whether the line changes them."""

MAX_ID_LENGTH: Final = 200
"""Characters of an id of the line, which has about 40 [LIVE]; what a developer's function returns has any."""

MAX_LISTED: Final = 10
"""Names of a request that are listed in a warning."""


@dataclass(slots=True)
class CallIdWatch:
    """Warns once if the line changes ``ApiCallId`` within a call.

    Attributes:
        call_ids: by ``ApiYFCallId``; None after the warning.
    """

    call_ids: OrderedDict[str, str] | None = field(default_factory=OrderedDict)

    def check(self, request: Request) -> None:
        """Compare the ids of ``request`` with those of the call's earlier requests."""
        call_ids, call_id, yf_call_id = self.call_ids, request.call_id, request.yf_call_id
        if call_ids is None or not call_id or not yf_call_id:
            return
        if call_ids.setdefault(yf_call_id, call_id) == call_id:
            if len(call_ids) > MAX_WATCHED_CALLS:
                call_ids.popitem(last=False)
            return
        self.call_ids = None
        log.warning(
            "call %.60r: the line changed ApiCallId within the call, so its state and conversation are lost; "
            "AIFlow(…, call_key='ApiYFCallId') keeps them",
            call_id,
        )


@dataclass(slots=True)
class Admission:
    """Which requests a flow answers.

    Attributes:
        access: who may call.
        limits: the bounds of a request.
        key_function: what identifies a call; None for the line's ids.
        dialog: the sentences of refusals.
        watch: compares the ids of calls, if the line's ids identify them.
    """

    access: AccessPolicy
    limits: RequestLimits
    key_function: KeyFunction | None
    dialog: DialogSettings
    watch: CallIdWatch = field(default_factory=CallIdWatch)
    _repetitions: RepetitionCounter = field(default_factory=RepetitionCounter)

    def screen(self, form: Form, path: str) -> Pairs | str | None:
        """Look at a request before it is parsed: the secret first, then the limits.

        Returns:
            The pairs to answer; of a hang-up that is too large, the line's own. The response if the caller is
            refused. None if the request is too large and not the line's.
        """
        access = self.access
        if access.secret is not None and not access.has_secret(
            Request.parse(form.named(access.secret_name)), path
        ):
            return self._refuse(Request.parse(form.head()), "it does not contain the secret")
        excess = self.limits.find_excess(form.query, form.body)
        if excess is None:
            return form.pairs()
        head = form.head()
        if form.is_hangup:
            return [*head, ("hangup", "yes")]
        request = Request.parse(head)
        return self._end_too_long(request, excess) if _has_call_id(request) else None

    def admit(self, params: Params, path: str) -> Request | str:
        """Return the request with its key and without its secret, or the response if it is refused."""
        request, access = Request.parse(params), self.access
        reason = None if access is EVERYONE else access.rejection_reason(request, path)
        if reason is not None:
            return self._refuse(request, reason)
        if access is not EVERYONE:
            request = access.without_secret(request)
        if self.key_function is not None:
            request = replace(request, key=self.key_function(request))
        if not _has_call_id(request):
            return self._refuse_id(request)
        excess = self.limits.find_excess_in(request.pairs)
        if excess is not None and not request.hangup:
            return self._end_too_long(request, excess)
        if self.key_function is None:
            self.watch.check(request)
        return request

    # What is untrusted is quoted and cut off in the log.

    def _refuse(self, request: Request, reason: str) -> str:
        log.warning("call %.60r is refused: %s", request.call_key, reason)
        return self._hang_up(self.dialog.access_denied)

    def _refuse_id(self, request: Request) -> str:
        response = self._hang_up(self.dialog.no_call_id)
        if request.call_key:
            log.warning("call %.60r is refused: that is no id of a call", request.call_key)
        else:
            self._warn_of_no_id(request)
        if log.isEnabledFor(logging.INFO):
            fields = AnsweredRequest(request, response, 0.0).fields()
            log.info(describe_fields(fields), extra={MASKED: fields})
        return response

    def _warn_of_no_id(self, request: Request) -> None:
        dropped = self._repetitions.count("no id")
        if dropped is not None:
            log.warning(
                "a request without ApiCallId and ApiYFCallId is refused: it has %s. A line sends an id "
                "unless ext.ini has api_call_id_send=no: remove that; to try by hand, add ?ApiCallId=test%s",
                _describe_names(request),
                f" ({dropped} more like this were not logged)" if dropped else "",
            )

    def _end_too_long(self, request: Request, excess: str) -> str:
        log.warning("call %.60r ends: %s (RequestLimits)", request.call_key, excess)
        return self._hang_up(self.dialog.call_too_long)

    def _hang_up(self, sentence: str) -> str:
        return str(Response((Play(self.dialog.to_messages(sentence)), HANGUP)))


def _describe_names(request: Request) -> str:
    names = list(dict.fromkeys(name for name, _ in request.pairs))
    listed = ", ".join(map(mask_foreign, names[:MAX_LISTED])) + ", …" * (len(names) > MAX_LISTED)
    return f"only {listed}" if names else "no parameters"


def _has_call_id(request: Request) -> bool:
    """Return whether the key of a request can be a key of the store and a word of the log."""
    key = request.call_key
    if not key or not key.isprintable():
        return False
    return len(key) <= MAX_ID_LENGTH or key not in {request.call_id, request.yf_call_id}
