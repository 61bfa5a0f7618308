"""The database connection, migrations, jobs and settings, which every capability uses."""
