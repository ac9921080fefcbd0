"""Read a source, cast it, validate it, and set faulty rows aside with their reasons."""
