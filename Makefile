# Every target sets up what it needs first; on a machine with nothing but Python 3.11 `make demo` and `make test` work.

PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -qq
# More arguments for pytest: make test PYTEST_ARGS="-k loader -x"
PYTEST_ARGS ?=
# Tests that run at a time; JOBS=0 for one process, where a debugger can stop.
JOBS ?= auto
# The tests' tensors are small: more threads only get in each other's way.
PYTEST := OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(PY) -m pytest
IN_PARALLEL := -n $(JOBS) --dist worksteal
# Pinned, so that everyone's numbers come from the same kernels.
TORCH ?= torch==2.13.0
# A torch-scatter wheel fits only the torch it was compiled against.
WHEELS := .wheels/$(subst ==,-,$(TORCH))
SCATTER := .scatter/$(subst ==,-,$(TORCH))

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-scatter check bench lint format readme pictures docs notebooks dist oldest clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

# torch goes first, alone and pinned: left to the resolver, the newest release comes in, which may bring gigabytes of
# CUDA packages that neither the demo nor the tests use. For a GPU, install the torch build for it into .venv beforehand
# (make setup TORCH=torch keeps whatever is there).
$(VENV)/.setup: setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) (some minutes the first time)"
	@$(PIP) install --upgrade pip setuptools wheel
	@$(PIP) install $(TORCH)
	@$(PIP) install -e '.[dev]'
	@touch $@

$(VENV)/.setup-docs: $(VENV)/.setup
	@$(PIP) install -e '.[docs]'
	@touch $@

setup: $(VENV)/.setup  ## make .venv with the package and the developers' tools

demo: setup  ## the whole way on the built-in cohort: simulate, build, train, evaluate (report in demo/)
	@$(VENV)/bin/gdsfd demo --out demo --force

test: setup  ## the tests, without torch-scatter
	@$(PYTEST) $(IN_PARALLEL) $(PYTEST_ARGS)

check: setup  ## the slow checks
	@$(PYTEST) $(IN_PARALLEL) -m slow $(PYTEST_ARGS)

# BENCH="shapes step" runs only some; BENCH=cuda the ones for a GPU.
bench: setup  ## the lines behind docs/message-passing.md, on an idle machine (10 to 15 minutes)
	@$(PY) benchmarks/message_passing.py $(BENCH)

# torch-scatter has to see the torch it is compiled against, hence no build isolation. It is unpacked beside the
# environment, not into it: `make test` must never find it. A cached wheel that does not load is compiled anew.
$(SCATTER)/.setup: $(VENV)/.setup
	@echo "torch-scatter: taking a built wheel, or compiling one (many minutes)"
	@mkdir -p $(WHEELS) && rm -rf $(SCATTER)
	@ls $(WHEELS)/torch_scatter-*.whl >/dev/null 2>&1 || \
		$(PIP) wheel --no-build-isolation --no-deps --wheel-dir $(WHEELS) torch-scatter
	@$(PIP) install --no-deps --target $(SCATTER) $(WHEELS)/torch_scatter-*.whl
	@PYTHONPATH=$(SCATTER) $(PY) -c 'import torch_scatter' 2>/dev/null || { \
		echo "the wheel at hand does not fit this torch; compiling" && rm -rf $(SCATTER) $(WHEELS)/torch_scatter-*.whl && \
		$(PIP) wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir $(WHEELS) torch-scatter && \
		$(PIP) install --no-deps --target $(SCATTER) $(WHEELS)/torch_scatter-*.whl && \
		PYTHONPATH=$(SCATTER) $(PY) -c 'import torch_scatter'; }
	@touch $@

test-scatter: $(SCATTER)/.setup  ## the same tests with torch-scatter (compiled once, then cached in .wheels/)
	@PYTHONPATH=$(abspath $(SCATTER)) $(PYTEST) $(IN_PARALLEL) $(PYTEST_ARGS)

lint: setup  ## ruff and mypy
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

format: setup  ## let ruff reformat
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

readme: setup  ## the README's figures, from benchmarks/results
	@$(PY) docs/_ext/readme_figures.py

pictures: setup  ## the README's pictures; the report's needs chromium and `make demo` before
	@$(PY) docs/_ext/readme_pictures.py

docs: $(VENV)/.setup-docs  ## the documentation, in docs/_build/html; warnings are errors
	@$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

notebooks: setup  ## run the notebooks anew, in place
	@$(PYTEST) --nbmake --overwrite notebooks

# The wheel is tried from an empty folder: what it lacks, the checkout would lend it.
dist: setup  ## sdist and wheel, checked; the demo from the wheel in an empty environment
	@$(PIP) install build twine check-wheel-contents
	@rm -rf dist .dist build && $(PY) -m build --no-isolation >/dev/null
	@$(PY) -m twine check --strict dist/*
	@$(PY) -m check_wheel_contents dist/*.whl
	@$(PYTHON) -m venv .dist/venv && .dist/venv/bin/python -m pip --disable-pip-version-check -qq install $(TORCH)
	@.dist/venv/bin/python -m pip --disable-pip-version-check -qq install dist/*.whl
	@cd .dist && venv/bin/gdsfd --version && venv/bin/gdsfd demo --out demo && rm -rf venv demo
	@ls dist

# >=2.8 becomes ==2.8.*: the newest patch of the oldest version that setup.cfg allows, of what is required and of the
# extras named. torch's brings gigabytes of CUDA packages on Linux; one that is in .oldest/venv beforehand is kept. Of the
# tests' own tools the newest will do.
OLDEST := .oldest/venv/bin/python
oldest: $(VENV)/bin/python  ## the tests with the oldest dependencies allowed, in an environment of their own
	@mkdir -p .oldest && sed -n '/^install_requires/,/^dev =/s/^ *\([A-Za-z0-9-]*\)[^>]*>=\([0-9.]*\)$$/\1==\2.*/p' setup.cfg > .oldest/constraints.txt
	@$(PYTHON) -m venv .oldest/venv && $(OLDEST) -m pip --disable-pip-version-check -qq install -U pip setuptools wheel
	@$(OLDEST) -m pip --disable-pip-version-check -qq install -c .oldest/constraints.txt -e '.[spark,cluster,tensorboard]' \
		pytest pytest-timeout pytest-xdist hypothesis scikit-survival fairlearn crepes nbmake ipykernel psycopg
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(OLDEST) -m pytest $(IN_PARALLEL) $(PYTEST_ARGS)

clean:  ## remove what was built, but not .venv and the compiled wheels
	@rm -rf build dist .dist .oldest docs/_build demo .pytest_cache .mypy_cache .ruff_cache .scatter
