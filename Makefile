# Needs only python3 (3.11 or later) with venv. `make run` and `make test` set up .venv by themselves; a second call is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-build bench bench-report bench-arm test-arm lint types clean help

help:
	@echo 'make run    count a simulated slide on screen'
	@echo 'make test   lint, types, all tests'
	@echo 'make test-build   what needs TensorFlow too (several minutes, a large download)'
	@echo 'make bench  measure this machine (about five minutes); one result file in build/bench'
	@echo 'make bench-report   docs/benchmarks.md from benchmarks/results'
	@echo 'make test-arm   the runner in emulated ARM systems: its tests, bit-equality (docs/arm.md; half an hour)'
	@echo 'make bench-arm  the same, and instruction counts against those kept'
	@echo 'make clean  remove the virtual environment and caches'

run: $(VENV)/.run
	$(BIN)/edge-run --simulate --max-cells 25000

test: lint types
	$(BIN)/python -m pytest

test-build: $(VENV)/.build
	$(BIN)/python -m pytest tests/convert

bench: $(VENV)/.run
	$(BIN)/edge-bench standard --into build/bench

bench-report: $(VENV)/.dev
	$(BIN)/edge-bench report benchmarks/results/*.json -o docs/benchmarks.md

test-arm: $(VENV)/.dev
	EDGE_ARM=1 $(BIN)/python -m pytest -m arm -s tests/arm

bench-arm: $(VENV)/.dev
	$(BIN)/python -m benchmarks.arm all

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or later is needed: make PYTHON=python3.11 ...'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints/run.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/run.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints/run.txt constraints/bench.txt constraints/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/dev.txt -e '.[dev,bench]'
	@touch $@ $(VENV)/.run

$(VENV)/.build: $(VENV)/.dev constraints/build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/build.txt -e '.[dev,bench,convert]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
