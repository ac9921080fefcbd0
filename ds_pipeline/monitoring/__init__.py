"""Drift, realized quality, budgets, and whether retraining is due."""
