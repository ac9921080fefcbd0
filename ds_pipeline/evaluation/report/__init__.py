"""The page, the pictures and the model card that tell people what was found."""
