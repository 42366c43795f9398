# Two commands for a fresh machine: `make run` and `make test`. Both set up first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TOOLS  := tests/tools/node_modules/.installed

.PHONY: run test setup tools lint types bench clean

run: $(STAMP)
	$(BIN)/harness run v17.1.0 --target embedded --scheme example

test: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist worksteal

setup: $(STAMP)

# What some tests drive besides (Allure 3); needs Node. Tests that miss it are skipped, and say so.
tools: $(TOOLS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy --strict harness

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, found " + sys.version.split()[0] + ": install it or call make PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m compileall -q harness
	touch $(STAMP)

$(TOOLS): tests/tools/package.json
	npm install --prefix tests/tools --no-package-lock --no-audit --no-fund --silent
	touch $(TOOLS)

clean:
	rm -rf $(VENV) tests/tools/node_modules .pytest_cache .mypy_cache .ruff_cache dist build
