"""Training of the small model that finds names in free text."""
