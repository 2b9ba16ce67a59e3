"""A server seen from the command line: where it is, how to ask it, how to follow what it tells."""
