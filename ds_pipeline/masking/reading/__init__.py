"""How a text is read before anything is found in it: words, folded letters, and where they lie."""
