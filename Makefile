# Every target installs what it needs. .venv is created again only if a requirements file has changed.
.DELETE_ON_ERROR:
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
REQUIREMENTS := clients/python/requirements.txt layers/vendor/requirements.txt gpu_worker_image/requirements.txt gpu_worker_image/requirements-gpu.txt requirements-dev.txt
STAMP := $(VENV)/installed-$(shell cat $(REQUIREMENTS) | sha256sum | cut -c1-16)
CHECKOV := .cache/checkov/installed-$(shell sha256sum requirements-lint.txt | cut -c1-16)
DYNALITE := .cache/dynalite-4.0.0
PLAYWRIGHT := .cache/playwright-core-1.65.1
AXE := .cache/axe-core-4.14.1
WEB := clients/web
NODE_MODULES := $(WEB)/node_modules/installed-$(shell sha256sum $(WEB)/package-lock.json | cut -c1-16)
# The console is built again only if its files have changed.
CONSOLE := $(WEB)/dist/.built-$(shell find $(WEB) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-16)
EDITABLE := $(VENV)/editable-$(shell cat pyproject.toml clients/python/pyproject.toml | sha256sum | cut -c1-16)
COMPILE := $(BIN)/python -m compileall -q --invalidation-mode unchecked-hash
SOURCES := layers/common/python functions gpu_worker_image clients/python/src tools

VIDEO ?= tests/fixtures/tiny.mp4
PIPELINE ?= yolo_ocr
TEXT_ENGINE ?=
MODEL ?= auto
PORT ?= 8000
WORKERS ?= 1
WORKER ?= source
VARIANT ?= cpu
TAG ?= video-worker:$(VARIANT)
BASE_IMAGE ?=
LOGINS ?=
ORIGINS ?=
JOBS ?= 200
SCHEDULES ?= 2000
SEED ?= 0
export SAM_CLI_TELEMETRY = 0
# For commands that only use this machine; deployments use the region of the caller's AWS configuration.
demo local image-test bench load simulate chaos docs lint build test console-test proofs: export AWS_DEFAULT_REGION ?= us-east-1

.PHONY: help setup demo image image-test local migrate webhook-secret bench load simulate chaos fleet docs vocabulary plugins lint audit build test console console-test proofs smoke mutations clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(STAMP):
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet $(addprefix -r ,$(REQUIREMENTS))
	@touch $@

$(EDITABLE): $(STAMP)
	$(BIN)/pip install --quiet --no-deps --editable . --editable clients/python
	@touch $@

$(CHECKOV):
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet -r requirements-lint.txt
	@touch $@

# .cache/NAME-VERSION has that version of an npm package.
$(DYNALITE) $(PLAYWRIGHT) $(AXE):
	@mkdir -p $@.new && echo '{"private": true}' > $@.new/package.json
	npm install --prefix $@.new --no-save --no-audit --no-fund --loglevel=error \
		$(shell sed -E 's/(.*)-/\1@/' <<< $(@F))
	@rm -rf $@ && mv $@.new $@

$(NODE_MODULES):
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(CONSOLE): $(NODE_MODULES)
	@cd $(WEB) && npm run --silent build -- --logLevel warn
	@touch $@

setup: $(EDITABLE) ## install everything into .venv

demo: setup ## run the main job: make demo [VIDEO=clip.mp4] [PIPELINE=yolo_ocr] [MODEL=path] [TEXT_ENGINE=tesseract]
	@$(BIN)/python -m tools.demo --video "$(VIDEO)" --pipeline "$(PIPELINE)" --model "$(MODEL)" \
		$(if $(TEXT_ENGINE),--text-engine "$(TEXT_ENGINE)")

image: setup ## build the worker image: make image [VARIANT=cpu|gpu] [MODEL=path] [TAG=name] [BASE_IMAGE=name]
	@$(BIN)/python -m tools.worker_image --variant $(VARIANT) --model "$(MODEL)" --tag "$(TAG)" --base "$(BASE_IMAGE)"

image-test: setup ## build the CPU image, and test its worker in the local stack
	@$(BIN)/python -m pytest tests/image

local: setup $(if $(filter image,$(WORKER)),image) ## run the local stack: make local [PORT=8000] [WORKERS=1] [WORKER=image] [MODEL=path] [LOGINS=1] [ORIGINS=http://...]
	@mkdir -p .cache
	@! command -v npm > /dev/null || $(MAKE) console > .cache/console.log 2>&1 || \
		echo "The web console could not be built (.cache/console.log says why); the rest starts without it"
	@exec $(BIN)/python -m tools.local_stack --port $(PORT) --workers $(WORKERS) --model "$(MODEL)" \
		--origins "$(ORIGINS)" $(if $(filter image,$(WORKER)),--image "$(TAG)") $(if $(LOGINS),--logins)

migrate: setup ## run the data migrations: make migrate TABLE_NAME=…
	@$(BIN)/python -m tools.migrate --table "$(TABLE_NAME)"

webhook-secret: setup ## create or replace the webhook secret of an owner: make webhook-secret STACK=video-jobs OWNER=sub
	@$(BIN)/python -m tools.webhook_secret --stack "$(STACK)" --owner "$(OWNER)"

bench: setup ## compare speed and quality with hand-written loops (about a quarter of an hour)
	@$(BIN)/python -m tests.proofs.bench

simulate: setup ## run the service in simulated time with random faults from a seed: make simulate [SCHEDULES=2000] [SEED=0]
	@$(BIN)/python -m tests.proofs.simulation --schedules $(SCHEDULES) --seed $(SEED)

chaos: WORKERS = 3
chaos: JOBS = $(if $(LONG),12,200)
chaos: setup ## kill workers and interrupt the network while jobs run: make chaos [LONG=1] [JOBS=200] [WORKERS=3] [SEED=0]
	@exec $(BIN)/python -m tests.proofs.chaos $(if $(LONG),--long) --jobs $(JOBS) --workers $(WORKERS) --seed $(SEED) --model "$(MODEL)"

fleet: setup ## simulate the service with up to 10,000,000 jobs a day, and write docs/scaling.md
	@$(BIN)/python -m tools.fleet

docs: setup ## write the generated files: OpenAPI document, endpoints, errors, configuration
	$(BIN)/python -m tools.reference

lint: setup $(CHECKOV) $(NODE_MODULES) ## check style, types, security, the template and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES) tests
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(SOURCES)
	$(BIN)/sam validate --lint
	$(BIN)/sam validate --lint --template deploy/issuer.yaml
	$(BIN)/sam validate --lint --template deploy/console.yaml
	$(dir $(CHECKOV))bin/checkov --config-file .checkov.yaml
	$(dir $(CHECKOV))bin/hadolint gpu_worker_image/Dockerfile
	bash -n tools/rollback.sh
	npm run --silent --prefix $(WEB) lint

vocabulary: setup ## check that functional code has no forbidden word
	$(BIN)/python -m tools.governance.validate_vocabulary

plugins: setup ## check that plugins and pipelines do what their files say
	$(BIN)/python -m tools.governance.validate_plugins

audit: setup ## look up known vulnerabilities of every package that is deployed or that the client needs
	$(BIN)/pip-audit --progress-spinner off $(addprefix -r ,$(filter-out requirements-dev.txt,$(REQUIREMENTS)))

smoke: setup ## test a running service: make smoke [URL=https://...]; without URL, a local stack
	@exec $(BIN)/python -m tools.smoke_test $(or $(URL),--local)

load: setup $(DYNALITE) ## count what each API call asks of the table, with up to 100,000 jobs in it
	@$(BIN)/python -m tests.proofs.load

build: setup ## build the functions and layers for deployment
	@mkdir -p .cache
	@$(BIN)/sam build > .cache/sam-build.log 2>&1 || { cat .cache/sam-build.log; exit 1; }
	@# Lambda's folders are read-only, so without compiled files every cold start would compile everything.
	@$(COMPILE) -s .aws-sam/build/CommonLayer/python -p /opt/python .aws-sam/build/CommonLayer/python
	@$(COMPILE) -s .aws-sam/build/VendorLayer/python -p /opt/python .aws-sam/build/VendorLayer/python
	@for folder in .aws-sam/build/*Function; do $(COMPILE) -s $$folder -p /var/task $$folder || exit 1; done

test: build $(DYNALITE) $(NODE_MODULES) ## run the tests
	npm run --silent --prefix $(WEB) test
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --cov --cov-report=term-missing:skip-covered --cov-fail-under=85

mutations: setup ## break the product on purpose, one rule at a time, and see whether the tests notice
	@$(BIN)/python -m tests.mutations

console: $(CONSOLE) ## build the web console into clients/web/dist

console-test: setup $(PLAYWRIGHT) $(AXE) $(CONSOLE) ## test the web console in a browser, against the local stack
	$(BIN)/python -m pytest tests/console

proofs: build $(DYNALITE) $(PLAYWRIGHT) $(AXE) $(CONSOLE) ## run the checks that take long: simulation, crashes, browser, cold starts, load, fleet, bench
	EVERY_VIDEO=1 $(BIN)/python -m pytest tests/proofs tests/console tests/integration/test_every_video.py

clean: ## remove what make created
	rm -rf $(VENV) $(WEB)/dist $(WEB)/node_modules .cache .aws-sam .pytest_cache .mypy_cache .ruff_cache
