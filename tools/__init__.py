"""What makes files that are shipped, and is not shipped itself."""
