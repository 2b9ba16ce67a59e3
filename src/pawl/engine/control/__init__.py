"""The server's side of a run: intake, the queue, leases, results, cancel, re-run, sweeps, retention."""
