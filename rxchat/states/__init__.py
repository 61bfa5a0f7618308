"""The browser's entry points: thin Reflex states, what one tab shows."""
