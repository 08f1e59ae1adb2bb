# The README's commands. Everything runs in .venv, installed from constraints.txt, and only when that has changed.
PYTHON ?= python3
BIN := .venv/bin
CORE := .venv/.core
READY := .venv/.ready
QUIET := --quiet --disable-pip-version-check
# Public annotation and videos, where they lie beside the project; what needs them is skipped without.
export ASST_DATA ?= $(wildcard $(abspath ../shared/data))

.PHONY: demo serve test lint style bench docs build clean

demo: $(CORE)
	$(BIN)/asst demo

serve: $(READY)
	$(BIN)/asst serve "$$($(BIN)/python -c 'from asst.cli.asking import DEMO_VIDEO; print(DEMO_VIDEO)')" --library demo/library --open

# Two tests at a time, each on one thread: small networks gain nothing from more, and the cores are shared. Types are
# checked meanwhile, as they take one core most of a minute; what mypy says comes last. Either failure is one of all.
test: $(READY) style
	@echo "$(BIN)/mypy (beside the tests)"; $(BIN)/mypy > .venv/mypy.txt 2>&1 & types=$$!; \
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal; tests=$$?; \
	wait $$types; types=$$?; cat .venv/mypy.txt; [ $$tests -eq 0 ] && [ $$types -eq 0 ]

lint: $(READY) style
	$(BIN)/mypy

style: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python benchmarks/locate.py
	$(BIN)/python benchmarks/development_set.py

# The documentation site; a link or a name that leads nowhere is an error, in the tests too.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The wheel as a stranger gets it: in an environment of its own, with no extra, away from the sources. At the end, its
# size without pip.
build:
	rm -rf build dist
	$(PYTHON) -m venv dist/environment
	dist/environment/bin/pip wheel $(QUIET) --no-deps --wheel-dir dist .
	dist/environment/bin/pip install $(QUIET) --constraint constraints.txt dist/*.whl
	cd dist && environment/bin/asst demo
	dist/environment/bin/python -m pip uninstall $(QUIET) --yes setuptools pip
	du -sm dist/environment/lib/python3*/site-packages
	rm -rf build

# What the first command needs; then what the tests need.
$(CORE): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("asst needs Python 3.11 or newer; name one with: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install $(QUIET) --constraint constraints.txt --editable .
	touch $(CORE)

$(READY): $(CORE)
	$(BIN)/pip install $(QUIET) --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv build dist site
