"""Names of people and places in free text, found by a small model that is trained here and shipped with the package."""
