# Written without a Docker engine at hand: not built yet. See the README.
FROM python:3.12-slim-bookworm AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /app/.venv
# With OCR=1 the text of scans is recognised: docker compose build --build-arg OCR=1
ARG OCR=""
COPY requirements.txt requirements-ocr.txt ./
RUN .venv/bin/pip install --require-hashes -r requirements${OCR:+-ocr}.txt
COPY rxconfig.py pyproject.toml alembic.ini ./
COPY alembic alembic
COPY assets assets
COPY reflex.lock reflex.lock
COPY rxchat rxchat
# Built in the image, so that a container is ready in seconds and needs no registry.
RUN .venv/bin/python -m rxchat build && rm -rf .web/node_modules

FROM python:3.12-slim-bookworm
RUN useradd --system --create-home --uid 10001 rxchat && install -d -o rxchat /data /data/files
COPY --from=build --chown=rxchat /app /app
WORKDIR /app
USER rxchat
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 RXCHAT_HOST=0.0.0.0 RXCHAT_DATA=/data RXCHAT_LOG_FORMAT=json
# For a port that is published on this machine alone; whoever puts a proxy in front sets both to what is there.
ENV RXCHAT_PUBLIC_URL=http://localhost:8000 RXCHAT_TRUSTED_PROXIES=172.16.0.0/12
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Migrating twice at once is safe: one waits for the other.
CMD ["sh", "-c", "python -m rxchat migrate && exec python -m rxchat web"]
