"""One step after the other: conditions, environment, processes, what they hand on."""
