"""Transports to an application: in process, WSGI, ASGI, HTTP."""
