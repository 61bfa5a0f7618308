"""Stand-ins for the systems around RxChat, with their real behaviour, faults included."""
