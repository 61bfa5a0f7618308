"""Conversations, answers and their streams."""
