"""HTTP entry points: FastAPI routes over the same services as the browser interface."""
