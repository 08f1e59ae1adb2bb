# The README's commands. Everything runs in .venv, installed from constraints.txt, and only when that has changed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Public annotation and videos, where they lie beside the project; what needs them is skipped without.
export ASST_DATA ?= $(wildcard $(abspath ../shared/data))

.PHONY: demo serve test lint style bench clean

demo: $(READY)
	$(BIN)/asst demo

serve: $(READY)
	$(BIN)/asst serve "$$($(BIN)/python -c 'from asst.cli.demo import DEMO_VIDEO; print(DEMO_VIDEO)')" --library demo/library --open

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

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("asst needs Python 3.11 or newer; name one with: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv
