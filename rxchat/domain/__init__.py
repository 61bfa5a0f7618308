"""Pure rules and values: no input or output, and nothing of ours is imported here."""
