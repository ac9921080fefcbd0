"""What the requirements ask, what was measured, and the decision that follows."""
