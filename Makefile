# make help lists what there is.
STACK  ?= dev
STATE  ?= .sim
INFRA  := bin/infra
# Everything that bin/infra is made of. Nothing else may make it be built again.
GOFILES := $(shell find . -path ./tools -prune -o -path ./.sim -prune -o -path ./bin -prune -o \
	\( -name '*.go' ! -name '*_test.go' \) -print) go.mod go.sum $(shell find ops internal components -type f ! -name '*.go' ! -path '*/testdata/*' 2>/dev/null)
PULUMI_VERSION := v3.259.0

.DEFAULT_GOAL := help
.PHONY: help up preview destroy refresh build test test-long lint gate policies bench docs golden baseline proof clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  %-10s %s\n", $$1, $$2 }'
	@echo
	@echo "STACK=name or STACK=path/to/config.yaml chooses the stack (default: dev)."

up: $(INFRA) ## bring a stack up on the flight simulator (STACK=dev)
	@$(INFRA) sim up $(STACK) --state $(STATE)

preview: $(INFRA) ## show what an up would change
	@$(INFRA) sim preview $(STACK) --state $(STATE)

refresh: $(INFRA) ## take over what differs in the simulated clouds
	@$(INFRA) sim refresh $(STACK) --state $(STATE)

destroy: $(INFRA) ## destroy a stack; CONFIRM=its name also deletes what is protected
	@$(INFRA) sim destroy $(STACK) --state $(STATE) $(if $(CONFIRM),--delete-protected $(CONFIRM))

build: $(INFRA) ## build bin/infra

$(INFRA): $(GOFILES)
	@tools/build.sh

# The simulator's engine leaves much garbage; collecting it less often saves a fifth of the time.
test: export GOGC ?= 400
test: export GOMEMLIMIT ?= 4GiB
test: ## run all tests but the long ones (what vet finds, make lint finds)
	go test -vet=off -timeout 30m ./...

# The ordinary CLI takes minutes to build; only the long tests need it.
bin/pulumi: tools/go.mod tools/go.sum
	@echo "building the ordinary pulumi CLI from source: some 5 minutes, once"
	cd tools && go build -ldflags "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(PULUMI_VERSION)" \
		-o ../bin/pulumi github.com/pulumi/pulumi/pkg/v3/cmd/pulumi

test-long: bin/pulumi ## run the long tests too, with the ordinary pulumi CLI: hours
	MORPHEE_TEST_LONG=1 PULUMI_CLI=$(CURDIR)/bin/pulumi go test -count=1 -timeout 24h ./...

bin/staticcheck: tools/go.mod tools/go.sum
	cd tools && go build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck

bin/actionlint: tools/actionlint/go.mod tools/actionlint/go.sum
	cd tools/actionlint && go build -o ../../bin/actionlint github.com/rhysd/actionlint/cmd/actionlint

lint: bin/staticcheck bin/actionlint ## gofmt, go vet, staticcheck, shellcheck, actionlint, generated files, module files
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	bin/staticcheck ./...
	@tools/shellcheck.sh
	bin/actionlint
	go run ./cmd/gen-config-docs -check
	go run ./cmd/gen-policy-docs -check
	go mod tidy -diff
	cd tools && go mod tidy -diff
	cd tools/actionlint && go mod tidy -diff
	@tools/words.sh

gate: ## report every stack compared with BASE, as the pull-request gate does (BASE=main)
	@BASE=$(or $(BASE),main) ops/ci/pull-request.sh report

PACKS := isolation secrets durability hygiene
policies: ## build the policy packs as executables for `pulumi preview --policy-pack bin/policy-…`
	@mkdir -p bin
	@for p in $(PACKS); do go build -o bin/policy-$$p ./policy/$$p/cmd || exit 1; done

bench: ## preview and up of dev and prod, the ratio to a flat program, and what the policies add
	go test -run '^$$' -bench . -benchtime 20x ./tests/bench

docs: ## generate docs/config.md and the schemas from the types, docs/policies.md from the rules
	go run ./cmd/gen-config-docs
	go run ./cmd/gen-policy-docs

golden: ## rewrite the golden previews, then show what changed
	-go test ./tests ./tests/aws -run 'Golden|ChangesThatKeep' -update
	git diff --stat -- tests/testdata

baseline: ## record the states of a release, which later code is held against (RELEASE=1.0)
	@test -n "$(RELEASE)" || { echo "RELEASE=name says which release is recorded"; exit 1; }
	go test ./tests/baseline -count=1 -run '^TestRecord$$' -record $(RELEASE)

# The same seed and amounts give the same page. The whole takes hours; the amounts make it shorter.
PROOF      := .cache/proof
WALK_SEED  ?= 20261122
WALK_STEPS ?= 100000
CUT_EVERY  ?= 1
proof: $(INFRA) ## run the long walks and cuts and write docs/proof.md (WALK_STEPS=100000 CUT_EVERY=1)
	rm -rf $(PROOF)
	MORPHEE_TEST_LONG=1 MORPHEE_PROOF=$(CURDIR)/$(PROOF) MORPHEE_WALK_SEED=$(WALK_SEED) MORPHEE_WALK_STEPS=$(WALK_STEPS) \
		MORPHEE_CUT_EVERY=$(CUT_EVERY) go test -p 1 -count=1 -timeout 24h ./tests/walks ./tests/recovery ./tests/baseline \
		-run '^(TestRandomWalks|TestEveryCutRecovers|TestNothingRecordedIsLost)$$'
	$(INFRA) sim ladder --json --html $(PROOF)/ladder.html > $(PROOF)/ladder.json
	go run ./cmd/gen-proof -figures $(PROOF) -ladder $(PROOF)/ladder.json

clean: ## remove what was built and all simulated states
	rm -rf bin .sim
