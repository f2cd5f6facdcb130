# make chat [PROMPT="…"] [MODEL=…]    talk to a model; with PROMPT, answer once
# make test                           run the tests
# make parity                         run the tests against other implementations
# make bench                          run the benchmarks beside their peers
# make lint                           check format, style and types
#
# Each installs what it needs into .venv first; what is there already is not installed again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
BENCHMARKS := gemm dispatch graph cpu_ops cpu_lm chat session tokenizer generation reply_length

ifeq ($(shell uname),Darwin)
PACKAGE := .
SYSTEM := xcode-select --install, and Python from python.org
else
PACKAGE := .[cpu]
SYSTEM := sudo apt-get install python3-venv python3-dev g++ make
endif

# What the extension module is built from.
SOURCES := pyproject.toml setup.py build_ffi.py $(shell find vendor/mlx-c mlxc/_native -type f \
    \( -name '*.py' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' -o -name '*.inl' \))

# Only what stands on make's command line counts, as it stands there: shells have a PROMPT too.
ifeq ($(origin PROMPT),command line)
override PROMPT := $(value PROMPT)
CHAT := --prompt "$$PROMPT"
export PROMPT
endif
ifeq ($(origin MODEL),command line)
override MODEL := $(value MODEL)
CHAT += --model "$$MODEL"
export MODEL
endif

.PHONY: chat test parity bench lint system

chat: $(VENV)/installed
	@$(BIN)/mlxrs chat $(CHAT)

# Tests marked `reference` need torch and other large packages: they are `make parity`.
test: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -q -m "not reference"

parity: $(VENV)/installed-dev $(VENV)/installed-reference
	@$(BIN)/python -m pytest -q -m reference

bench: $(VENV)/installed-dev $(VENV)/installed-reference $(VENV)/installed-bench
	@for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py || exit 1; done

lint: $(VENV)/installed-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

system:
	@missing=; \
	need() { missing="$$missing$${missing:+, }$$1"; }; \
	if ! command -v $(PYTHON) >/dev/null; then need $(PYTHON); \
	elif ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    need "python 3.11 or newer ($(PYTHON) is $$($(PYTHON) -V 2>&1))"; \
	else \
	    $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || need "the venv module"; \
	    test -f "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" \
	        || need Python.h; \
	fi; \
	command -v g++ >/dev/null || need g++; \
	if test -n "$$missing"; then \
	    printf '%s\n' "Missing: $$missing. Install what is needed with:" "    $(SYSTEM)" >&2; \
	    exit 1; \
	fi

# `system` is checked every time but never makes anything out of date.
$(VENV)/created: | system
	@echo "Creating $(VENV)…" >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(SOURCES) $(VENV)/created | system
	@echo "Building mlxrs (about a minute)…" >&2
	@$(PIP) install --editable "$(PACKAGE)"
	@touch $@

# An extra's packages, without building mlxrs again.
$(VENV)/installed-%: pyproject.toml | $(VENV)/installed system
	@echo "Installing the packages of [$*]…" >&2
	@$(BIN)/python -c 'import tomllib; \
	    project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	    print(*project["optional-dependencies"]["$*"], sep="\n")' > $(VENV)/$*.txt
	@$(PIP) install --requirement $(VENV)/$*.txt
	@touch $@
