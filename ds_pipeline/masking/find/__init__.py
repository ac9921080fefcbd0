"""What in a text looks like an identity by its shape: numbers, addresses, streets, postcodes, names."""
