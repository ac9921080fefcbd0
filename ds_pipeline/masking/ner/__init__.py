"""Names of people and places in free text, found by a small model that is shipped; tools/ner trains it."""
