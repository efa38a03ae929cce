"""Select, collect and play the scenarios of a run."""
