"""The workflow language: text to a typed tree with places, and every check that needs no event."""
