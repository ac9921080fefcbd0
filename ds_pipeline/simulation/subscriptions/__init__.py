"""A seeded population of subscribers whose true probability to cancel is known."""
