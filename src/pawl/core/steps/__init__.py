"""What a step says and what is done with it: scripts, shells, commands, files, masks, matchers, outcomes."""
