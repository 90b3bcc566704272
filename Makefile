# Everything works on a machine that has only Python 3.11+ and make: each target makes its own virtual environment.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
RUN := $(VENV)/bin
WORKERS ?= auto
# One process for each core; whoever is done takes tests from the others. WORKERS=0 runs all in one, for a debugger.
# Compiled modules are kept: all of them share these, and so do the processes that tests begin.
PYTEST = PYTHONDONTWRITEBYTECODE= $(RUN)/python -m pytest -q -n $(WORKERS) --maxprocesses 8 --dist worksteal

.PHONY: help demo test test-slow test-lowest test-pythons test-core fuzz lint docs bench clean

help:  ## Say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/installed  ## Train a network on the penguins and score it
	@mkdir -p build
	$(RUN)/chainrule train examples/penguins.csv --target species --out build/penguins.safetensors

test: $(VENV)/tested  ## Run all the tests but the slow ones
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/tested  ## Run the tests that take minutes, and those of generated cases with more cases
	CHAINRULE_EXAMPLES=1 $(PYTEST) -m slow
	CHAINRULE_EXAMPLES=2 $(PYTEST) -m "hypothesis and not slow"

test-core: $(VENV)/tested  ## Test the C++ core by itself: every instruction set, and under the sanitizers
	PATH="$(abspath $(RUN)):$$PATH" native/tests/run.sh

SECONDS ?= 60
fuzz: $(VENV)/tested  ## Attack it for SECONDS=60 with random cases; SEED=... repeats them, SUBJECTS="files tables" chooses
	PYTHONPATH=tests $(RUN)/python -m fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES)) $(SUBJECTS)

# The fewest tests that touch every library, for runs with other versions of them than those of `make test`.
LIBRARIES := tests/test_container.py tests/files/test_old_formats.py tests/tables tests/training/test_lbfgs.py \
	tests/test_activations.py tests/estimators/test_files.py tests/estimators/test_ecosystem.py tests/cli/test_help.py \
	tests/cli/test_screen.py tests/cli/test_train.py
LOWEST := .venv-lowest

test-lowest: $(LOWEST)/tested  ## Test with the lowest versions that pyproject.toml promises, of what builds it too
	$(LOWEST)/bin/python -m pytest -q -m "not slow" -n auto --dist worksteal $(LIBRARIES)

# Every version of Python that the classifiers promise and that is on this machine; TESTS=... chooses the tests.
TESTS ?= tests src/chainrule
test-pythons:  ## Test with every Python that is promised and found here
	@for v in $$(sed -n 's/.*Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml); do \
		if python$$v -c 'import ssl' 2>/dev/null; then \
			echo "== Python $$v"; $(MAKE) --no-print-directory VENV=.venv-$$v PYTHON=python$$v test-python || exit 1; \
		else echo "== Python $$v isn't on this machine: not tested"; fi; done

.PHONY: test-python
test-python: $(VENV)/tested
	$(RUN)/python -m pytest -q -m "not slow" -n auto --dist worksteal $(TESTS)

lint: $(VENV)/tested  ## Style and types
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

docs: $(VENV)/tested  ## Write docs/reference, docs/explanation, the README's outputs and the rendered examples
	@mkdir -p build
	PATH="$(abspath $(RUN)):$$PATH" $(RUN)/python docs/generate.py
	$(RUN)/python tests/explain/goldens.py

bench: $(VENV)/installed  ## Speed beside scikit-learn, PyTorch and JAX where they are installed, and the time of import
	$(RUN)/python benchmarks/race.py
	$(RUN)/python benchmarks/members.py
	$(RUN)/python benchmarks/step_time.py
	$(RUN)/python benchmarks/lookups.py
	$(RUN)/python benchmarks/import_time.py
	$(RUN)/python benchmarks/explain_time.py

clean:  ## Take away the virtual environment and what was built
	rm -rf $(VENV) .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "chainrule needs Python 3.11 or newer; none was found on the PATH" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

SOURCES := pyproject.toml $(wildcard native/CMakeLists.txt native/*/*.cpp native/*/*.h)

$(VENV)/installed: $(SOURCES) | $(VENV)/bin/python
	@echo "installing chainrule into $(VENV) (the first time takes about a minute) ..."
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(LOWEST)/tested: $(SOURCES) .ci/lowest.py
	@echo "installing chainrule and the lowest versions of what it needs into $(LOWEST) ..."
	@$(PYTHON) -m venv $(LOWEST)
	@$(PYTHON) .ci/lowest.py > $(LOWEST)/constraints.txt
	@PIP_CONSTRAINT=$(LOWEST)/constraints.txt $(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--config-settings=build-dir=build/lowest '.[test]'
	@touch $@

$(VENV)/tested: $(SOURCES) | $(VENV)/bin/python
	@echo "installing chainrule and what its tests need into $(VENV) ..."
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,core,lint]'
	@touch $@ $(VENV)/installed
