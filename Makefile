# One command for each thing one does here. `make` alone explains them.
PYTHON_IN_VENV := .venv/bin/python
BIN := .venv/bin

# What lies on the floors below storage, services and interfaces: rules without processes or servers.
UNIT := base engine expressions model sdk secrets

export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: status help setup run test unit simulate pictures soak check format bench lock docs ui clean

help: ## Show this text
	@echo "Penstock: what you can do here"
	@echo
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done
	@echo
	@echo "New here? \`make run\` starts a server; CONTRIBUTING.md tells the rest."

setup: ## Install all that development needs (packages, a browser for the tests)
	@scripts/bootstrap dev
	@$(PYTHON_IN_VENV) -m scripts.machine

run: ## Start the server with its web interface at http://localhost:8080
	@scripts/bootstrap run
	@$(PYTHON_IN_VENV) -m scripts.ui_build
	@$(PYTHON_IN_VENV) -m scripts.flow_schema
	@$(BIN)/penstock server local $(ARGS)

test: ## Run all tests: the interface's, then Python's (ARGS="tests/engine -x" for some)
	@scripts/bootstrap dev
	@$(PYTHON_IN_VENV) -m scripts.machine & machine=$$!; \
	$(PYTHON_IN_VENV) -m scripts.flow_schema; \
	$(PYTHON_IN_VENV) -m scripts.ui_build $(if $(ARGS),,test); interface=$$?; wait $$machine; \
	$(PYTHON_IN_VENV) -m pytest $(ARGS) && exit $$interface

unit: ## Run the quick tests only: those of rules, which need no process, database or browser
	@scripts/bootstrap dev
	@$(PYTHON_IN_VENV) -m pytest $(addprefix tests/,$(UNIT)) $(ARGS)

simulate: ## Simulate servers while everything breaks (SEEDS=10000 for a night, JOBS=2)
	@scripts/bootstrap dev
	@$(PYTHON_IN_VENV) -m penstock.simulation.main --seeds $(or $(SEEDS),200) --jobs $(or $(JOBS),$(shell nproc)) $(ARGS)

pictures: ## Keep a picture of every page, light and dark, in test-results/pages
	@scripts/bootstrap dev
	@PENSTOCK_PICTURES=1 $(PYTHON_IN_VENV) -m pytest tests/ui/test_accessibility.py $(ARGS)

soak: ## Flood a server of 256 MB, then run three while everything breaks (MINUTES=10)
	@scripts/bootstrap dev
	@$(PYTHON_IN_VENV) -m bench.small $(if $(filter 0,$(shell id -u)),--limit 256)
	@SOAK_MINUTES=$(or $(MINUTES),10) $(PYTHON_IN_VENV) -m pytest -n 0 -s tests/chaos/test_several_servers.py -k long $(ARGS)

check: ## Check style, types, layers, documentation, interface and installed size
	@scripts/bootstrap dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict
	$(PYTHON_IN_VENV) -m scripts.ui_build run lint
	$(PYTHON_IN_VENV) -m scripts.ui_build run check
	$(PYTHON_IN_VENV) -m scripts.installed_size

format: ## Format the Python code and mend what ruff can mend
	@scripts/bootstrap dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: ## Measure throughput, latency and start-up, each beside its floor
	@scripts/bootstrap dev
	@$(PYTHON_IN_VENV) -m bench $(ARGS)

lock: ## Pin all packages anew (UPGRADE=1 takes newer releases)
	@scripts/bootstrap dev
	@$(PYTHON_IN_VENV) -m scripts.lock $(if $(UPGRADE),--upgrade)

status: ## Write docs/status.md anew from the tests and docs/status-notes.toml
	@$(PYTHON_IN_VENV) scripts/status.py

docs: ## Build the documentation into site/ (ARGS=serve shows it while you write)
	@scripts/bootstrap dev
	@$(BIN)/mkdocs $(if $(ARGS),$(ARGS),build) --strict

ui: ## Build the web interface when its sources changed
	@scripts/bootstrap run
	@$(PYTHON_IN_VENV) -m scripts.ui_build

clean: ## Remove what was built; keep .venv and your data
	rm -rf build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf ui/dist ui/node_modules src/penstock/_ui
	find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} +
