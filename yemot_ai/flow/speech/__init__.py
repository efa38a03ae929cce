"""How words are spoken: a developer's table and function, and numbers as Hebrew words."""
