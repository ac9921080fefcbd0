"""Weekly scores you can defend, from customer tables and a requirements document."""
