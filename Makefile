# Everything from a clean checkout with Python 3.11: `make reproduce`, `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV ?= .venv
PY := $(VENV)/bin/python
OUT ?= build/notebooks
PROFILE ?= smoke
# What lca_core sets for itself where torch is not loaded yet (lca_core/compiled.py).
export GOMP_SPINCOUNT ?= 10000

# Packages of which only the files are read; pip's requirement files cannot say --no-deps, so the lock keeps
# them in comments (see [dependency-groups] in pyproject.toml).
ASSETS = $(shell sed -n 's/^\# no-deps: //p' requirements.lock)

# nbval runs a committed notebook again, cell by cell. `make reproduce` has papermill run the sources of all
# of them, so a second run of all here would only double the time: `make test` takes the shortest way through
# the whole house, beside the tests, `make nbval` takes every notebook.
NBVAL ?= $(wildcard notebooks/00_quickstart.ipynb)
AS_NOTEBOOKS = --nbval-lax --nbval-current-env --nbval-cell-timeout=600

.PHONY: help venv install test quick lint format nbval book notebooks commit-notebooks reproduce verify weights experiments speedrun lock clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-24s %s\n", $$1, $$2 }'

venv: $(VENV)/.installed ## .venv with everything installed (about 2 minutes, 3 GB; at once when nothing changed)

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(VENV)/bin/pip || { \
	  command -v $(PYTHON) >/dev/null || { \
	    echo "Python 3.11 is needed and $(PYTHON) was not found; install it, or say make PYTHON=/path/to/python3.11" >&2; \
	    exit 1; }; \
	  echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@$(MAKE) --no-print-directory install PY=$(PY)
	@touch $@

install: PY = python
install: ## the same into the Python of PY (default: the active environment, for instance conda's)
	@$(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed; $(PY) is $$($(PY) --version)" >&2; exit 1; }
	@$(PY) -c 'import os, sys; sys.exit(sys.prefix == sys.base_prefix and not os.path.isdir(sys.prefix + "/conda-meta"))' || \
	  { echo "$(PY) is the system's own Python, which other programs use: say make venv, or activate an environment" >&2; \
	    exit 1; }
	@echo "installing requirements.lock: about 230 packages, a few minutes the first time"
	@$(PY) -m pip install --disable-pip-version-check -q -r requirements.lock
	@$(PY) -m pip install --disable-pip-version-check -q --no-deps $(ASSETS)
	@$(PY) -m pip install --disable-pip-version-check -q --no-deps -e .
	@# opencv, which mediapipe asks for, opens windows: bare servers and containers lack what it links to.
	@$(PY) -c 'import cv2' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends libgl1 libglib2.0-0; \
	  else echo "opencv lacks system libraries; on Debian and Ubuntu: apt-get install libgl1 libglib2.0-0" >&2; fi; \
	  $(PY) -c 'import cv2'; }
	@# Not needed, but digital humans are drawn several times faster with it.
	@$(PY) -c 'import sys; from lca_core.people.stage.backend import find_llvm; sys.exit(find_llvm() is None)' || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && { apt-get install -y -qq --no-install-recommends libllvm19 || \
	      apt-get install -y -qq --no-install-recommends libllvm18; } || \
	    echo "no LLVM 18 or 19 from apt-get: digital humans are drawn without it, slowly" >&2; fi; }

test: lint ## ruff, pytest (a worker a core), and nbval on the quickstart among them (some ten minutes on two cores)
	$(PY) -m pytest $(AS_NOTEBOOKS) tests $(NBVAL)

quick: lint ## ruff and the tests that draw nobody and start no process (a minute on two cores, once caches are made)
	$(PY) -m pytest --quick

lint: venv ## ruff: rules and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: venv ## let ruff put the format right
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

nbval: NBVAL = $(wildcard notebooks/[0-9]*.ipynb)
nbval: venv ## run the committed notebooks again and compare the cells that ask for it
	$(PY) -m pytest -n 0 $(AS_NOTEBOOKS) $(NBVAL)

book: venv ## the course as a site, to be read without a network: build/book/html
	$(PY) docs/book.py

notebooks: venv ## run every notebook at PROFILE (smoke) into OUT (build/notebooks)
	$(PY) notebooks/run.py --profile $(PROFILE) --out $(OUT)

commit-notebooks: venv ## run every notebook as it stands and renew the committed .ipynb files
	$(PY) notebooks/run.py --commit

reproduce: venv ## run every notebook at smoke, evaluate the shipped checkpoint, print our table beside the paper's
	@$(MAKE) --no-print-directory notebooks
	$(PY) -m lca_core verify --people 2
	@echo
	@echo "Where to look:"
	@echo "  executed notebooks        $(OUT)/*.ipynb (seconds of each: $(OUT)/seconds.json)"
	@echo "  what they wrote           $(OUT)/<notebook>/"
	@echo "  every number's record     results/records/"
	@echo "  figures                   results/figures/"

weights: venv ## people, pretraining, post-training, evaluation at PROFILE, into runs/PROFILE; goes on where it stopped
	$(PY) -m lca_core weights --profile $(PROFILE) $(if $(MINUTES),--minutes $(MINUTES))

experiments: venv ## train, judge and record every row of the experiments' table that is not done (ONLY=NAME for one); goes on
	$(PY) -m lca_core experiments $(if $(ONLY),--only '$(ONLY)')

speedrun: venv ## minutes of two cores until people whom nobody trained on are drawn well enough: yours to beat
	$(PY) benchmarks/speedrun.py

verify: venv ## hold the records to what they say: numbers, hashes, a sample measured again (15 minutes; FULL=1: all, hours)
	$(PY) -m lca_core verify $(if $(FULL),--full)

lock: venv ## renew requirements.lock from pyproject.toml, keeping every pin that still fits
	$(PY) -m pip install -q 'pip-tools>=7.6'
	$(PY) -m piptools compile -q --annotation-style=line -o requirements.lock pyproject.toml
	$(PY) -c "import pathlib, tomllib; \
	  assets = tomllib.loads(pathlib.Path('pyproject.toml').read_text())['dependency-groups']['assets']; \
	  lock = pathlib.Path('requirements.lock'); text = lock.read_text().replace('+cpu', ''); \
	  head = '\n# Installed after all the rest with --no-deps, for the files in them (make install does it):\n'; \
	  lock.write_text(text + head + ''.join(f'# no-deps: {asset}\n' for asset in assets))"

clean: ## remove what was built; .venv and the caches stay
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv too
	rm -rf $(VENV)
