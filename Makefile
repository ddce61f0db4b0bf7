# Each target makes the virtual environment that it needs. `make demo` and `make test` are all that a newcomer types.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.made-from-lock
CORES ?= 2
PEERS := tvb-library==2.10.0 tvboptim==0.4.0 tvbk==0.5 neurolib==0.6.2

.PHONY: demo case-studies case-studies-docs test coverage test-gpu gpu-check test-slurm test-recovery test-cohort test-case-studies test-coverage test-faults test-docs test-peers bench lint docs site lock clean
.DEFAULT_GOAL := demo

$(READY): envs/requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vbiflow needs Python 3.11 or newer; found $$($(PYTHON) --version). Set PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the environment, 2.4 GB, about five minutes"
	$(BIN)/python -m pip install --quiet --requirement envs/requirements.lock
	$(BIN)/python -c 'import os, site; open(site.getsitepackages()[0] + "/vbiflow.pth", "w").write(os.getcwd() + "\n")'
	touch $@

demo: $(READY)  ## two real people, from connectome and fMRI to a checked posterior
	@$(BIN)/snakemake demo --cores $(CORES) --quiet host rules
	@$(BIN)/python -m vbiflow summary hcp_linear@demo

SCALE ?= quick

case-studies: $(READY)  ## figures 3 to 8 of the paper; SCALE=paper for its own numbers of simulations
	$(BIN)/snakemake case_studies --cores $(CORES) --quiet host rules --config scale=$(SCALE)

case-studies-docs: $(READY)  ## tables and pictures of docs/case_studies.md, from the results of make case-studies
	$(BIN)/python -m vbiflow.figures.documented
	$(BIN)/python -m vbiflow.tables

PARALLEL := --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder

test: $(READY)  ## the tests
	$(BIN)/python -m pytest $(PARALLEL)

coverage: $(READY)  ## the tests, and the lines that none of them reaches
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered

test-peers:  ## models against tvb-library, features against vbi, in an environment of its own
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --requirement envs/requirements.lock tvb-library==2.10.0 vbi==0.4.4 rich
	.venv-peers/bin/python -m pytest tests/peers -m peers

bench: $(READY)  ## speed against the peers, in an environment of its own
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --requirement envs/requirements.lock vbi==0.4.4 rich $(PEERS)
	for part in engine gpu peers connectome features inference; do .venv-bench/bin/python -m tests.benchmarks.$$part; done

test-recovery: $(READY)  ## known parameters recovered from simulated EEG, MEG and intracranial recordings, a seizure too, from start to end
	$(BIN)/python -m pytest tests/workflow/test_recovery.py tests/workflow/test_seizure.py -m slow

test-cohort: $(READY)  ## from start to end: a broken recording in a cohort, BIDS derivatives, many people, a lab's own repository, files replaced, tables of spectra and features, rounds
	$(BIN)/python -m pytest tests/workflow/test_broken_cohort.py tests/workflow/test_bids_cohort.py tests/workflow/test_large_cohort.py \
		tests/workflow/test_bare_cohort.py tests/workflow/test_own_repository.py tests/workflow/test_inputs.py \
		tests/workflow/test_tables_from_start_to_end.py tests/workflow/test_rounds_from_start_to_end.py -m slow

test-case-studies: $(READY)  ## every case study of the paper with all regions at a small size, through its figures to the page of all
	$(BIN)/python -m pytest tests/workflow/test_case_studies_from_start_to_end.py -m slow

MINUTES ?= 30
KILLS ?= 50

test-coverage: $(READY)  ## truths in the 90 % intervals of a hard posterior and of whole-brain studies, 1 000 held out
	$(BIN)/python -m pytest tests/diagnostics/test_coverage.py -m slow

test-faults: $(READY)  ## 50 kills, damaged files, full disks, too little memory, odd surroundings; the table of docs/reliability.md
	rm -f results/faults.json
	$(BIN)/python -m tests.faults --kills $(KILLS) --minutes $(MINUTES)

test-gpu: $(READY)  ## the GPU kernels of all models compiled; run on a GPU where there is one (pip install '.[gpu]')
	$(BIN)/python -m pytest tests/engine/test_gpu.py -m "slow or not slow"

gpu-check: $(READY)  ## on a machine with a GPU: all models against the reference, and what a simulated second costs
	$(BIN)/python -m tests.benchmarks.gpu_check

test-docs: $(READY) site  ## the tutorials of docs/, followed from top to bottom
	$(BIN)/python -m pytest tests/docs -m slow

test-slurm: $(READY)  ## the tiny study, an array and a GPU on a real Slurm of one machine (as root)
	@command -v slurmctld munged > /dev/null || apt-get install --yes --no-install-recommends slurm-wlm munge || { echo "needs Slurm and munge: apt-get install slurm-wlm munge, as root"; exit 1; }
	$(BIN)/python -m pytest tests/slurm -m slow

lint: $(READY)  ## ruff, snakefmt and Snakemake's own lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

docs: $(READY)  ## the tables of README and docs, from the registries
	$(BIN)/python -m vbiflow.tables

site:  ## the documentation as a site: site/index.html, in an environment of its own
	test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --requirement envs/docs.lock
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet
	@echo "site/index.html"

lock:  ## new exact pins from pyproject.toml
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet '.[test,slurm]'
	{ head -n 1 envs/requirements.lock; .venv-lock/bin/python -m pip freeze --exclude vbiflow | sed -E -e 's/\+cpu//' -e '/^(cuda-|numba-cuda|nvidia-)/s/$$/; sys_platform == "linux"/'; } > envs/requirements.lock.new
	mv envs/requirements.lock.new envs/requirements.lock
	.venv-lock/bin/python -m pip install --quiet uv && .venv-lock/bin/python envs/hash_lock.py && rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet --upgrade pip
	.venv-lock/bin/python -m pip install --quiet --group docs
	{ head -n 1 envs/docs.lock; .venv-lock/bin/python -m pip freeze; } > envs/docs.lock.new
	mv envs/docs.lock.new envs/docs.lock && rm -rf .venv-lock

clean:  ## results and caches, not the environments or the data
	rm -rf results site .snakemake .pytest_cache
