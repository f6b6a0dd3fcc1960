# One environment, .venv, made on the first call; the stamps in it keep a second call quick.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# npm deletes it when it installs anew, as the build does without the tools of development
MODULES := frontend/node_modules/.dev
ARGS ?=
# More than there are cores: browsers, servers and sound are waited for
WORKERS ?= 3
# npm of the Node that is installed from PyPI into the environment
NPM := $(BIN)/python hatch_build.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup format check quick test slow browser frontend demo docs release clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev $(MODULES) ## install everything that development needs into .venv

format: setup ## format and fix the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(NPM) run format

check: setup ## lint and type-check Python and TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run check

test: browser ## run all tests, with a real TensorBoard and a real browser (ARGS="-k name")
quick: SELECTED := -m "not (browser or package or server or statistics or training)"
quick: ## run the tests without browser, server, training, statistics and package

# What is compiled once is not compiled by each worker and each program that a test starts.
test quick slow: export PYTHONDONTWRITEBYTECODE :=
# One worker runs all tests of a file, and a worker that dies ends the run: another would run the
# same test again. Both test runners run, and both results are reported.
test quick: setup frontend
	@pytest=passed; vitest=passed; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
	  --max-worker-restart 0 $(SELECTED) $(ARGS) || pytest=FAILED; \
	$(NPM) run test || vitest=FAILED; \
	echo "pytest $$pytest, vitest $$vitest"; \
	[ "$$pytest $$vitest" = "passed passed" ]

slow: setup ## run the tests of what is recorded as on a slow machine
	$(BIN)/python -m tests.slow_machine -n $(WORKERS) --dist loadfile $(ARGS)

browser: setup
	$(BIN)/python -m tests.browser

frontend: $(VENV)/.demo ## build the dashboard, where a source has changed
	$(NPM)

demo: frontend ## train five networks and listen to them (ARGS="--no-serve" ends without serving)
	$(BIN)/tb-sonify demo $(ARGS)

docs: browser frontend $(VENV)/.docs ## build the documentation with its sounds into build/site, and check it
	rm -rf build/site
	$(BIN)/python -m sphinx -E -W --keep-going -q -d build/doctrees docs build/site
	$(BIN)/python -m pytest -n $(WORKERS) tests/check_site.py

release: $(VENV)/.release ## build wheel and sdist into dist/ and check them (SOURCE_URL=https://...)
	$(BIN)/python -m tests.release

clean: ## delete what was built, .venv and node_modules included; runs stay
	rm -rf $(VENV) build dist frontend/node_modules tb_sonify/plugin/static
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "error: tb_sonify needs Python 3.10 or newer, and $(PYTHON) is not;" \
	    "choose another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "error: $(PYTHON) lacks the venv module;" \
	    "on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.created pyproject.toml
	@echo "installing into $(VENV); on Linux, PyTorch brings about 5 GB of CUDA libraries along"
	$(BIN)/python -m pip install --editable ".[demo,frontend]"
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --editable ".[dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(BIN)/python -m pip install --editable ".[docs]"
	@touch $@

$(VENV)/.release: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet "build>=1.2" "twine>=6.1"
	@touch $@

$(MODULES): frontend/package-lock.json | $(VENV)/.demo
	$(NPM) ci --no-audit --no-fund
	@touch $@
