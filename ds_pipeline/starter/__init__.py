"""The starter: a valid use case folder of one's own, guessed from a look at the data and marked for review."""
