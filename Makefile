# Only forwards, so that `python3 -m layerlab VERB` does the same where there is no make.
# `make lab ARGS="--port 9000"` passes options on; PYTHON names another Python (3.11 or newer).
PYTHON ?= python3
VERBS := lab test check run doctor inspect compare clean record release verify sheets bench

.PHONY: help $(VERBS)

help:
	@$(PYTHON) -m layerlab --help

$(VERBS):
	@$(PYTHON) -m layerlab $@ $(ARGS)
