"""Stand-ins for external systems, with their real behavior, faults included."""
