"""The .env file of compose.yaml: passwords and keys that are made now."""

from __future__ import annotations

import argparse
import base64
from secrets import token_bytes, token_urlsafe

from rxchat.checks import SECRET_BYTES
from rxchat.settings import Settings

_PASSWORDS = (
    "POSTGRES_PASSWORD", "RXCHAT_DB_OWNER_PASSWORD", "RXCHAT_DB_WEB_PASSWORD", "RXCHAT_DB_REPLICA_PASSWORD",
    "VALKEY_PASSWORD", "MINIO_ROOT_PASSWORD", "S3_SECRET_KEY",
)  # fmt: skip
_KEYS = ("RXCHAT_SECRET_KEY", "RXCHAT_PASSWORD_PEPPER", "RXCHAT_FILES_KEY")


def secrets(_settings: Settings, _chosen: argparse.Namespace) -> int:
    """Print the lines of a .env file: passwords for what compose.yaml starts, and RxChat's own keys, each made now."""
    print(
        "# Made by `python -m rxchat secrets`. Keep a copy: without the keys nobody signs in and no file can be read."
    )
    for name in _PASSWORDS:
        print(f"{name}={token_urlsafe(24)}")
    for name in _KEYS:
        print(f"{name}={base64.urlsafe_b64encode(token_bytes(SECRET_BYTES)).decode()}")
    print(f"RXCHAT_METRICS_TOKEN={token_urlsafe(24)}")
    print("S3_ACCESS_KEY=rxchat")
    print("RXCHAT_PUBLIC_URL=http://localhost:8000")
    print("\n# For other machines, with TLS (ports 80 and 443): replace the line above by these.")
    print("# RXCHAT_DOMAIN=chat.example.org\n# RXCHAT_PUBLIC_URL=https://chat.example.org")
    print("# RXCHAT_HTTP_PORT=80\n# RXCHAT_HTTPS_PORT=443")
    print("# For files in MinIO (--profile minio):\n# S3_ENDPOINT=http://minio:9000")
    print("# For an Ollama elsewhere instead of --profile ollama:\n# OLLAMA_HOSTS=http://ollama.example.org:11434")
    return 0
