"""What all forges have in common: signatures, reading what they send, the shape of events, their answers."""
