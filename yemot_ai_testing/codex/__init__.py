"""All about Codex: the real binary, recordings, the fake, the rules that both keep."""
