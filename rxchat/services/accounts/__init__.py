"""Sign-in, and everything else that belongs to one user."""
