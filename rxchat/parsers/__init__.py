"""Parsers of documents: they run in a child process of their own that may do next to nothing."""
