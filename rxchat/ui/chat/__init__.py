"""The chat: the sidebar, the bar above the thread, and what stands around the composer."""
