"""The right to erasure: who is never to come back, what was removed where, and the record of it."""
