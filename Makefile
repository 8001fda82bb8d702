# make run starts MediaNest; make test runs everything that CI runs. Both make their environment in .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup run dev test lint freeze bench soak locks

# the environment for running, and for development: nothing happens when it is current
setup:
	@$(PYTHON) packaging/make_environment.py run

dev:
	@$(PYTHON) packaging/make_environment.py dev

# ARGS="--port 7000" adds arguments
run: setup
	@exec $(BIN)/medianest serve $(ARGS)

test: dev
	@$(PYTHON) packaging/ensure_tools.py test freeze
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest tests --ignore tests/blackbox --numprocesses 3
	$(BIN)/pytest tests/blackbox --numprocesses 2
	@$(MAKE) --no-print-directory freeze
	MEDIANEST_BIN=dist/medianest-dir/medianest $(BIN)/pytest tests/blackbox --numprocesses 2
	MEDIANEST_BIN=dist/medianest $(BIN)/pytest tests/blackbox --numprocesses 2

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# dist/medianest (one file) and dist/medianest-dir/ (one folder), for the system this runs on
freeze: dev
	@$(PYTHON) packaging/ensure_tools.py freeze
	@rm -rf dist build && mkdir build
	$(BIN)/pyinstaller --noconfirm --log-level=WARN packaging/medianest.spec > build/log 2>&1 || { tail -40 build/log; exit 1; }
	@dist/medianest version
	@ls -l dist/medianest | awk '{printf "dist/medianest: %.1f MB\n", $$5 / 1000000}'

# every figure beside its target; some minutes
bench: dev
	@$(PYTHON) packaging/ensure_tools.py test
	$(BIN)/python -m tests.bench $(ARGS)
	$(BIN)/pytest tests/look/speed_on_a_phone.py -rP -q

# days of work and trouble, in minutes; ARGS="week" runs a part (items, several, week)
soak: dev
	@$(PYTHON) packaging/ensure_tools.py test
	$(BIN)/python -m tests.soak $(ARGS)

# after a change of the dependencies in pyproject.toml; the locks record hashes and no addresses
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
locks: dev
	$(LOCK) pyproject.toml -o packaging/locks/run.txt
	$(LOCK) pyproject.toml --extra dev --extra freeze -o packaging/locks/dev.txt
	$(LOCK) --constraint packaging/locks/run.txt packaging/locks/build.in -o packaging/locks/build.txt
