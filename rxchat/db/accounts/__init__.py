"""Sign-in, and everything that belongs to one user."""
