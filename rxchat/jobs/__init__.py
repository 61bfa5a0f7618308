"""Door 3, the background: jobs that procrastinate keeps in Postgres, and the same services."""
