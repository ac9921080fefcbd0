"""The treatment that sources.yaml declares for a column: keep, drop, token, or coarser."""
