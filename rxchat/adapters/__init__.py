"""The outside world: one system a module, each the implementation of a port."""
