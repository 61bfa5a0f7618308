"""Clients of external systems: one system a module, each implements a port of `domain.ports`."""
