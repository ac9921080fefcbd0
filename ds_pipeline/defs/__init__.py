"""Dagster alone: assets, checks, jobs and schedules; what an asset does is the step of its stage."""
