"""The step across the PII boundary, and all that guards it: scan, leak checks, erased people, anonymity."""
