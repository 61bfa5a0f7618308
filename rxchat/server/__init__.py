"""The web server: uvicorn, with limits for connections, unfinished messages and peers that do not read."""
