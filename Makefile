# Needs Python 3.11+, make and git. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The first interpreter on PATH that is new enough.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
STACK_DIR ?= .local
# Roles and commands are started again and again: each would compile the project anew, a third of a role's start.
unexport PYTHONDONTWRITEBYTECODE
ROLES ?= process,apply,store,monitor
export STACK_DIR

BIN := .venv/bin
VENV := .venv/.stamp
# Stopping and cleaning work without a venv too.
STACK = $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m stack

.PHONY: help venv up down status clean demo test test-tools check lint types layers schemas unit fmt bench bench-quick

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV) ## Python environment in .venv, as pinned in requirements.lock

$(VENV): requirements.lock pyproject.toml stack/bootstrap.py
	@$(or $(PYTHON),$(error Python 3.11 or newer is needed and none was found: set PYTHON=/path/to/python)) stack/bootstrap.py

demo: $(VENV) ## The main job on generated data: plant, resync, compare planted with found, prove by SQL
	@$(BIN)/python -m demo

# Tests share out their files to so many workers, each with a stack of its own; 0: one after the other.
WORKERS ?= 3
WORKING = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# One call that has both, `make check test`, runs each test once.
ifeq ($(filter check,$(MAKECMDGOALS)),check)
test: check
test: TESTS ?= tests/e2e
endif

test: $(VENV) ## All tests, on stacks of their own; TESTS=tests/e2e for some, WORKERS=0 for one after the other
	@$(BIN)/python -m pytest $(WORKING) $(TESTS)

test-tools: $(VENV) ## Tests that need helm and the like; they fail, and say how to install it, where a tool is missing
	@$(BIN)/python -m pytest tests/tools

check: $(VENV) ## What CI asks of the code, then unit and integration tests; changes nothing
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint types layers schemas
	@$(BIN)/python -m pytest $(WORKING) tests/unit tests/integration

lint: $(VENV) ## Style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

types: $(VENV) ## Types, strictly
	@$(BIN)/mypy

layers: $(VENV) ## Who may import whom
	@$(BIN)/lint-imports

schemas: $(VENV) ## Generated schemas, archive and documentation are fresh
	@$(BIN)/python -m processor.codec.generate --check && $(BIN)/python -m processor.http.metrics_page --check && $(BIN)/python -m bench.report --check

unit: $(VENV) ## Unit tests only; no services
	@$(BIN)/python -m pytest tests/unit

fmt: $(VENV) ## Formats and mends what can be mended by itself
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: $(VENV) ## Ours beside peers and floors, in turn; figures only where all counts are right; some 25 minutes
	@$(BIN)/python -m bench

bench-quick: $(VENV) ## The same on little data, once; some 2 minutes
	@$(BIN)/python -m bench --quick

up: $(VENV) ## Start what is not running: services, then roles (ROLES= for services only)
	@$(STACK) up --roles "$(ROLES)"

down: ## Stop roles, then services; data stays
	@$(STACK) down

status: ## What runs, where
	@$(STACK) status

clean: ## Stop, then remove data, environment and caches of the checkout (downloads are kept)
	@$(STACK) clean
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Tools that no wheel and no package of Debian brings: `make tools` puts them here, each once for its version.
TOOLS ?= $(HOME)/.cache/selective-sync/tools
export TOOLS
HELM := 3.19.5
VALIDATE := 1.37.0
KEDA := 2.0.0
OPERATOR := 6.0.0
HAVE := $(TOOLS)/have
# Ends a recipe whose program is missing: $(call needed,program,what to do)
needed = command -v $(1) >/dev/null || { echo "$(2)" >&2; exit 1; }
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header

.PHONY: tools locks chart-alerts chart-schema

tools: $(HAVE)/helm-$(HELM) $(HAVE)/validate-$(VALIDATE) $(HAVE)/schemas-$(KEDA)-$(OPERATOR) ## What test-tools needs by Go, pip and npm, once; some 80 s, -j helps; the rest is Debian's

$(HAVE)/helm-$(HELM):
	@mkdir -p $(HAVE)
	@$(call needed,go,Go 1.24 or newer is needed to build helm: install it (or put helm itself on PATH))
	@CGO_ENABLED=0 GOBIN=$(TOOLS)/bin go install -ldflags='-s -w' helm.sh/helm/v3/cmd/helm@v$(HELM)
	@touch $@

$(HAVE)/validate-$(VALIDATE):
	@mkdir -p $(HAVE) $(TOOLS)/bin
	@$(PYTHON) -m venv $(TOOLS)/kubernetes
	@$(TOOLS)/kubernetes/bin/pip install -q kubernetes-validate==$(VALIDATE)
	@ln -sf $(TOOLS)/kubernetes/bin/kubernetes-validate $(TOOLS)/bin/
	@touch $@

$(HAVE)/schemas-$(KEDA)-$(OPERATOR):
	@mkdir -p $(HAVE)
	@$(call needed,npm,npm is needed: apt-get install npm)
	@npm install --silent --no-audit --no-fund --prefix $(TOOLS) \
		@kubernetes-models/keda@$(KEDA) @kubernetes-models/prometheus-operator@$(OPERATOR)
	@touch $@

locks: $(VENV) ## Pins: requirements.lock from requirements.in, and what of it the image runs with and is built with
	@$(UV_COMPILE) requirements.in -o requirements.lock
	@$(UV_COMPILE) --constraints requirements.lock pyproject.toml -o requirements-runtime.lock
	@$(UV_COMPILE) --python-version 3.11 bench/peers/requirements.in -o bench/peers/requirements.lock
	@$(UV_COMPILE) --python-version 3.11 bench/peers/requirements-quix.in -o bench/peers/requirements-quix.lock
	@echo hatchling | $(UV_COMPILE) --constraints requirements.lock - -o requirements-build.lock

chart-alerts: ## Copies ops/alerts.yaml into the chart, which can read no file outside of it
	@cp ops/alerts.yaml helm/selective-sync/files/alerts.yaml

chart-schema: $(VENV) ## Types and ranges of settings, from processor/settings.py into the schema of the chart's values
	@$(BIN)/python -m tests.tools.chart_schema
