"""The hosts of Ollama: how they are found, watched, and chosen for an answer."""
