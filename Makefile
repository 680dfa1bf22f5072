# Everything that is done with this project, from a clean clone. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The CPU build is enough to train; plain `torch` brings CUDA.
TORCH ?= torch==2.13.0
RUN ?= default
# Labelled transcripts from outside the repository that training adds, e.g. EXTERNAL=../ordinary.jsonl
EXTERNAL ?=
BUNDLE ?= classifier/bundles/default
HOST_PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check
export HF_HUB_OFFLINE ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-train test-browser check fix train eval bench data-check data-schema docs clean

help:        ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

# pip of the host installs into the environment, so that python3-venv is not needed.
$(BIN)/python:
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.runtime: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing the runtime (no torch) into $(VENV); the first time takes a minute"
	@$(HOST_PIP) install --quiet -e .
	@touch $@

$(VENV)/.serve: $(VENV)/.runtime
	@echo "installing the server into $(VENV)"
	@$(HOST_PIP) install --quiet -e '.[serve]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing what checks and tests need into $(VENV); the first time takes some minutes"
	@$(HOST_PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.runtime $(VENV)/.serve

$(VENV)/.train: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing $(TORCH) and what training needs into $(VENV); this takes some minutes"
	@$(HOST_PIP) install --quiet '$(TORCH)'
	@$(HOST_PIP) install --quiet -c constraints.txt -e '.[train]'
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime ## label the example transcripts with the shipped model
	@$(BIN)/tbc label examples --table
	@echo
	@echo "One transcript in full:   $(BIN)/tbc explain examples/berth-planner.jsonl --id berth-planner-veiled-hint"
	@echo "Your own logs:            $(BIN)/tbc label PATH... --out verdicts.jsonl"
	@echo "The HTTP service:         make serve    (then open http://127.0.0.1:8321, or POST to /v1/classify)"

serve: $(VENV)/.serve ## start the HTTP service on 127.0.0.1:8321
	@echo "serving on http://127.0.0.1:8321 (POST /v1/classify, docs at /docs); stop with Ctrl-C"
	@$(BIN)/tbc-serve

test: $(VENV)/.dev ## fast, hermetic tests
	@$(BIN)/python -m pytest -m "not train and not browser"

test-train: $(VENV)/.dev $(VENV)/.train ## tests of the training steps, with torch
	@$(BIN)/python -m pytest -m train tests/training

test-browser: $(VENV)/.dev ## tests of the page in Debian's chromium (apt-get install chromium)
	@command -v chromium >/dev/null || { echo "chromium is missing: apt-get install chromium"; exit 1; }
	@$(HOST_PIP) install --quiet -c constraints.txt -e '.[browser]'
	@$(BIN)/python -m pytest -m browser tests/browser

check: $(VENV)/.dev ## everything CI checks except the tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --explicit-package-bases tests docs
	@$(BIN)/lint-imports
	@$(BIN)/python -m docs.generate --check
	@$(BIN)/python -m training.data_check labeled_data --quiet

fix: $(VENV)/.dev ## what tools can mend
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@$(BIN)/python -m docs.generate

train: $(VENV)/.train ## labeled_data to runs/$(RUN)/bundle, all steps
	@$(BIN)/python -m training.train training/configs/$(RUN).toml runs/$(RUN) $(foreach file,$(EXTERNAL),--external $(file))
	@$(BIN)/python -m training.export runs/$(RUN)
	@$(BIN)/python -m training.calibrate runs/$(RUN)
	@$(BIN)/python -m training.evaluate runs/$(RUN)/bundle --out runs/$(RUN)/report.json $(foreach file,$(EXTERNAL),--external $(file))
	@$(BIN)/python -m training.card runs/$(RUN)
	@echo "the bundle is runs/$(RUN)/bundle; ship it with: cp runs/$(RUN)/bundle/* classifier/bundles/default/"

eval: $(VENV)/.dev ## report of $(BUNDLE) on the test split
	@$(BIN)/python -m training.evaluate $(BUNDLE) --out reports/eval.json $(foreach file,$(EXTERNAL),--external $(file))

bench: $(VENV)/.dev ## the bare engine against classify end to end; last line is JSON
	@$(BIN)/python -m tests.benchmarks.pipeline $(BUNDLE)

data-check: $(VENV)/.dev ## verify labeled_data and print the tables of its datasheet
	@$(BIN)/python -m training.data_check labeled_data

docs: $(VENV)/.dev ## write the generated pages
	@$(BIN)/python -m docs.generate

clean:       ## remove the environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
