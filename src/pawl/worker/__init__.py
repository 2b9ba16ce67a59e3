"""The worker: asks a server for jobs, runs each in a process of its own, and tells what comes of it."""
