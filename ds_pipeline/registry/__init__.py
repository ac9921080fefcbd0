"""Signed bundles, the history of promotions, and the way back."""
