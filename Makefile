# Tallyman's commands. `make run` and `make test` are all that a fresh machine needs:
# both set up first, and a set-up that is done costs nothing.
#
# ARGS     passed on:  make run ARGS=--once   make test ARGS="tests/erp_link -x"
# WORKERS  processes that share the tests out (0: none, all in one)
# PROFILE  dev (default: everything for tests and checks) or runtime
# PYTHON   the interpreter to build .venv from, where the first fitting one is not wanted

WORKERS ?= 2
PROFILE ?= dev
ARGS ?=

# What was compiled once is kept: hundreds of short processes would each compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test test-openvino test-paddle test-yolo check campaign-read campaign-core campaign-ingest campaign-agv campaign-rollout campaign-shelf fmt lock image image-test clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## .venv with everything, so that .venv/bin/tallyman works
	@PROFILE=$(PROFILE) sh scripts/setup.sh

run: setup ## start everything here; pages on http://127.0.0.1:8080 until Ctrl-C
	@exec .venv/bin/tallyman up $(ARGS)

test: setup ## the tests
	@.venv/bin/pytest -n $(WORKERS) $(ARGS)

test-openvino: setup ## the engines' tests on OpenVINO, in an environment made from its lock
	@TALLYMAN_READERS=openvino "$$(sh scripts/extra.sh openvino)" -m pytest \
		tests/vision/test_engine.py tests/vision/reading/test_line_readers.py \
		tests/vision/defects/test_engines.py $(ARGS)

test-paddle: setup ## the reader's tests with PaddleOCR in a process and environment of its own
	@TALLYMAN_READERS=paddle TALLYMAN_READER_PADDLE_PYTHON="$$(sh scripts/extra.sh paddle)" \
		.venv/bin/pytest tests/vision/reading/test_line_readers.py \
		tests/vision/reading/paddle_stories.py $(ARGS)

test-yolo: setup ## a detector trained for real, in an environment and a process of its own
	@TALLYMAN_YOLO_PYTHON="$$(sh scripts/extra.sh yolo)" .venv/bin/pytest \
		tests/recipes/test_yolo.py tests/recipes/yolo_training.py $(ARGS)

check: setup ## style, format, types, layers, page scripts
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	sh scripts/npm.sh run --silent check

campaign-read: setup ## misreads by damage from 30,000 rendered frames; ARGS="OUT --fonts FONTS", goes on where it was
	@.venv/bin/python -m appliance.bench.reading.campaign $(ARGS)

campaign-core: setup ## try to break the core: 1,000,000 operations, 100,000 races of processes; ARGS="OUT", goes on where it was
	@.venv/bin/python -m appliance.bench.core.campaign $(ARGS)

campaign-ingest: setup ## kill, freeze and fill up a gateway 1,000 times and count every reading; ARGS="OUT --kills 1000", goes on where it was
	@.venv/bin/python -m appliance.bench.ingest.kills.campaign $(ARGS)

campaign-agv: setup ## 1,000 sessions over a bad radio, then hub, broker and vehicles killed in mid-mission; ARGS="OUT --kills 1000" goes on where it was
	@TALLYMAN_SESSIONS=1000 .venv/bin/pytest -q tests/agv_bridge/missions/test_radio_law.py
	@.venv/bin/python -m appliance.bench.agv.kills.campaign $(ARGS)

campaign-rollout: setup ## try to have one batch judged by two: 1,000,000 batches in virtual time, and ablations; ARGS="OUT" goes on where it was
	@.venv/bin/python -m appliance.bench.rollout.worlds $(ARGS)

campaign-shelf: setup ## try to have a wrong product shown at the shelf: 100,000 frames in Node; ARGS="OUT" goes on where it was
	@.venv/bin/python -m appliance.bench.shelf.campaign $(ARGS)

fmt: setup ## format and mend what can be mended by itself
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: ## compile the hashed locks; UPGRADE=--upgrade takes newer releases
	@sh scripts/lock.sh $(UPGRADE)

image: ## the container image, with the machine's docker or podman
	@sh scripts/image.sh

image-test: ## build the image for real and run the dock demo in it (Debian, as root)
	@bash deploy/image_test.sh

clean: ## remove what set-up made; data in var/ stays
	rm -rf .venv node_modules build dist appliance/web/static/vendor
