"""Search in documents, and the sources that models are shown."""
