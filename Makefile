# `make demo` and `make test` need Python >= 3.11, pip and make, and set up the rest in .venv.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# `make test BROWSER=no` leaves the browser tests out.
BROWSER ?= yes

.PHONY: demo test lint lab bench browser clean help

help:
	@echo "make demo   find the motifs of a real micrograph; writes demo/report.html"
	@echo "make test   lint, types, tests (BROWSER=no leaves the browser tests out)"
	@echo "make lab    JupyterLab with atomotif"
	@echo "make bench  benchmarks against other packages"

# The venv module of Debian comes without pip: pip installs itself into the new environment.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "atomotif needs Python 3.11 or newer")'
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(PY) install --quiet --upgrade pip

$(VENV)/.with-%: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet -e '.[$*]'
	@touch $@

demo: $(VENV)/.with-formats
	$(VENV)/bin/atomotif demo

lint: $(VENV)/.with-formats $(VENV)/.with-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

browser:
ifneq ($(BROWSER),no)
	@sh tests/install_browser.sh
endif

test: lint browser
	ATOMOTIF_BROWSER=$(BROWSER) $(VENV)/bin/pytest -n auto

lab: $(VENV)/.with-lab $(VENV)/.with-formats
	$(VENV)/bin/jupyter lab --ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root)

bench: $(VENV)/.with-formats $(VENV)/.with-bench
	for script in benchmarks/bench_*.py; do $(PY) $$script || exit 1; done

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
