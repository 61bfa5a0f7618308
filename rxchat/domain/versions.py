"""Versions of documents: what an upload does when its name is taken, and which version of a document is in use."""

from __future__ import annotations

from enum import StrEnum


class VersionState(StrEnum):
    """Which part a version plays in its series; one version of a series is current."""

    CURRENT = "current"
    """It is the one that is searched; also of a document that has one version only."""
    PENDING = "pending"
    """It replaces the current version once it is ready."""
    SUPERSEDED = "superseded"
    """A newer version is in use. It can be opened, and is not searched."""


class IfExists(StrEnum):
    """What an upload does when the collection has a document of the same name."""

    KEEP = "keep"
    """Add a document beside it."""
    REPLACE = "replace"
    """Become its next version."""
    REFUSE = "refuse"
    """Add nothing, and say so."""
