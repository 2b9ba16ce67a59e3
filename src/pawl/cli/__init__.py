"""The command line: options in, exit codes out. Wiring and drawing only; it decides nothing about runs."""
