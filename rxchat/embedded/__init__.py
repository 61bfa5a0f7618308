"""The embedded servers (Postgres, Valkey, models), which a supervisor runs as child processes."""
