"""The ds-pipeline command: what a person types, and what it prints."""
