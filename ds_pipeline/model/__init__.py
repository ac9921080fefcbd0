"""The model itself: what it is made of, what it predicts, and what each input contributes to a score."""
