"""What the holdout says of a candidate, with bounds, and the gates that read it."""
