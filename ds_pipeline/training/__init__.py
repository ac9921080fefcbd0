"""From matured labels and features to a seeded, calibrated candidate model."""
