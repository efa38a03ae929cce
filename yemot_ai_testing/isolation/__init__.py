"""``--yemot-guard``: nothing of a test leaves the machine, and no program is started that is not ours.

In this process an audit hook refuses, before the system is asked: connections and datagrams that leave the
loopback, look-ups of names, and programs. Programs that may be started inherit a home of nobody, a ``codex``
that only tells that it was called, and proxies that lead nowhere. Whatever was refused fails the test, even
if the code under test has swallowed the error.
"""
