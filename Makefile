# Two commands set the hub up: `make demo` and `make test`. Everything else is for those who work on it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
WORKERS ?= 2
# The oldest PostgreSQL we promise; what tests/oldest.py chooses runs on it again where its programs are installed.
OLDEST_POSTGRES_BIN ?= /usr/lib/postgresql/15/bin
PYTEST := $(BIN)/python -m pytest
EVERYDAY := not soak and not quality
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.run ## Load the demo firm and start the server (SERVE=0: print the summary and stop).
	@$(BIN)/mdm demo $(if $(filter 0,$(SERVE)),--no-serve)

.PHONY: venv
venv: $(VENV)/.dev ## Make .venv with all that development and tests need.

.PHONY: check
check: $(VENV)/.dev ## Lint, types, import contracts and house rules: what must hold before a commit.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST) tests/house -q

.PHONY: test
test: check ## Everything that .ci/run runs: check, all tests, then those of the stores on the oldest PostgreSQL.
	$(PYTEST) -n $(WORKERS) -m "$(EVERYDAY)" --ignore=tests/house --durations=20 --hypothesis-profile=ci
	@if [ -x "$(OLDEST_POSTGRES_BIN)/postgres" ]; then \
		echo "Again on $$($(OLDEST_POSTGRES_BIN)/postgres --version):"; \
		MDM_TEST_POSTGRES_BIN="$(OLDEST_POSTGRES_BIN)" MDM_TEST_STORE_CALLS=1 \
			$(PYTEST) -n $(WORKERS) -m "oldest and $(EVERYDAY)" --durations=10 --hypothesis-profile=ci; \
	else \
		echo "No PostgreSQL 15 in $(OLDEST_POSTGRES_BIN): its second run is left out."; \
	fi

.PHONY: oldest
oldest: $(VENV)/.dev ## All tests that need PostgreSQL on the oldest one; `make test` runs those there that call each store once.
	MDM_TEST_POSTGRES_BIN="$(OLDEST_POSTGRES_BIN)" \
		$(PYTEST) -n $(WORKERS) -m "db and $(EVERYDAY)" --ignore=tests/house --durations=10 --hypothesis-profile=ci

.PHONY: soak
soak: $(VENV)/.dev ## The long tests, with a random seed that is printed (SEED=… repeats a run).
	@seed="$${SEED:-$$RANDOM$$RANDOM}"; echo "SEED=$$seed"; \
		MDM_TEST_SEED="$$seed" MDM_TEST_PROFILE=soak $(PYTEST) -m soak --timeout=0 --hypothesis-seed="$$seed" --durations=0 -s

.PHONY: quality
quality: $(VENV)/.dev ## Floors of match quality on the labelled sets in MDM_LABELLED_DATA.
	$(PYTEST) -m quality --timeout=0 --durations=0 -s

.PHONY: bench
bench: $(VENV)/.dev ## Measure the budgets; run it before and after a claim about speed.
	@for script in benchmarks/bench_*.py; do \
		[ -e "$$script" ] || { echo "benchmarks/ holds no script yet."; exit 1; }; \
		echo "== $$script"; $(BIN)/python "$$script"; \
	done

.PHONY: docs
docs: $(VENV)/.dev ## Write the reference pages that are made from the code.
	$(BIN)/python docs/generate.py

.PHONY: words
words: $(VENV)/.dev ## Bring the catalogues of the console up to its texts; what is new is left to translate.
	@$(BIN)/pybabel -q extract -F api/console/locale/babel.cfg -k N_ -k text --no-location --sort-output --omit-header \
		-o $(VENV)/console.pot api/console
	@for file in api/console/locale/*/LC_MESSAGES/console.po; do \
		language="$${file#api/console/locale/}"; \
		$(BIN)/pybabel -q update -D console -i $(VENV)/console.pot -o "$$file" -l "$${language%%/*}" \
			--no-fuzzy-matching --ignore-obsolete --no-wrap --ignore-pot-creation-date; \
		echo "$$file: $$(grep -c '^msgid' "$$file") texts, $$(grep -c '^msgstr \"\"$$' "$$file") without words"; \
	done

.PHONY: fmt
fmt: $(VENV)/.dev ## Format, and mend what ruff can mend.
	$(BIN)/ruff check --fix-only --exit-zero --quiet
	$(BIN)/ruff format

.PHONY: lock
lock: $(VENV)/.dev ## Pin what pyproject.toml asks for, with hashes (LOCK=--upgrade takes newer releases).
	$(COMPILE) $(LOCK) --extra embedded --output-file requirements/run.txt pyproject.toml requirements/build.in
	$(COMPILE) $(LOCK) --extra embedded --extra train --extra speed --extra spark --extra nats --extra rabbitmq --extra kafka --extra dev \
		--output-file requirements/dev.txt pyproject.toml requirements/build.in

.PHONY: clean
clean: ## Remove caches, build results and .venv; the data in .mdm stay.
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .grimp_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Install the list $(1), then the project where it stands, without a build environment of its own; talk only on failure.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
define install
{ $(PIP) --require-hashes -r $(1) && $(PIP) --no-deps --no-build-isolation --editable .; } >$(VENV)/install.log 2>&1 \
	|| { cat $(VENV)/install.log >&2; exit 1; }
endef

# The environments. A stamp says which requirements .venv was last made from; dev holds all of run.

$(BIN)/python:
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: install it (Debian: apt-get install python3) or name it with PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv is missing: install it (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing the pinned requirements (once; about 20 seconds)."
	@$(call install,requirements/run.txt)
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing the pinned requirements for development (once; about a minute)."
	@$(call install,requirements/dev.txt)
	@touch $@ $(VENV)/.run
