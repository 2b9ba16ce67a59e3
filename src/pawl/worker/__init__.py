"""The worker process: takes leases, keeps jobs in processes of their own, ships what they tell."""
