# make run    the index of the mobile-phone survey, from a fresh clone     make lab        JupyterLab at the first chapter
# make test   everything the project promises, checked                     make notebooks  rebuild chapters and exercises from source
#                                                                         make readme     take the README's pictures anew
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# One BLAS thread a process: the matrices here are small, and threads would fight over the cores.
export OPENBLAS_NUM_THREADS ?= 1
# Compiled modules are kept: tests and notebooks start hundreds of processes, and each would compile its libraries anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup setup-dev test pytest lint lab notebooks readme lock bench clean

run: setup
	@$(BIN)/crmlab csi --questionnaire ecsi --data mobi --out build/mobile-survey

setup: $(VENV)/course.stamp
	@:
setup-dev: $(VENV)/dev.stamp
	@:

$(BIN)/uv:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "crmlab needs Python 3.11 or newer; $(PYTHON) was not found. Try: make PYTHON=python3.12 $(or $(MAKECMDGOALS),run)" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "crmlab needs Python 3.11 or newer; found $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(or $(MAKECMDGOALS),run)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --quiet uv==$(UV_VERSION)

$(VENV)/course.stamp: requirements.lock pyproject.toml | $(BIN)/uv
	@echo "Setting up $(VENV) from requirements.lock …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/course.stamp
	@echo "Adding what the tests need from requirements-dev.lock …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

lint: setup-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

# Types are checked beside the tests: either alone would leave a core idle.
test: setup-dev
	@$(MAKE) --no-print-directory --jobs=2 lint pytest
pytest: setup-dev
	@$(BIN)/pytest

# Jupyter refuses to serve root unless told to; in a container there is often nobody else.
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)
lab: setup
	@$(BIN)/jupyter lab $(ROOT_FLAG) $(LAB_FLAGS) --LabApp.default_url=/lab/tree/notebooks/01_customer_lifecycle.ipynb

notebooks: setup
	@$(BIN)/python notebooks/build.py && $(BIN)/python docs/build.py

readme: setup-dev
	@$(BIN)/python docs/build.py --pictures

bench: setup-dev
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# Two locks from one source; the smaller one takes its versions from the larger.
LOCK := uv pip compile pyproject.toml --universal --generate-hashes --no-annotate --no-header --quiet --group build
lock: | $(BIN)/uv
	@$(BIN)/$(LOCK) --extra course --extra dev --output-file requirements-dev.lock
	@$(BIN)/$(LOCK) --extra course --constraints requirements-dev.lock --output-file requirements.lock

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
