"""Seeded synthetic data."""
