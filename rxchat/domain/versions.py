"""Versions of documents: what an upload does if its name exists, and which version is in use."""

from __future__ import annotations

from enum import StrEnum


class VersionState(StrEnum):
    """The state of a version in its series; exactly one version of a series is current."""

    CURRENT = "current"
    """Searches use it. Also the state of a document with a single version."""
    PENDING = "pending"
    """It replaces the current version once it is ready."""
    SUPERSEDED = "superseded"
    """A newer version is in use. It can be opened, but searches do not use it."""


class IfExists(StrEnum):
    """What an upload does if the collection has a document with the same name."""

    KEEP = "keep"
    """Add a second document."""
    REPLACE = "replace"
    """Add a new version."""
    REFUSE = "refuse"
    """Refuse the upload."""
