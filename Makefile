# Catchment. `make` alone lists what there is. Needs make and python3 (3.11 or later), nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= catchment.yaml
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo run test prove check fix lock lab bench wheels secrets clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@sh tests/venv.sh "$(PYTHON)" "$(VENV)"
	@touch $@

demo: $(STAMP) ## watch a two-region anycast network fail and recover (asks before it installs packages; YES=1 does not)
	@$(BIN)/python -m lab.packages --for demo $(if $(YES),--yes)
	@$(BIN)/catchment demo $(DEMO)

run: $(STAMP) ## run the daemon on your own intent file: make run CONFIG=mine.yaml
	@$(BIN)/catchment run -c $(CONFIG)

test: $(STAMP) ## everything this machine can run, and a line for each thing left out
	@$(BIN)/python -m tests.suite

prove: $(STAMP) ## the long counts behind the figures in the docs; resumes; writes docs/evidence/*.json
	@$(BIN)/python -m tests.prove $(PROVE)

check: $(STAMP) ## style, types, import rule, generated files, figures in the docs
	@$(BIN)/python -m tests.checks

fix: $(STAMP) ## format, and mend what the linter can
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

lock: $(STAMP) ## resolve the dependencies anew
	@$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --upgrade -q \
	  --python-version 3.11 --group dev pyproject.toml -o requirements.lock

lab: $(STAMP) ## bring the lab up, and leave it up (catchment lab down ends it)
	@$(BIN)/python -m lab.packages --for lab $(if $(YES),--yes)
	@$(BIN)/catchment lab up

bench: $(STAMP) ## side-by-side measurements
	@$(BIN)/python -m benchmarks $(BENCH)

wheels: $(STAMP) ## fill wheels/, from which the container images are built
	@sh deploy/wheels.sh $(VENV)

secrets: ## make secrets/: passwords and tokens for docker-compose.yml, each in a file
	@sh deploy/secrets.sh

clean: ## remove what the other targets made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .prove
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
