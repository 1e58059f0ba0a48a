# Needs only python3 (3.11 or later) with venv. `make run` and `make test` set up .venv by themselves; a second call is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-build lint types clean help

help:
	@echo 'make run    count a simulated slide on screen'
	@echo 'make test   lint, types, all tests'
	@echo 'make test-build   what needs TensorFlow too (several minutes, a large download)'
	@echo 'make clean  remove the virtual environment and caches'

run: $(VENV)/.run
	$(BIN)/edge-run --simulate --max-cells 25000

test: lint types
	$(BIN)/python -m pytest

test-build: $(VENV)/.build
	$(BIN)/python -m pytest tests/convert

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

$(VENV)/.dev: pyproject.toml constraints/run.txt constraints/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/dev.txt -e '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.build: $(VENV)/.dev constraints/build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/build.txt -e '.[dev,convert]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
