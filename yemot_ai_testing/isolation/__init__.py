"""Refuses network access and foreign programs in tests (``--yemot-block-network``).

In this process an audit hook refuses connections and datagrams that leave the loopback, name lookups, and
programs that are not on the list, before the system call. Programs that a test may start inherit an empty
home directory, a ``codex`` that only records that it was called, and proxy variables for a proxy that
refuses everything. Each refused attempt fails the test, even if the code under test swallows the error.

What the hook does not see, code in C and other programs, is held by a network namespace where Linux allows
it.
"""
