"""What SQL of a use case may say, and the database without files, clock and future in which it runs."""
