"""Names of people and places in free text, found by a small model that is shipped with the package; tools/ner trains it."""
