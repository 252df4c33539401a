# Every target does the set-up it needs by itself. `make` alone lists them.

# The first Python between 3.11 and 3.13 that starts; name another with `make run PYTHON=/path/to/python3.12`.
in_range := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(in_range)' 2>/dev/null && echo "$$p" && break; done)

bin := .venv/bin
pip := $(bin)/python -m pip --disable-pip-version-check
uv := $(bin)/uv pip
python := --python $(bin)/python
# On a terminal uv shows its progress bars; elsewhere its list of some 190 packages would be all there is to read.
quiet := $(shell [ -t 2 ] || echo --quiet)
compile := $(uv) compile --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# Containers often ask for no bytecode; then every notebook's kernel would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check durations lint format bench lab tuner train server scale serve docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## Make .venv and install requirements.lock (the other targets do this by themselves)

run: .venv/.ready ## Make the demo project and run it through every step
	$(bin)/facelib demo
	$(bin)/facelib run --project demo

# conftest.py says how many processes.
pytest = $(bin)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test: .venv/.ready ## Run the whole test suite, and list what took longest
	$(pytest) --durations 40

slow = kernel or browser or realtime or training or every_film or long or postgresql

check: .venv/.ready ## Run the quick tests: no notebooks, browser, live video, training or whole films
	@# Of training not even the modules are loaded: PyTorch alone takes some seconds.
	$(pytest) --durations 10 -m "not ($(slow))" --ignore-glob '*/train'

durations: .venv/.ready ## Run all tests, and keep what each took: `make check` leaves out the long ones
	$(pytest) --keep-durations
	@# What long tests shared with others has to be made by one of these now.
	$(pytest) --keep-durations -m "not ($(slow))"

lint: .venv/.server ## Check style, types, spelling, and that notebooks carry no outputs
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/codespell
	$(if $(wildcard notebooks/*.ipynb),$(bin)/nbstripout --keep-id --verify $(wildcard notebooks/*.ipynb))

format: .venv/.ready ## Format code and notebooks
	$(bin)/ruff check --fix
	$(bin)/ruff format
	$(if $(wildcard notebooks/*.ipynb),$(bin)/nbstripout --keep-id $(wildcard notebooks/*.ipynb))

# Kernels take memory as those that the pipeline starts (memory_settings in facelib/project/processes.py).
lab tuner bench: export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1
lab tuner bench: export ARROW_DEFAULT_MEMORY_POOL ?= system

bench: .venv/.ready ## Measure facelib against what a user would run instead
	@set -e; for benchmark in $(wildcard benchmarks/*.py); do echo "== $$benchmark"; $(bin)/python "$$benchmark"; done

lab: .venv/.ready ## Open JupyterLab on the notebooks
	$(bin)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks \
		--LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
		$(if $(filter 0,$(shell id -u)),--allow-root)

# For a project of one's own: make tuner PROJECT=sopranos. The page runs a copy of the notebook with the project filled
# in; it writes the recognizer only when its button is pressed.
PROJECT ?= demo
DATA ?= data
OUTPUT ?= output
PORT ?= 8866
VOILA_OPTIONS ?=
MOST_UNNAMED ?= 0.5
known_faces = $(OUTPUT)/$(PROJECT)/faces.parquet
tuner_page = $(OUTPUT)/$(PROJECT)/tuner.ipynb

tuner: .venv/.ready ## Serve notebook 4 as a page of its own: make tuner PROJECT=demo PORT=8866
	@test -f "$(known_faces)" || { echo "expected the known faces in $(known_faces), found none;" \
		"make them first: $(bin)/facelib run --project \"$(PROJECT)\" --steps 1-2"; exit 1; }
	@# Without the picture of itself: Voilà looks for pictures in the page's folder, and ends the page at one outside.
	@sed 's,!\[[^]]*\](\.\./docs/[^)]*),,' notebooks/04_tune_threshold.ipynb | \
		$(bin)/papermill --prepare-only --no-progress-bar --log-level WARNING - "$(tuner_page)" \
		-r project "$(PROJECT)" -r data_dir "$$(cd "$(DATA)" && pwd)" -r output_dir "$$(cd "$(OUTPUT)" && pwd)" \
		-p save False -p comparison False -p most_unnamed $(MOST_UNNAMED)
	@# The page's template, before the places of the user's own, where other kernels may be.
	JUPYTER_PATH="$(CURDIR)/facelib/widgets$${JUPYTER_PATH:+:$$JUPYTER_PATH}" $(bin)/voila --template=facelib \
		--progressive_rendering=True --show_tracebacks=True --Voila.ip=127.0.0.1 --port=$(PORT) $(VOILA_OPTIONS) \
		"$(tuner_page)"

train: .venv/.train ## Install what training needs: PyTorch and others, some 3 GB

server: .venv/.server ## Install what the server needs: FastAPI, SQLAlchemy and others

scale: .venv/.scale ## Install what many films and many machines need: DuckDB, Dask and obstore

SERVE_OPTIONS ?=
serve: .venv/.server ## Serve the demo to your browser, with a REST API: make serve SERVE_OPTIONS="--port 8000"
	$(bin)/facelib demo
	$(bin)/facelib serve $(SERVE_OPTIONS)

DOCS_OPTIONS ?=
docs: .venv/.docs ## Build the documentation into site/, with the notebooks as they run on the demo
	$(bin)/python docs/build.py $(DOCS_OPTIONS)

lock: $(bin)/uv ## Choose the newest versions and write the locks
	$(compile) --upgrade --extra dev --extra gather --extra reference pyproject.toml --output-file requirements.lock
	@# uv keeps the versions of the file it writes over; what is in the first lock is left out of the second.
	cp requirements.lock requirements-train.lock
	$(compile) --extra train pyproject.toml --output-file requirements-train.lock \
		$$(sed -n "s/^\([a-z0-9._-]*\)==.*linux.*/--no-emit-package \1/p" requirements.lock)
	cp requirements.lock requirements-server.lock
	$(compile) --extra server pyproject.toml --output-file requirements-server.lock \
		$$(sed -n "s/^\([a-z0-9._-]*\)==.*linux.*/--no-emit-package \1/p" requirements.lock)
	cp requirements.lock requirements-scale.lock
	$(compile) --extra scale pyproject.toml --output-file requirements-scale.lock \
		$$(sed -n "s/^\([a-z0-9._-]*\)==.*linux.*/--no-emit-package \1/p" requirements.lock)
	cp requirements.lock requirements-docs.lock
	$(compile) --extra docs pyproject.toml --output-file requirements-docs.lock \
		$$(sed -n "s/^\([a-z0-9._-]*\)==.*linux.*/--no-emit-package \1/p" requirements.lock)
	version=$$(sed -n 's/^opencv-python==\([^ ]*\).*/\1/p' requirements.lock); \
	echo "opencv-python-headless==$$version" | \
		$(compile) --no-config --no-deps - --output-file requirements-headless.lock

clean: ## Remove .venv and what the tools left; data/ and output/ stay
	rm -rf .venv .docs .mypy_cache .pytest_cache .ruff_cache dist site
	find facelib tests benchmarks -name __pycache__ -type d -exec rm -rf {} +

# pip brings uv, and uv the rest: it is some ten times as fast. The lock's own lines for uv, hashes and all, say which.
$(bin)/uv:
	$(if $(PYTHON),,$(error expected Python 3.11, 3.12 or 3.13, found none. On Debian and Ubuntu: \
		apt install python3 python3-venv; or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12))
	@"$(PYTHON)" -c '$(in_range)' 2>/dev/null || { echo "expected Python 3.11, 3.12 or 3.13, got $(PYTHON):" \
		"$$("$(PYTHON)" --version 2>&1 | head -n 1)"; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv
	@sed -n '/^uv==/,/# via/p' requirements.lock > .venv/uv.lock
	@$(pip) install --quiet --require-hashes --requirement .venv/uv.lock

# `uv pip sync` takes the lock as it stands. `uv pip install -r` would resolve again, and compile dlib for minutes.
# pip exchanges the two OpenCVs: uv would heed the override in pyproject.toml, which keeps the headless one out.
# The extras that are there stay.
extras = $(foreach extra,scale server train docs,$(if $(wildcard .venv/.$(extra)),requirements-$(extra).lock))

.venv/.ready: requirements.lock requirements-headless.lock pyproject.toml | $(bin)/uv
	@echo "Installing what requirements.lock names: about 1 GB on an empty cache, a minute or three"
	@$(uv) sync $(quiet) $(python) --require-hashes requirements.lock $(extras)
	@$(uv) install $(quiet) $(python) --no-deps --no-build-isolation --editable .
	@$(bin)/python -c 'import cv2' 2> .venv/cv2.log || { \
		grep -q 'cannot open shared object file' .venv/cv2.log || { cat .venv/cv2.log; exit 1; }; \
		echo "$$(sed -n 's/.*ImportError: \([^:]*\):.*/\1/p' .venv/cv2.log) is missing here:" \
			"opencv-python-headless takes the place of opencv-python"; \
		$(pip) uninstall --quiet --yes opencv-python; \
		$(pip) install --quiet --no-deps --require-hashes --requirement requirements-headless.lock; \
		$(bin)/python -c 'import cv2'; }
	@touch $@

# This lock names only what the first one does not, so that nothing installed is exchanged.
.venv/.train: .venv/.ready requirements-train.lock
	@$(uv) install $(quiet) $(python) --no-deps --require-hashes --requirement requirements-train.lock
	@touch $@

.venv/.server: .venv/.scale requirements-server.lock
	@$(uv) install $(quiet) $(python) --no-deps --require-hashes --requirement requirements-server.lock
	@touch $@

.venv/.scale: .venv/.ready requirements-scale.lock
	@$(uv) install $(quiet) $(python) --no-deps --require-hashes --requirement requirements-scale.lock
	@touch $@

.venv/.docs: .venv/.ready requirements-docs.lock
	@$(uv) install $(quiet) $(python) --no-deps --require-hashes --requirement requirements-docs.lock
	@touch $@
