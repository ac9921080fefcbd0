"""Free text behind the boundary: engines find names and numbers, and placeholders take their place."""
