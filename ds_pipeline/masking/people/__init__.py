"""Whom a text speaks of: the owner of its row, other customers, and each person by a number."""
