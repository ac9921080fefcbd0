"""Whether a use case would run, and what a run would give; writes nothing."""
