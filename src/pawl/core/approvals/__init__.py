"""Who has to approve what: runs from forks, and jobs that deploy to a protected environment."""
