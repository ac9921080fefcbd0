"""Figures of the holdout: metrics with their bounds, baselines, costs, slices and groups."""
