"""What every page has: notices and toasts."""
