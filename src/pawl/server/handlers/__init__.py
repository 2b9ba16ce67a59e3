"""What the routes do: one module a subject. Each ends with its part of the table of routes."""
