"""Parsers of documents, which run in a sandboxed child process."""
