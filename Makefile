# The commands that CI runs too. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
LOWEST := .venv-lowest
TESTS ?=
LOCK := $(RUN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet
BOOK ?= data/book
MODELS ?= models
OUT ?=
MAPPING ?= bpic2012
UNTIL ?=
ADVICE ?=
AS_OF ?=
NOW ?=
PORT ?= 5000
DEMO ?= data/demo
DEALS ?= 3000
SEED ?= 7
SEEDS ?= 101 102 103
SIZES ?=
BOOKS ?= 200
FROM ?=
TO ?=
EVERY ?= 1d
RETRAIN ?= 30d
REPLAY ?= reports/replay
DECISIONS ?=

.PHONY: help install demo import audit leaks train score replay explain portfolio report drift mlflow test test-hard coverage test-lowest lint format types layers check bench truth retrainings books late young curve net-value feedback reasons guarantee docs notebooks site lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Create .venv with exactly the locked versions, for developers

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## Make a sample book, train a model and score its deals: [DEALS=3000] [SEED=7] [DEMO=data/demo]
	$(RUN)/walkaway sample --out "$(DEMO)/book" --deals $(DEALS) --seed $(SEED)
	$(RUN)/walkaway train --book "$(DEMO)/book" --models "$(DEMO)/models" --promote
	$(RUN)/walkaway score --book "$(DEMO)/book" --models "$(DEMO)/models" --out "$(DEMO)/calls.csv"
	@echo; echo "Book: $(DEMO)/book. Model: $(DEMO)/models. Calls: $(DEMO)/calls.csv."

import: install ## Import an XES log: make import FILE=log.xes.gz [MAPPING=bpic2012] [BOOK=data/book]
	@test -n "$(FILE)" || { echo "make import: name the log with FILE=log.xes.gz"; exit 2; }
	$(RUN)/walkaway import xes "$(FILE)" --mapping "$(MAPPING)" --out "$(BOOK)"

audit: install ## Find fields of a book that leak the outcome: [BOOK=...] [UNTIL=2011-11-21]
	$(RUN)/walkaway audit --book "$(BOOK)" $(if $(UNTIL),--until $(UNTIL))

leaks: install ## Plant twelve kinds of leak in sample books (and BOOK, if it exists) and count those found
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/leak_audit.py $(if $(wildcard $(BOOK)),--book "$(BOOK)")

train: install ## Train, test and register a model: [BOOK=...] [MODELS=...] [UNTIL=2011-11-21] [ADVICE=reports/advice.csv]
	$(RUN)/walkaway train --book "$(BOOK)" --models "$(MODELS)" $(if $(UNTIL),--until $(UNTIL)) \
		$(if $(ADVICE),--advice "$(ADVICE)")

score: install ## The nightly batch: [BOOK=...] [MODELS=...] [NOW=2011-12-01T06:00] [OUT=reports]
	$(RUN)/walkaway batch --book "$(BOOK)" --models "$(MODELS)" $(if $(NOW),--now $(NOW)) $(if $(OUT),--out-dir "$(OUT)")

replay: install ## Replay a past period: FROM=2011-11-21T06:00 TO=2011-12-16T06:00 [EVERY=1d] [RETRAIN=30d] [BOOK=...] [REPLAY=...]
	@test -n "$(FROM)" -a -n "$(TO)" || { echo "make replay: name the period with FROM=... TO=..."; exit 2; }
	$(RUN)/walkaway replay --book "$(BOOK)" --from "$(FROM)" --to "$(TO)" --every "$(EVERY)" --retrain "$(RETRAIN)" \
		--out "$(REPLAY)"

explain: install ## Explain one deal: make explain DEAL=187409
	@test -n "$(DEAL)" || { echo "make explain: name the deal with DEAL=..."; exit 2; }
	$(RUN)/walkaway explain "$(DEAL)" --book "$(BOOK)" --models "$(MODELS)" $(if $(AS_OF),--as-of $(AS_OF))

report: install ## Write the report for sales leaders: [AS_OF=...] [BOOK=...] [MODELS=...] [REPLAY=reports/replay] [DECISIONS=...] [ADVICE=...] [OUT=...]
	$(RUN)/walkaway report --book "$(BOOK)" --models "$(MODELS)" $(if $(AS_OF),--as-of $(AS_OF)) \
		$(if $(wildcard $(REPLAY)/ledger.parquet),--replay "$(REPLAY)") $(if $(DECISIONS),--decisions "$(DECISIONS)") \
		$(if $(ADVICE),--advice "$(ADVICE)") $(if $(OUT),--out "$(OUT)")

portfolio: install ## Show the whole pipeline by themes and groups: [BOOK=...] [MODELS=...] [AS_OF=...] [REPLAY=reports/replay]
	$(RUN)/walkaway portfolio --book "$(BOOK)" --models "$(MODELS)" $(if $(AS_OF),--as-of $(AS_OF)) \
		$(if $(wildcard $(REPLAY)/ledger.parquet),--replay "$(REPLAY)")

drift: install ## Check whether the model in use still fits the data: [BOOK=...] [MODELS=...] [AS_OF=2011-12-15]
	$(RUN)/walkaway check --book "$(BOOK)" --models "$(MODELS)" $(if $(AS_OF),--as-of $(AS_OF))

mlflow: install ## Open the MLflow UI on 127.0.0.1: [MODELS=...] [PORT=5000]
	$(RUN)/mlflow ui --host 127.0.0.1 --port $(PORT) --backend-store-uri sqlite:///$(abspath $(MODELS))/mlflow.db

# Files run in alphabetical order, so that the long ones in e2e/ do not come last.
PYTEST := OMP_NUM_THREADS=1 $(RUN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: install ## Run the daily tests, 10 minutes
	$(PYTEST)

# Tests that run at night only (marked `hard`), and their daily counterparts. A test checks that every file is listed.
#
#                                 every day                           by night
# tests/e2e/test_interruption.py  kills at each kind of place and a   also at each place of ours and every 16th of
#                                 few more; 3 interruptions;          MLflow's; 10 interruptions; meetings at 3 places
#                                 a meeting of two runs
# tests/e2e/test_replay.py        3 kills at random moments           also 10
# tests/e2e/test_notebooks.py     on a book of 240 deals              also on the sample of 1,500 that readers see
# tests/e2e/test_bpic2012.py      trained by a small recipe           also by the default one
# rules over drawn books          200 books a rule                    1,000
# make guarantee                  -                                   200 books
test-hard: install ## Run all tests, including the long ones, and check that the guarantee is kept; for a night
	CI=true $(PYTEST) -m "" --hypothesis-profile=nightly --cov=walkaway --cov-report=term:skip-covered
	$(MAKE) guarantee

# Not part of `make test`: counting lines takes two fifths more processor time. Commands run in processes of their own do not count.
coverage: install ## Which lines the tests of every day do not run
	$(PYTEST) --cov=walkaway --cov-report=term-missing:skip-covered

test-lowest: install ## Run the tests on the lowest versions that pyproject.toml allows: [TESTS=tests/test_train.py], in .venv-lowest
	$(RUN)/python -m venv --clear $(LOWEST)
	$(RUN)/uv pip compile pyproject.toml --extra dev --resolution lowest-direct --python $(LOWEST)/bin/python \
		--no-header --quiet --output-file $(LOWEST)/requirements.txt
	$(RUN)/uv pip install --quiet --python $(LOWEST)/bin/python -r $(LOWEST)/requirements.txt
	$(RUN)/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps --no-build-isolation -e .
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -n 2 --dist loadfile $(TESTS)

lint: install ## Check style
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

format: install ## Apply style
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

types: install ## Check types
	$(RUN)/mypy

layers: install ## Check that packages import only from lower layers
	$(RUN)/lint-imports

check: lint types layers site test ## Run all checks of CI

bench: install ## Compare with other tools on the same work in one run
	$(RUN)/python benchmarks/features_vs_duckdb.py

truth: install ## Compare models of sample books with the true values: [SEEDS="101 102 103"], 20 minutes
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/sample_vs_truth.py --seeds $(SEEDS)

retrainings: install ## Retrain ten times on a growing sample book, deciding each promotion, half an hour
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/retrainings.py

books: install ## Compare with plain LightGBM, logistic regression and a random forest on many books: [NAMES="salvirt maven"], 15 minutes
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/books.py $(if $(NAMES),--books $(NAMES))

late: install ## Compare metrics with the truth where one kind of ending comes late, 10 minutes
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/late_endings.py

young: install ## What a loss limit really loses on young books whose losses come late, by the folds that taught the curve
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/young_curve.py

curve: install ## Measure model quality after 50, 100, ... 5,000 deals: [SIZES="50 100"], half an hour
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/learning_curve.py $(if $(SIZES),--sizes $(SIZES))

net-value: install ## Compare net value with never dropping a deal, and with the true optimum, on sample books, 20 minutes
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/net_value.py

feedback: install ## Measure the effect of advice on models trained on its outcomes, half an hour
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/feedback.py

reasons: install ## Check that reasons are true and explain the call, on a sample book and BOOK, if it exists [UNTIL=...], 15 minutes
	$(RUN)/python benchmarks/reasons.py --sample 6000
	$(if $(wildcard $(BOOK)),$(RUN)/python benchmarks/reasons.py --book "$(BOOK)" $(if $(UNTIL),--until $(UNTIL)))

guarantee: install ## Check that the guarantee is kept, on [BOOKS=200] stationary sample books, half an hour, nightly
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/guarantee.py --books $(BOOKS)

docs: install ## Write docs/features.md and docs/commands.md from the code
	$(RUN)/python docs/generate.py

notebooks: install ## Run the notebooks on a sample book and store their outputs, 5 minutes
	OMP_NUM_THREADS=1 $(RUN)/python docs/run_notebooks.py

site: install ## Build the docs in build/site/; fails on a broken link, anchor or picture, or a missing page
	rm -rf build/site
	$(RUN)/sphinx-build --fail-on-warning --fresh-env --quiet --doctree-dir build/doctrees docs build/site

lock: install ## Update requirements-dev.txt (developers) and requirements.txt (users) from pyproject.toml
	$(LOCK) --extra dev --upgrade --output-file requirements-dev.txt
	cp requirements-dev.txt requirements.txt # keeps the versions of both files the same
	$(LOCK) --extra mlflow --extra pdf --output-file requirements.txt

clean: ## Remove the environment and caches
	rm -rf $(VENV) $(LOWEST) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
