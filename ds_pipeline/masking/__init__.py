"""The PII boundary: nothing behind it holds an identity."""
