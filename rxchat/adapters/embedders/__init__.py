"""Models that make vectors of texts: Ollama's (the embedded one among them), and any that speaks OpenAI's API."""
