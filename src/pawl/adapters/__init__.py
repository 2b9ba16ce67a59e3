"""One folder per technology, unaware of each other: each offers a port by means of one outside thing."""
