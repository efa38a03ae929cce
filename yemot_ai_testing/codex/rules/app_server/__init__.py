"""What ``codex app-server`` says: recorded, and held to rules."""
