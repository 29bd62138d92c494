# Set-up is part of every target: .venv is made anew only when a requirements file changes.
.DELETE_ON_ERROR:
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
REQUIREMENTS := layers/vendor/requirements.txt gpu_worker_image/requirements.txt requirements-dev.txt
STAMP := $(VENV)/installed-$(shell cat $(REQUIREMENTS) pyproject.toml | sha256sum | cut -c1-16)
SOURCES := layers/common/python functions gpu_worker_image/src tools

.PHONY: help setup lint test clean
help: ## show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(STAMP): $(REQUIREMENTS) pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet $(addprefix -r ,$(REQUIREMENTS))
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

setup: $(STAMP) ## install everything into .venv

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES) tests

test: setup ## run the tests
	$(BIN)/python -m pytest

clean: ## remove what make made
	rm -rf $(VENV) .cache .aws-sam .pytest_cache .mypy_cache .ruff_cache
