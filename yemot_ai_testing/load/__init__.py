"""Load tests on Locust: each of its users is a caller, and exactly once is checked from the model's side."""
