"""Everything that is done with git's command line: the working tree, packed commits, mirrors."""
