# The contract with users and CI. `make help` lists the targets; scripts/ does the work.
# On a bare machine it takes: Rust by rustup, python3 with pip, make, git and curl. What else is missing is installed:
# into .tools and .venv without root; Debian packages (a C compiler, or a Rust for wasm) as root or with sudo.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# Which Envoy to download and run, and which ones to test with. `ENVOY=/path/to/envoy` names one for both instead.
ENVOY_VERSION ?= 1.40.0
TESTED_VERSIONS := 1.40.0 1.39.3
RUN_ENVOY = $(or $(ENVOY),$(CURDIR)/.tools/envoy-$(ENVOY_VERSION)/envoy)

# Compiler flags for the filter. Envoy's V8 has SIMD.
WASM_RUSTFLAGS ?= -C target-feature=+simd128

# Artefacts always go to target/, whatever the caller's cargo configuration says.
CARGO_TARGET_DIR := $(CURDIR)/target
export WASM_RUSTFLAGS CARGO_TARGET_DIR

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo
	@echo '  ENVOY=/path/to/envoy     use that Envoy, download none'
	@echo '  ENVOY_VERSION=1.39.3     run that one (default: $(ENVOY_VERSION)); the tests take $(TESTED_VERSIONS)'
	@echo '  WASM_TOOLCHAIN=debian    or rustup, or auto: which Rust builds the filter'

.PHONY: run
run: setup-envoy wasm cli ## mock providers and Envoy on 127.0.0.1:10000, until Ctrl-C
	@ENVOY='$(RUN_ENVOY)' scripts/run.sh

.PHONY: wasm
wasm: setup-native setup-wasm ## the filter: target/model_router.wasm
	@scripts/wasm-cargo.sh build

# For tests/e2e/test_traps.py only.
.PHONY: wasm-trap
wasm-trap: setup-native setup-wasm
	@scripts/wasm-cargo.sh trap

.PHONY: cli
cli: setup-native ## the companion: target/release/model-router
	cargo build --release --locked -p model-router-cli

# Where `make train` finds data (prompts.jsonl.gz, outcomes.csv.gz in train/ and eval_only/), scores and seed.
DATA ?= ../shared/data
SCORES ?= ../shared/facts/quality.json
SEED ?= 1

.PHONY: train
train: cli ## train the routing model on DATA=, link the catalog's abilities; minutes, the same weights every time
	target/release/model-router train --data $(DATA)/train --prompts cli/data/prompts.jsonl \
	  --licences cli/data/licences.json --seed $(SEED) --version 2026-11 --out src/predict/weights.bin
	@$(MAKE) cli
	target/release/model-router link-abilities --scores $(SCORES) --out src/catalog/abilities.json

.PHONY: evaluate
evaluate: cli ## measure the routing model anew: the tables in BENCHMARKS.md (a quarter of an hour; ARGS='--seeds 1' for a look)
	target/release/model-router evaluate-model --data $(DATA)/train --eval $(DATA)/eval_only \
	  --into BENCHMARKS.md $(ARGS)

.PHONY: test
test: test-rust test-envoy ## every test, the ones with a real Envoy included

.PHONY: test-rust
test-rust: setup-native ## the tests that need no Envoy
	cargo test --workspace --locked

.PHONY: test-envoy
test-envoy: setup-tested-envoys setup-node setup-services wasm wasm-trap cli ## the tests with a real Envoy (ARGS='-k name' for some)
	.venv/bin/python -m pytest tests/e2e $(ARGS)

.PHONY: chaos
chaos: setup-tested-envoys setup-node wasm cli ## requests at a fixed RATE for some MINUTES (20, 30) while the providers misbehave
	.venv/bin/python tests/e2e/chaos.py --minutes $(or $(MINUTES),30) --rate $(or $(RATE),20)

.PHONY: lint
lint: setup-native setup-wasm setup-deny ## fmt, clippy for the machine and for wasm, audit of the dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@scripts/wasm-cargo.sh lint
	@python3 scripts/audit.py
	@scripts/deny.sh

# For the measurements only.
.PHONY: wasm-empty
wasm-empty: setup-native setup-wasm
	@scripts/wasm-cargo.sh empty

.PHONY: bench
bench: setup-envoy setup-litellm wasm wasm-empty cli ## the measurements, native and side by side in Envoy, LiteLLM too (ARGS=--quick for a smoke run)
	@ENVOY='$(RUN_ENVOY)' scripts/bench.sh $(ARGS)

.PHONY: soak
soak: setup-envoy wasm cli ## a million REQUESTS of all kinds, for MINUTES=30 at most: does memory stay, is each answered
	@ENVOY='$(RUN_ENVOY)' REQUESTS='$(or $(REQUESTS),1000000)' MINUTES='$(or $(MINUTES),30)' scripts/bench.sh --soak

# Time for each target of `make fuzz`.
SECONDS ?= 60

.PHONY: fuzz
fuzz: setup-native ## the fuzz targets, each for SECONDS=60 (ARGS='read sse' for some); crashes go to fuzz/artifacts
	@SECONDS_EACH='$(SECONDS)' scripts/fuzz.sh $(ARGS)

.PHONY: fuzz-corpus
fuzz-corpus: setup-native ## the best of what `make fuzz` has found joins the committed corpus
	@scripts/fuzz.sh --keep $(ARGS)

.PHONY: setup
setup: setup-native setup-wasm setup-envoy setup-tested-envoys setup-node setup-services setup-deny ## only install what the other targets need

.PHONY: setup-native setup-wasm setup-deny setup-envoy setup-tested-envoys setup-python setup-node setup-services setup-litellm
setup-native:
	@scripts/setup-native.sh
setup-wasm: setup-native
	@scripts/setup-wasm.sh
setup-deny:
	@scripts/setup-deny.sh
ifdef ENVOY
setup-envoy setup-tested-envoys:
	@[ -x '$(ENVOY)' ] || { echo 'error: ENVOY=$(ENVOY) is no program' >&2; exit 1; }
	@echo "==> Envoy: $(ENVOY)"
else
setup-envoy:
	@scripts/setup-envoy.sh $(ENVOY_VERSION)
setup-tested-envoys:
	@for version in $(TESTED_VERSIONS); do scripts/setup-envoy.sh $$version; done
endif
setup-python:
	@scripts/setup-python.sh
setup-node: setup-python
	@scripts/setup-node.sh
# What the tests start beside Envoy.
setup-services:
	@scripts/setup-debian.sh prometheus prometheus '' prometheus promtool
	@scripts/setup-debian.sh redis redis-server 'redis-tools|lib(lzf|jemalloc|atomic)[0-9]*' redis-server
	@scripts/setup-debian.sh buildah buildah 'lib(gpgme|gpg-error|assuan|subid|seccomp|devmapper)[0-9.]*(t64)?' buildah
# For `make bench` alone, and large: not part of `make setup`.
setup-litellm:
	@scripts/setup-litellm.sh

.PHONY: clean
clean: ## remove what was built
	rm -rf target

.PHONY: distclean
distclean: clean ## remove what was built and what was installed here
	rm -rf .tools .venv
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
