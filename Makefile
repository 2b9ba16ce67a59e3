# Two commands for a new machine: `make demo` and `make test`. Each does all of its own set-up.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check conformance bench docs setup engine clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## make the project's own environment in .venv
$(READY): pyproject.toml uv.lock tools/bootstrap
	@tools/bootstrap $(VENV)

demo: $(READY) ## the whole way from a push to its commit status, here; KEEP=1 leaves it running
	@tools/demo/start $(if $(KEEP),--keep)

test: $(READY) ## everything: lint, types, contracts, docs checks, conformance and every tier of tests
	@tools/run_tests

check: $(READY) ## lint, formatting, types, import contracts
	@tools/check

conformance: $(READY) ## the table of language cases passed
	@$(BIN)/python -m tests.conformance

bench: $(READY) ## the benchmarks, side by side with floor and peer
	@tools/with_engine $(BIN)/python -m benchmarks

docs: $(READY) ## write the generated pages of docs/reference again
	@$(BIN)/python tools/generate_checks.py
	@$(BIN)/python tools/generate_cli_reference.py > docs/reference/cli.md.new
	@mv docs/reference/cli.md.new docs/reference/cli.md

engine: $(READY) ## start the test container engine and build its images
	@tools/with_engine true

clean: ## remove what the commands above made, and stop the test engine
	@tools/clean
