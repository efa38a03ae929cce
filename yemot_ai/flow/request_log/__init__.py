"""What a flow logs of each request: what came, what the line got, and how long that took."""

from yemot_ai.flow.request_log.log import RequestLog
from yemot_ai.flow.request_log.summary import AnsweredRequest, Observer

__all__ = ["AnsweredRequest", "Observer", "RequestLog"]
