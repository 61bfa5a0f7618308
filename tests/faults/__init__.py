"""Fault injection: kills, stops and disconnects real processes, and checks what must be true afterwards."""
