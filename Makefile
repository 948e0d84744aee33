# `make help` lists what can be asked for.

include tools/versions.mk

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GOBUILD  := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'
HTTP     ?= 127.0.0.1:8080
FUZZTIME ?= 10s
BENCH    ?=
PACKAGES ?= $(shell go list ./... 2>/dev/null | grep -v '/test/e2e$$')

# The race detector does not watch SQLite, which is C turned into Go, nor the compiler of
# WebAssembly, which makes PDFium machine code: each takes several times as long when watched.
# Only packages may stand here that synchronise nothing: the linker may take their copy of a
# generic function of sync for everybody's, and then the detector sees races that are none.
UNWATCHED := modernc.org/sqlite/lib \
	github.com/tetratelabs/wazero/internal/engine/wazevo/backend/... \
	github.com/tetratelabs/wazero/internal/engine/wazevo/ssa
RACE := -race $(foreach p,$(UNWATCHED),-gcflags=$(p)=-race=false)

export FUZZTIME RACE

.DEFAULT_GOAL := help

.PHONY: run
run: build ## install what is missing, build, and start the platform with the demo companies on http://127.0.0.1:8080
	bin/vidimus serve --demo --http $(HTTP)

.PHONY: build
build: needs ## build bin/vidimus
	$(GOBUILD) -o bin/vidimus ./cmd/vidimus

.PHONY: test
test: packages lint generated unit e2e fuzz goldens ## install what is missing and run everything that CI runs
	@echo "everything passed"

.PHONY: lint
lint: needs tools ## check the form: gofmt, vet, staticcheck and other linters (.golangci.yml)
	tools/gofmt.sh
	GOFLAGS="$(RACE)" bin/tools/golangci-lint run

.PHONY: unit
unit: needs ## run the tests on both databases, with the race detector; PACKAGES=./internal/store/... for some
	tools/test.sh $(PACKAGES)

# By themselves: they run whole servers, and wait for them.
.PHONY: e2e
e2e: needs ## drive the built program from outside, one folder of scripts a chapter
	tools/test.sh ./test/e2e

.PHONY: fuzz
fuzz: needs ## run every fuzz target for FUZZTIME (10s)
	tools/fuzz.sh

.PHONY: bench
bench: build ## measure the built program on this machine; BENCH=-short for a rough look
	go run ./test/bench $(BENCH)

# Tools of our own use: no part of CI, shipped in nothing.
.PHONY: verify-dss
verify-dss: needs ## show what we sign to the EU's DSS and to pyHanko; needs Java 17, Maven and Python 3
	test/dss/verify.sh

.PHONY: generate
generate: needs ## write internal/store/rows anew from the SQL statements
	@tools/install.sh sqlc github.com/sqlc-dev/sqlc/cmd/sqlc $(SQLC_VERSION)
	bin/tools/sqlc generate -f internal/store/sqlc.yaml
	tools/generated.sh write

.PHONY: generated
generated:
	tools/generated.sh check

# A test run with -update by mistake must not pass for a green one.
.PHONY: goldens
goldens:
	@if [ "$$CI" = true ]; then git diff --exit-code -- ':(glob)**/testdata/**'; fi

.PHONY: tools
tools: needs ## install the linters into bin/tools, in the versions of tools/versions.mk
	@tools/install.sh golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint $(GOLANGCI_LINT_VERSION)

.PHONY: packages
packages: ## install the Debian packages that tests need, or say which are missing
	@tools/packages.sh

.PHONY: needs
needs:
	@tools/needs.sh

.PHONY: clean
clean: ## remove what was built (the data of make run stays)
	rm -rf bin

.PHONY: help
help: ## show this
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
