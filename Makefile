# Everything runs from .venv, which every target makes first where it is missing or out of date.
# A bare machine needs python 3.11 or newer, make and the registries; no container engine.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The first of these that is new enough and built for speed, or else the first that is new enough;
# `make PYTHON=/path/to/python` decides otherwise.
PYTHON ?= $(shell for wanted in fast any; do \
	for p in python3 python3.13 python3.12 python3.11 python /usr/bin/python3; do \
		"$$p" services/bench/interpreter.py $$wanted 2>/dev/null && echo "$$p" && exit; \
	done; done)

.DEFAULT_GOAL := help
.PHONY: help setup demo test faults soak test-operations test-sdk series dashboards check bench \
	bench-quick bench-beside bench-http bench-report lock manifests deploy-tools clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv, from the lock

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "Ordermesh needs Python 3.11 or newer with venv: install them (on Debian and Ubuntu," \
			"apt-get install python3-venv), or name one: make PYTHON=..." >&2; \
		exit 1; }
	@echo "Setting up .venv with $(PYTHON) (make PYTHON=... takes another)"
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu, apt-get install" \
			"python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--require-hashes --only-binary=:all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## Run the whole engine on this machine and send orders through it
	$(BIN)/ordermesh demo

test: $(STAMP) ## Run the tests, against a real Kafka and a real MongoDB
	$(BIN)/python -m pytest

faults: $(STAMP) ## Kill, stop and starve servers and services under a load, and audit it
	$(BIN)/python -m pytest -m "not soak" tests/faults

soak: $(STAMP) ## Twenty minutes of load with faults at random, audited in rounds
	$(BIN)/python -m pytest -m soak tests/faults

test-operations: $(STAMP) ## Break a deployment under a real Prometheus (apt-get install prometheus)
	$(BIN)/python -m pytest -m operations tests/operations

SDK := tests/sdk/node_modules/.installed
# Which scenarios to walk: all without one. `ls tests/sdk/scenarios` names them.
SCENARIOS :=

test-sdk: $(STAMP) $(SDK) ## Walk the HTTP API with OrderCloud's JavaScript SDK (needs Node 20)
	$(BIN)/python -m tests.sdk.run $(SCENARIOS)

$(SDK): tests/sdk/package.json
	@command -v npm >/dev/null || { \
		echo "The SDK needs Node 20 or newer, with npm: install them first" >&2; exit 1; }
	npm install --prefix tests/sdk --no-package-lock --no-audit --no-fund
	@touch $@

series: $(STAMP) ## Count Prometheus's series while 10,000 orders pass
	$(BIN)/python -m tests.operations.series --orders 10000

dashboards: $(STAMP) ## Write the dashboards and docs/monitoring.md anew
	$(BIN)/python -m ops.dashboards
	$(BIN)/python -m ops.monitoring

check: $(STAMP) ## Formatting, lint, types, import borders, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

bench: $(STAMP) ## Measure throughput and latency on this machine
	$(BIN)/ordermesh bench

bench-quick: $(STAMP) ## Measure only the throughput, in under a minute
	$(BIN)/ordermesh bench --quick --orders 4000

bench-beside: $(STAMP) ## Compare with another checkout, OTHER=DIR, both at work at the same time
	$(BIN)/ordermesh bench-beside $(OTHER)

bench-http: $(STAMP) ## Measure the HTTP API beside a bare FastAPI route (apt-get install wrk)
	$(BIN)/ordermesh bench-http

bench-report: $(STAMP) ## Measure how the cost grows with load, lines and catalogue, into docs/
	$(BIN)/ordermesh bench --report docs/performance

COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --upgrade \
	--universal --python-version 3.11 --generate-hashes --only-binary :all: --no-header \
	--no-emit-index-url --no-emit-find-links

# The image installs the second and the third, with the versions that the tests ran with.
lock: $(BIN)/uv ## Resolve pyproject.toml anew into the requirements*.lock
	$(COMPILE) --all-extras --output-file requirements.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock --extra tracing \
		--output-file requirements-runtime.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock --group build --output-file requirements-build.lock

manifests: $(STAMP) ## Write anew what k8s/ takes from elsewhere: the alert rules
	$(BIN)/python k8s/generate_rules.py

# Outside the repository, and only where Go is at hand: the tests use them where they find them.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ordermesh/tools
KUSTOMIZE := sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
COMPOSE := github.com/compose-spec/compose-go/v2/cmd@v2.16.2
KEDA := github.com/kedacore/keda/v2@v2.18.1

deploy-tools: ## Install what checks the manifests (kustomize, compose-go), with Go
	@command -v go >/dev/null || { echo "Go is not at hand: install it first" >&2; exit 1; }
	GOBIN="$(TOOLS)" go install $(KUSTOMIZE)
	GOBIN="$(TOOLS)/compose-go" go install $(COMPOSE)
	mkdir -p "$(TOOLS)/crds"
	cp "$$(go mod download -json $(KEDA) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p')"/config/crd/bases/*.yaml \
		"$(TOOLS)/crds/"
	chmod -R u+w "$(TOOLS)/crds"

# Only `make lock` needs uv, so it is no part of the lock.
$(BIN)/uv:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

clean: ## Remove .venv and what the tools leave behind
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf tests/sdk/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
