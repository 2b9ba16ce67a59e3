"""Speed and memory, measured side by side with a floor and a peer in one run: `make bench`."""
