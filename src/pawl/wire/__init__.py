"""The messages between server and worker, versioned: typed values as plain data and back."""
