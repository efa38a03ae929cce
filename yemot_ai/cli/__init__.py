"""The command ``yemot-ai``: one module per command, imported when the command is run."""
