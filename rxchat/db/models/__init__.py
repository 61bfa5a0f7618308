"""Queries about providers of models."""
