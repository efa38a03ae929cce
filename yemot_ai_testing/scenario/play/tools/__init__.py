"""The tools that ran during a call, what ran in their place, and what was expected of them."""
