# nashra. Needs GNU make and python3 >= 3.11; everything else goes into .uv/ and .venv/ here.
#
#   make            what there is
#   PYTHON=...      the interpreter to use
#
# Nothing outside this folder is changed, no activated environment is needed, and an active one is
# left alone.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV_VERSION := 0.13.9

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.nashra-installed
INSTALLED_DEV := $(VENV)/.nashra-installed-dev
INSTALLED_KAFKA := $(VENV)/.nashra-installed-kafka
INSTALLED_BENCH := $(VENV)/.nashra-installed-bench
INPUTS := pyproject.toml uv.lock

# uv of the machine if there is one, else ours (brought by pip into .uv/).
UV_FOUND := $(shell command -v uv 2>/dev/null)
UV_OWN := .uv/$(UV_VERSION)/bin/uv
UV := $(if $(UV_FOUND),$(UV_FOUND),$(UV_OWN))
UV_NEEDED := $(if $(UV_FOUND),,$(UV_OWN))

# An environment that is active in the caller's shell must not be used, nor reported.
unexport VIRTUAL_ENV
unexport PYTHONHOME
unexport PYTHONPATH
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
# The machine's certificates: a company's proxy signs with its own.
export UV_SYSTEM_CERTS := 1
export UV_NO_PROGRESS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# No home, or none that can be written: keep the download cache here.
ifeq ($(origin UV_CACHE_DIR),undefined)
ifneq ($(shell test -n "$${XDG_CACHE_HOME-}$${HOME-}" && \
         mkdir -p "$${XDG_CACHE_HOME:-$${HOME-}/.cache}/uv" 2>/dev/null && \
         test -w "$${XDG_CACHE_HOME:-$${HOME-}/.cache}/uv" && echo yes),yes)
export UV_CACHE_DIR := $(CURDIR)/.uv/cache
endif
endif

# A copied or moved checkout carries an environment whose scripts point to the old place.
ifneq ($(wildcard $(INSTALLED)),)
ifneq ($(shell cat $(INSTALLED) 2>/dev/null),$(CURDIR))
$(shell rm -rf $(VENV))
endif
endif

say = @printf '%s\n' "==> $(1)"

.PHONY: help install dev demo kafka test test-kafka faults check format lint types imports contract schemas golden bench clean

help:  ## this list
	@printf 'make TARGET, where TARGET is one of\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  \1|\2/p' Makefile | awk -F'|' '{printf "%-14s%s\n", $$1, $$2}'
	@printf '\nPYTHON=/path/to/python3.12 chooses the interpreter (now: $(PYTHON)).\n'

install: $(INSTALLED)  ## bring uv, and what nashra needs, into .uv/ and .venv/
	$(call say,installed: $(BIN)/nashra --help)

dev: $(INSTALLED_DEV)  ## install, and the tools for tests and checks
	$(call say,installed with test tools: make test)

demo: $(INSTALLED)  ## broker, topics, workers, sample articles: see them arrive
	@$(BIN)/nashra demo

kafka: $(INSTALLED_KAFKA)  ## Apache Kafka on loopback; options: make kafka ARGS="--nodes 3 --secure"
	@$(kafka_ok)
	@$(BIN)/nashra broker --engine kafka $(ARGS)

test: $(INSTALLED_DEV)  ## all tests; one part: make test ARGS=tests/schemas
	$(call say,running the tests)
	@$(BIN)/python -m pytest -q $(ARGS)

test-kafka: $(INSTALLED_DEV)  ## the end-to-end tests, and some faults, on Apache Kafka
	@$(kafka_ok)
	$(call say,running the end-to-end tests on Apache Kafka)
	@NASHRA_TEST_ENGINE=kafka FAULTS=part $(BIN)/python -m pytest -q tests/e2e \
	  tests/faults/test_workers.py::test_random_kill_9 $(ARGS)

faults: $(INSTALLED_DEV)  ## all fault rehearsals at full length on Apache Kafka (half an hour)
	@$(kafka_ok)
	@FAULTS=all $(BIN)/python -m pytest -q -s -p no:randomly tests/faults $(ARGS)

check: format lint types imports contract  ## every check but the tests

format: $(INSTALLED_DEV)  ## check: is the code formatted? (ruff format mends it)
	$(call say,format)
	@$(BIN)/ruff format --check .

lint: $(INSTALLED_DEV)  ## check: ruff's rules
	$(call say,lint)
	@$(BIN)/ruff check .

types: $(INSTALLED_DEV)  ## check: mypy --strict
	$(call say,types)
	@$(BIN)/mypy

imports: $(INSTALLED_DEV)  ## check: the one-way house
	$(call say,import contracts)
	@$(BIN)/lint-imports --no-cache

contract: $(INSTALLED)  ## check: schemas/generated is what the code says
	$(call say,published contract)
	@$(BIN)/nashra schemas export --check

schemas: $(INSTALLED)  ## rewrite schemas/generated and its examples
	@$(BIN)/nashra schemas export

golden: $(INSTALLED_DEV)  ## rewrite the golden files of the tests; review the difference
	@NASHRA_GOLDEN=write $(BIN)/python -m pytest -q -p no:randomly tests -k golden

bench: $(INSTALLED_BENCH)  ## measure; some of it: make bench ARGS="text delivery soak"
	@$(BIN)/python -m tests.bench $(ARGS)

clean:  ## remove .venv/, .uv/ and all caches
	rm -rf $(VENV) .uv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .nashra dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): $(INPUTS) | $(UV_NEEDED)
	$(call say,installing nashra into $(VENV)/ (about 180 MB; a minute on a slow line))
	@$(call sync,)
	@pwd > $@

$(INSTALLED_DEV): $(INPUTS) | $(UV_NEEDED)
	$(call say,installing nashra and its test tools into $(VENV)/)
	@$(call sync,--group dev)
	@pwd > $(INSTALLED)
	@pwd > $@

$(INSTALLED_KAFKA): $(INPUTS) | $(UV_NEEDED)
	$(call say,installing nashra and what makes certificates into $(VENV)/)
	@$(call sync,--extra kafka)
	@pwd > $(INSTALLED)
	@pwd > $@

$(INSTALLED_BENCH): $(INPUTS) | $(UV_NEEDED)
	$(call say,installing nashra and the engines to measure it against into $(VENV)/)
	@$(call sync,--group dev --group bench)
	@pwd > $(INSTALLED)
	@pwd > $@

# --inexact keeps what is there beyond the list: the test tools, or the extra camel-ner.
define sync
$(python_ok)
"$(UV)" sync --frozen --inexact --quiet --python "$$python" $(1) || { \
  echo "nashra: the packages could not be installed (see above). Is the package index within reach?"; \
  echo "        Behind a proxy: set HTTPS_PROXY; with an index of your own: set UV_DEFAULT_INDEX."; \
  exit 1; }
endef

# Says what Apache Kafka needs; its jars come on the first run, by Maven, into the user's caches.
define kafka_ok
for tool in java mvn; do command -v $$tool >/dev/null 2>&1 || { \
  echo "nashra: Apache Kafka needs Java 17 or newer and Maven; there is no '$$tool' on the PATH."; \
  echo "        Debian and Ubuntu: apt-get install openjdk-17-jre-headless maven"; \
  exit 1; }; done
endef

# Sets $python to the interpreter's own path, or says what is wrong with it.
define python_ok
python=`$(PYTHON) -c 'import sys; print(sys.executable)' 2>/dev/null` || { \
  echo "nashra: no '$(PYTHON)' that runs. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"; \
  exit 1; }; \
"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "nashra: needs Python 3.11 or newer; '$(PYTHON)' is `"$$python" -V 2>&1`. Name a newer one: make PYTHON=python3.12"; \
  exit 1; };
endef

$(UV_OWN):
	$(call say,no uv on this machine: bringing uv $(UV_VERSION) into .uv/)
	@$(python_ok) \
	rm -rf .uv/$(UV_VERSION); mkdir -p .uv; \
	"$$python" -m venv .uv/$(UV_VERSION) >.uv/venv.log 2>&1 || { \
	  cat .uv/venv.log; rm -rf .uv/$(UV_VERSION); \
	  echo "nashra: this Python makes no environments (venv or ensurepip is missing)."; \
	  echo "        Debian and Ubuntu: apt-get install python3-venv; or put uv on the PATH."; \
	  exit 1; }; \
	.uv/$(UV_VERSION)/bin/python -m pip install --quiet uv==$(UV_VERSION) || { \
	  rm -rf .uv/$(UV_VERSION); \
	  echo "nashra: pip could not fetch uv $(UV_VERSION) (see above). Is the package index within reach?"; \
	  echo "        Behind a proxy: set HTTPS_PROXY; with an index of your own: set PIP_INDEX_URL;"; \
	  echo "        or put uv on the PATH."; \
	  exit 1; }
