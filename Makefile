PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WHAT := -c constraints.txt -e '.[keras,plots,export,serve,tensorboard]' --group dev

.PHONY: help demo test test-quick check bench agreement format clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: $(READY) ## set up .venv and compare the two engines on a small model
	$(BIN)/scratchnet compare wisconsin

test: check ## check, then every test
	$(BIN)/pytest -n auto

test-quick: $(READY) ## the tests of about two minutes in all
	$(BIN)/pytest -n auto -m 'not slow'

check: $(READY) ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## race the two engines, a quarter of an hour on an idle machine
	$(BIN)/scratchnet bench --compare --plot

agreement: $(READY) ## run the tests and rewrite the README's table of what agrees
	rm -f .agreement
	SCRATCHNET_AGREEMENT=$(CURDIR)/.agreement $(BIN)/pytest -n auto
	$(BIN)/python benchmarks/agreement.py .agreement
	rm -f .agreement

format: $(READY) ## put sources into their standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv and everything tools leave behind
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +

# The stamp is touched last, so an environment without one is half finished and is made anew.
$(READY): pyproject.toml constraints.txt
	@test -e $@ || rm -rf $(VENV)
ifneq ($(shell command -v uv 2>/dev/null),)
	@test -d $(VENV) || uv venv $(VENV)
	@uv pip install --python $(VENV) $(WHAT)
else
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
	  echo "scratchnet needs Python 3.11 to 3.13, which $(PYTHON) is not: try make PYTHON=python3.12" >&2; \
	  exit 1; }
	@echo "Setting up $(VENV): about two minutes the first time"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet 'pip>=25.1' # the first with --group
	@$(BIN)/python -m pip install --quiet $(WHAT)
endif
	@touch $@
