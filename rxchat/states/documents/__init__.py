"""Collections, documents, files, uploads, ingestion and storage."""
