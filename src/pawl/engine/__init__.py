"""Use cases over core and ports, with no technology of their own."""
