"""Parsers of documents, and the barriers around them."""
