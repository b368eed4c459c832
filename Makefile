# kbio: every task a person or a CI machine needs. `make` alone prints the list.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests that share the rendered site, and the browser: one process. All others: two at a time.
TOGETHER := tests/browser tests/test_default_site.py
NB := $(wildcard notebooks/[0-9]*.ipynb)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup reports test lint browser bench lab diff-setup readme picture lock data-package check clean

help:  ## print this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## create .venv and install the locked packages

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "kbio needs Python 3.11 or newer; name one with: make PYTHON=python3.11 setup" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

reports: setup  ## render every notebook into reports/site, and the grid of the what-if page
	$(BIN)/kbio render
	$(BIN)/kbio render --batch reports/batches/forecast_grid.yml
	@echo "Open reports/site/index.html"

test: setup lint browser  ## lint, tests, notebooks under nbval, pages in a real browser
	$(BIN)/python -m pytest -n 2 --dist loadfile tests $(TOGETHER:%=--ignore=%)
	$(BIN)/python -m pytest $(TOGETHER)
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax --nbval-kernel-name python3 -p no:cacheprovider $(NB)

lint: setup  ## ruff on the library, the tests and the notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

browser:  ## find a Chromium for the page tests, or install the system's own
	@tools/browser.sh

check: setup  ## execute the notebooks and compare with the committed references
	$(BIN)/kbio check

bench: setup  ## benchmarks: speed against papermill + nbconvert, memory, cluster, two estimators
	$(BIN)/python -m bench

lab: setup  ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

diff-setup: setup  ## let git compare notebooks by cell (nbdime), without what running them leaves; this repository only
	git config --local filter.notebook.clean "$(BIN)/python tools/settled.py"
	git config --local diff.jupyternotebook.command tools/diff.sh
	git config --local merge.jupyternotebook.name "notebooks by cell (nbdime)"
	git config --local merge.jupyternotebook.driver "$(BIN)/git-nbmergedriver merge %O %A %B %L %P"

readme: setup  ## write the computed parts of the README: answers, provenance
	$(BIN)/python tools/readme.py

picture: setup  ## make docs/report.png anew, the picture of a report in the README
	$(BIN)/python tools/picture.py

lock: setup  ## pin every package again (UPGRADE=1 takes newer releases) and rewrite environment.yml
	$(BIN)/python tools/lock.py

data-package: setup  ## rebuild the passports' checksums after a deliberate change of a table
	$(BIN)/python -m kbio_analysis.data.package

clean:  ## remove .venv and everything built
	rm -rf $(VENV) reports/site .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
