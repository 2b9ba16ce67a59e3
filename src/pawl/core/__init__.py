"""The pure core: values in, values out. No await, clock, random, logging or files."""
