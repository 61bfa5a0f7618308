"""Conversations as files: RxChat's own JSON, which it can import again, and Markdown and HTML to read."""
