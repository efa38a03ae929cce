"""Let many calls run at once for a long time, and show whether a server gives back what it takes.

``python -m benchmarks.soak --minutes 30 --callers 200`` starts the reference agent over a fake Codex
app-server. Callers dial, choose the agent, speak, think and hang up, again and again. The memory,
descriptors, processes and threads of the server and the open sessions of its store are noted. After the
warm-up each should stay the same: ``trend`` says what that means. The exit code is 1 if something grows, a
caller hears something else than an answer, or the server logs a warning.
"""
