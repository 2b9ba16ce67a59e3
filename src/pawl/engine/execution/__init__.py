"""One run and its jobs, from plan to report: what `pawl run` drives and a worker will."""
