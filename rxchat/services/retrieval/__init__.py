"""Search in documents, and what of it models are shown."""
