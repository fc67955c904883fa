# Every target works on a fresh machine: each makes the environment first where it needs it.
.POSIX:

VENV = .venv
BIN = $(VENV)/bin
# What a target that passes arguments on is given, as in: make demo ARGS=--once
ARGS =
# How many processes run tests; each starts servers of its own, and waits for them much of the time. Since they share
# the cores, polars is given one thread in each: what several cost, files of a few rows do not gain.
WORKERS = 3
# How many counties `make simulate` plays through.
SEEDS = 1000
# The interpreter that makes the environment; by default the first of python3.11, 3.12, 3.13 and python3 that will do.
PYTHON =

.PHONY: help env demo test test-fast simulate lint bench contracts lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1 /' | \
	  while read -r target what; do printf '  make %-10s %s\n' "$$target" "$$what"; done

env: $(VENV)/.complete ## Make the environment in .venv from the locked and hashed requirements

# Stamped last, so that an environment that was interrupted is made again.
$(VENV)/.complete: requirements-dev.lock pyproject.toml
	@set -eu; \
	python=''; \
	for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    python=$$candidate; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'Huilian needs Python 3.11 or newer: install it with `apt-get install python3 python3-venv` (Debian 12, Ubuntu 24.04).' >&2; \
	  exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  package=$$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing $$package, which makes environments"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$package"; \
	  else \
	    echo "Python cannot make environments here: install them with \`apt-get install $$package\`." >&2; \
	    exit 1; \
	  fi; \
	fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  $$python -m venv --clear $(VENV); \
	fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: env ## Make a sample county, push its files, show its figures and go on serving (ARGS=--once: then end)
	$(BIN)/huilian demo $(ARGS)

test: lint ## Check the code and run every test, those on real RabbitMQ and PostgreSQL included
	POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: env ## Run the tests that need no real server
	$(BIN)/python -m pytest -m 'not real and not kill and not conformance' $(ARGS)

simulate: env ## Play SEEDS counties through over years, each from a seed of its own (ARGS=--first=1000: other seeds)
	POLARS_MAX_THREADS=1 $(BIN)/python -m tests.simulation $(SEEDS) $(ARGS)

lint: env ## Check style, types and which package imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: env ## Measure Huilian against bare PostgreSQL
	$(BIN)/python -m bench $(ARGS)

contracts: env ## Write what follows from definitions: JSON Schemas, AsyncAPI, OpenAPI, the policy files' schema and tables
	$(BIN)/python -m schemas.publication.publish $(ARGS)
	$(BIN)/python -m huilian.http.publish $(ARGS)
	$(BIN)/python -m huilian.policy.workbench.publish $(ARGS)

# No index address and no header: the locks hold whatever mirror they were made with.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: ## Resolve the requirements anew into both lock files (needs uv; ARGS=--upgrade for newer versions)
	@command -v uv >/dev/null || { echo 'Locking needs uv: install it with `pipx install uv`.' >&2; exit 1; }
	$(LOCK) $(ARGS) --output-file requirements.lock pyproject.toml
	$(LOCK) $(ARGS) --output-file requirements-dev.lock --group dev pyproject.toml

clean: ## Remove the environment and everything that can be made again
	rm -rf $(VENV) build dist demo-data bench/data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
