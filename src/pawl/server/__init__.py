"""The server process: the HTTP API, and the loops that keep what the engine decides going."""
