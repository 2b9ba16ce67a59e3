"""What `uses:` runs: actions of the repository, images, and those that are built in."""
