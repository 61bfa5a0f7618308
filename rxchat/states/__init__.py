"""Door 1, the browser: thin Reflex states, what one tab sees."""
