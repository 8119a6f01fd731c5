# Runyard: every target works on a fresh clone and installs what it needs.
SHELL := /bin/bash
# The first interpreter that really runs and is one of those Runyard supports.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo demo-slurm test test-matrix check bench screenshots lock clean

help:
	@echo "make demo         open the dashboard on real local work, in a throw-away home"
	@echo "make demo-slurm   the same on a real SLURM cluster, made for it and thrown away (root)"
	@echo "make test         run every test (installs what it needs)"
	@echo "make test-matrix  the SLURM tests against SLURM 20.11, 22.05 and 24.11 (root; first time: minutes)"
	@echo "make check        lint, types, import contracts"
	@echo "make bench        measure speed side by side, print the figures"
	@echo "make screenshots  draw screenshots/ anew"
	@echo "make install      install runyard into $(VENV)"

install: $(STAMP)
	@echo "Installed. Next: . $(BIN)/activate && runyard run --help (or: runyard demo)"

$(STAMP): pyproject.toml .ci/constraints.txt
	@test -n "$(PYTHON)" || { echo "Runyard needs Python 3.11, 3.12 or 3.13; none was found. Set PYTHON=/path/to/python3." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'
	@# An editable install leaves the sources as they are; compiled, every command starts sooner.
	@$(BIN)/python -m compileall -q runners tui
	@touch $@

demo: $(STAMP)
	@$(BIN)/runyard demo

demo-slurm: $(STAMP)
	@$(BIN)/python -m tests.lab.packages
	@$(BIN)/python -m tests.lab.demo

test: $(STAMP)
	@$(BIN)/python -m tests.lab.packages
	@$(BIN)/python -m pytest

test-matrix: $(STAMP)
	@$(BIN)/python -m tests.lab.packages
	@$(BIN)/python -m tests.lab.matrix

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m tests.bench

screenshots: $(STAMP)
	@$(BIN)/python -m tests.tui.screenshots

lock: $(STAMP)
	$(BIN)/python -m pip freeze --exclude-editable > .ci/constraints.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
