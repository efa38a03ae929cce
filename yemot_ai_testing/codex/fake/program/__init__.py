"""What runs inside the fake: standard library only, started once a turn."""
