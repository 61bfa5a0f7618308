"""Faults on purpose: real processes that are killed, stopped and cut off, and what must be true afterwards."""
