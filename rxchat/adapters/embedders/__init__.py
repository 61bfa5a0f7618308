"""Embedding models: Ollama's, the embedded server's, and those of servers with OpenAI's API."""
