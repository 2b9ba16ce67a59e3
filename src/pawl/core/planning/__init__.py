"""Planning: a workflow and an event become a plan, a plain value that says what would run and why."""
