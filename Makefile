# Everything happens in .venv beside this file; nothing outside the checkout is touched.
# Paths are relative throughout, so a checkout may stand in a directory with spaces in its name.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first Python of 3.11 or later among: the one you name (make PYTHON=...), python3, python3.N.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON := $(shell for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -c '$(NEW_ENOUGH)' 2>/dev/null; then echo $$python; break; fi; done)

VENV := .venv/bin/python
PIP := $(VENV) -m pip --quiet --disable-pip-version-check
PYTEST := $(VENV) -m pytest --numprocesses 2 --dist worksteal

# Compiled modules are kept, wherever this is set: the tests start many processes, and each would
# compile everything for itself.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint format types layers tests coverage matrix hosting apps package \
	bundle conformance bench evals mutants soak docs clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: .venv/.runtime ## a short conversation with the server, in the sandbox
	@$(VENV) -m leadpipe_mcp demo

test: lint layers ## every check to run before a commit; the types are checked beside the tests
	@$(MAKE) --no-print-directory --jobs 2 types $(if $(COVERED),coverage,tests)

lint: .venv/.tools ## ruff: every rule, and the format
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .

format: .venv/.tools ## put the code into the house's format
	@$(VENV) -m ruff check --fix .
	@$(VENV) -m ruff format .

types: .venv/.tools ## pyright, strict, on the package and its tests
	@$(VENV) -m pyright

layers: .venv/.tools ## import-linter: which room may know which
	@$(VENV) -c 'from importlinter.cli import lint_imports; raise SystemExit(lint_imports())'

tests: .venv/.tools ## pytest on two cores, with a part of the fault matrix
	@$(PYTEST)

coverage: .venv/.tools ## the same tests with branch coverage; the faults go through lines that others count
	@rm -f .coverage .coverage.*
	@$(VENV) -m coverage run -m pytest --numprocesses 2 --dist worksteal --ignore tests/faults
	@$(VENV) -m coverage combine --quiet
	@$(VENV) -m coverage report

matrix: .venv/.tools ## every tool under every fault
	@MATRIX=whole $(PYTEST) tests/faults

hosting: .venv/.tools ## what takes longer: a team's server as processes, with redis-server and nginx if installed
	@$(VENV) -m pytest -m machines --ignore tests/apps

apps: .venv/.tools ## the page that clients show, in a real Chromium (if installed) behind a real bridge
	@$(VENV) -m pytest -m 'machines or not machines' tests/apps

package: .venv/.tools ## the wheel in a clean environment, and the lowest versions that are allowed
	@$(VENV) tests/package/check.py

bundle: .venv/.tools ## dist/leadpipe-mcp.mcpb, for desktop assistants: made, checked, and started as they do
	@$(VENV) -m tests.package.bundle

conformance: .venv/.tools ## the protocol's own suite and its inspector, over HTTP (docs/reliability.md)
	@$(VENV) -m tests.conformance.check

bench: .venv/.tools ## what is promised of speed, measured and written into docs/performance.md
	@$(VENV) -m tests.benchmarks

evals: .venv/.tools ## thirty tasks for an assistant: make evals ASSISTANT='claude -p ...' (docs/evals.md)
	@$(VENV) -m evals

mutants: .venv/.tools ## some 2,700 small faults in the code, and whether a test notices each (ten minutes)
	@$(VENV) -m tests.mutants

soak: .venv/.tools ## ten thousand calls, many of which fail, and whether promises hold
	@$(VENV) tests/faults/soak.py

docs: .venv/.docs ## the documentation as a site, in site/, with what is made from the code written again
	@UPDATE_SNAPSHOTS=1 $(VENV) -m pytest --quiet --no-header tests/docs/test_pages.py tests/test_demo.py
	@PYTHONPATH=tests/clock $(VENV) -m tests.apps.pictures
	@NO_MKDOCS_2_WARNING=1 $(VENV) -m mkdocs build
	@$(VENV) -m tests.docs.site
	@echo "The site is in site/. With search: python3 -m http.server --directory site"

clean: ## remove what the other targets made
	rm -rf .venv dist site .coverage .coverage.* .pytest_cache .ruff_cache .import_linter_cache

# A virtual environment whose Python has gone away is made again.
ifeq ($(shell $(VENV) -c '' 2>/dev/null && echo works),)
.PHONY: .venv/.made
endif

.venv/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "leadpipe-mcp needs Python 3.11 or later, and none was found." >&2; \
		echo "python3 is: $$(python3 --version 2>&1)" >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.made pyproject.toml
	@echo "Setting up .venv (once) ..."
	@$(PIP) install --editable .
	@touch $@

.venv/.tools: .venv/.runtime requirements/test.txt
	@$(PIP) install --editable '.[all]' --requirement requirements/test.txt
	@touch $@

.venv/.docs: .venv/.tools requirements/docs.txt
	@$(PIP) install --requirement requirements/docs.txt
	@touch $@
