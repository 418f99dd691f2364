# make lists its targets; CI runs the same ones.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo

.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

$(BIN)/ttsq: pyproject.toml setup.py ingest/scan.py ingest/convert.py ingest/segments.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: $(BIN)/ttsq
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

demo: $(BIN)/ttsq ## install, write a demo log set with an incident, ingest it, show the cause
	rm -rf $(DEMO)
	$(BIN)/ttsq demo $(DEMO)/logs
	$(BIN)/ttsq --db duckdb:///$(DEMO)/demo.duckdb ingest $(DEMO)/logs
	$(BIN)/ttsq --db duckdb:///$(DEMO)/demo.duckdb run failure_by_length

test: $(VENV)/.test ## install what tests need and run them
	$(BIN)/python -m pytest

check: $(VENV)/.test ## format, lint, types, layers, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m ingest.query_docs --check
	$(BIN)/python -m ingest.schema_docs --check

bench: $(VENV)/.test ## ingest speed, memory and start-up, ours beside the marks of this machine
	$(BIN)/python benchmarks/first_ingest.py

clean: ## remove what the targets made
	rm -rf $(VENV) $(DEMO) build *.egg-info ingest/*.c ingest/*.so
