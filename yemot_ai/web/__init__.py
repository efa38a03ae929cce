"""WSGI and ASGI mounts of a function from the line's parameters to a response.

GET and POST, at every path; the extension is in the parameters. Repeated names stay repeated: the
newest value is the last one, and a framework's dictionary may lose it.
"""

from yemot_ai.web.asgi import Lifespan, asgi, respond_asgi
from yemot_ai.web.form import Form, Pairs
from yemot_ai.web.limits import RequestLimits
from yemot_ai.web.probes import Page, Probe, alive_page, browser_page, find_probe, ready_page
from yemot_ai.web.responses import warn_of_long_query
from yemot_ai.web.types import ASGIApp, Receive, Scope, Send, StartResponse, WSGIApp
from yemot_ai.web.wsgi import respond_wsgi, wsgi

__all__ = [
    "ASGIApp",
    "Form",
    "Lifespan",
    "Page",
    "Pairs",
    "Probe",
    "Receive",
    "RequestLimits",
    "Scope",
    "Send",
    "StartResponse",
    "WSGIApp",
    "alive_page",
    "asgi",
    "browser_page",
    "find_probe",
    "ready_page",
    "respond_asgi",
    "respond_wsgi",
    "warn_of_long_query",
    "wsgi",
]
