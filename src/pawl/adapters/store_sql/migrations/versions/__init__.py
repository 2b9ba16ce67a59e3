"""One file for each version, numbered from 1."""
