# make run    search the hyperparameters of a small CNN, here and now
# make test   run the tests
# make test-installed   build and install the package as a stranger would, and search with it: needs the network
# make coverage   run them and tell which lines of src they reach: takes two to three times as long
# make data   fetch data for the built-in targets, as far as they can be had
# make fuzz   damage study files, tables and results in thousands of ways: each must be read, or told in one line
# make site   write the documentation as a site: open site/index.html; its search needs a server, python3 -m http.server -d site
# make test-slurm   run those that need a SLURM cluster, which they set up here for a while: as root on Debian 12
# All make their own virtual environment first, with the versions of requirements.lock; 'run' and 'data' install only what
# a search needs.
PYTHON ?= python3
CORES ?= $(shell nproc)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# with what the tests, the documents and the exports need
COMPLETE := $(VENV)/complete
# scripts in an environment name its path: one that was moved, or copied, is made anew
MOVED := $(shell [ ! -s $(INSTALLED) ] || [ "$$(cat $(INSTALLED))" -ef . ] || echo moved)

.PHONY: run test test-installed coverage fuzz data test-slurm lint docs site lock clean help $(if $(MOVED),$(INSTALLED))

help:
	@sed -n '1,8p' Makefile | cut -c3-

run: $(INSTALLED)
	$(BIN)/swift-hyperband run --cores $(CORES)

# Workers take over each other's tests, so that they end together; each begins with its share of the longest. There is
# one more than cores, as tests wait for a fifth of their time.
PYTEST := pytest -n $(shell expr $(CORES) + 1) --dist worksteal

test: $(COMPLETE)
	$(BIN)/python -m $(PYTEST) tests

# A new environment, the wheel, a folder elsewhere.
test-installed: $(COMPLETE)
	TEST_INSTALLED=1 $(BIN)/python -m pytest --durations 1 tests/installed

coverage: $(COMPLETE)
	rm -rf .coverage.d && mkdir .coverage.d
	$(BIN)/python -m coverage run -m $(PYTEST) tests
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

fuzz: $(COMPLETE)
	FUZZ_EXAMPLES=2000 $(BIN)/python -m pytest tests/fuzz/test_study_files.py
	FUZZ_EXAMPLES=300 $(BIN)/python -m pytest tests/fuzz/test_tables.py tests/fuzz/test_results.py tests/fuzz/test_program_metrics.py

data: $(INSTALLED)
	$(BIN)/swift-hyperband data all

test-slurm: $(COMPLETE)
	TEST_SLURM=1 $(BIN)/python tests/cluster/cluster.py --minutes 28 with \
		$(BIN)/python -m pytest --durations 12 $(SLURM_TESTS) tests/cluster
	TEST_SLURM=accounting $(BIN)/python tests/cluster/cluster.py --accounting --minutes 10 with \
		$(BIN)/python -m pytest tests/cluster/test_accounting.py tests/cluster/test_failures.py -k 'account or outage'

lint: $(COMPLETE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow rules
	$(BIN)/snakemake --lint

# The schema for editors and the table of keys in config/README.md follow from the study model.
docs: $(COMPLETE)
	$(BIN)/python -m swift_hyperband.study.documents

site: $(COMPLETE)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed, found $$($(PYTHON) --version 2>&1); give one with 'make PYTHON=/path/to/python3.11'" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } || \
		{ echo "error: Python's venv module is needed; on Debian and Ubuntu 'apt-get install python3-venv' brings it" >&2; exit 2; }
	$(PYTHON) -m venv$(if $(MOVED), --clear) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[train]'
	@pwd > $@

$(COMPLETE): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

# Write requirements.lock anew from the newest versions that pyproject.toml allows.
lock:
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet --disable-pip-version-check -e '.[train,slurm,annealer,tensorboard,optuna,mlflow,wandb,docs,dev]'
	{ sed -n '/^#/p' requirements.lock; $(VENV)-lock/bin/pip freeze --exclude-editable --exclude swift-hyperband \
		| grep -vE '^(nvidia-|triton|cuda-)' | sed 's/+cpu$$//'; } > requirements.new
	mv requirements.new requirements.lock && rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) .snakemake .mypy_cache .pytest_cache .ruff_cache
