"""The servers of a fresh machine, as children of our own supervisor."""
