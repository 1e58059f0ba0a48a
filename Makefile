# Needs only python3 (3.11 or later) with venv. `make run` and `make test` set up .venv by themselves; a second call is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOM ?= edge/verdict
SAMPLE ?= 150
SEED ?= 1

.PHONY: run test test-build bench bench-report bench-arm test-arm mutants lint types clean help

help:
	@echo 'make run    count a simulated slide on screen (the first time it installs: about a minute)'
	@echo 'make test   lint, types, all tests (about four minutes on two cores)'
	@echo 'make test-build   what needs TensorFlow too (several minutes, a large download)'
	@echo 'make bench  measure this machine (about five minutes); one result file in build/bench'
	@echo 'make bench-report   docs/benchmarks.md from benchmarks/results'
	@echo 'make test-arm   the runner in emulated ARM systems: its tests, bit-equality (docs/arm.md; half an hour)'
	@echo 'make bench-arm  the same, and instruction counts against those kept'
	@echo 'make mutants ROOM=edge/verdict  how many small changes to a room its tests notice (docs/testing.md; minutes)'
	@echo 'make clean  remove the virtual environment and caches'

run: $(VENV)/.run
	@echo 'Counting 25,000 cells of a simulated slide: under a minute on a PC. Ctrl-C stops.'
	$(BIN)/edge-run --simulate --max-cells 25000 --no-book
	@echo
	@echo 'That was edge-run, installed in $(VENV). To go on, once per terminal:'
	@echo '    . $(BIN)/activate'
	@echo 'then: edge-run FOLDER      your own fields; edge-run --help shows examples'
	@echo '      edge --help          all programs there are'

test: lint types
	@echo 'Tests: about four minutes on two cores. Those that need real images or TensorFlow are skipped'; \
	 echo 'where there are none.'
	$(BIN)/python -m pytest -n auto --dist loadfile

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

mutants: $(VENV)/.mutants
	$(BIN)/python tests/mutants.py $(ROOM) --sample $(SAMPLE) --seed $(SEED)

lint: $(VENV)/.dev
	@echo 'Lint (ruff): seconds.'
	$(BIN)/ruff check .

types: $(VENV)/.dev
	@echo 'Types (mypy): a minute the first time, then seconds.'
	$(BIN)/mypy

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or later is needed: make PYTHON=python3.11 ...'; exit 1; }
	@echo 'Making a virtual environment in $(VENV): seconds.'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints/run.txt | $(BIN)/python
	@echo 'Installing NumPy, OpenCV, TFLite runtime in $(VENV), once: a minute, some 100 MB.'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/run.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints/run.txt constraints/bench.txt constraints/dev.txt | $(BIN)/python
	@echo 'Installing it and its test tools in $(VENV), once: two minutes, some 200 MB.'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/dev.txt -e '.[dev,bench]'
	@touch $@ $(VENV)/.run

$(VENV)/.build: $(VENV)/.dev constraints/build.txt
	@echo 'Installing TensorFlow in $(VENV), once: some minutes, some 600 MB.'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/build.txt -e '.[dev,bench,convert]'
	@touch $@

$(VENV)/.mutants: $(VENV)/.dev constraints/mutants.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/mutants.txt -e '.[dev,bench,mutants]'
	@touch $@

clean:
	rm -rf $(VENV) build mutants *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
