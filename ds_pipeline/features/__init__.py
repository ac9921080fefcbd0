"""Point-in-time features: SQL over tables that end at the scoring date."""
