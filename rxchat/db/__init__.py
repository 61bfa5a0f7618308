"""Every SQL query: functions that take the session first and never commit."""
