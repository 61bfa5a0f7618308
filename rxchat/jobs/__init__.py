"""Background entry points: procrastinate jobs in Postgres, which call the same services as other entry points."""
