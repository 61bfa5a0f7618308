"""Door 2, HTTP: FastAPI routes over the same services."""
