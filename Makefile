# make test is what CI runs; it installs what is missing and ends with a table.

STAGES = install gofmt vet staticcheck govulncheck unit race fuzz interop

.PHONY: test build demo bench interop fmt

test:
	@.ci/stage $(STAGES)

build:
	go build -trimpath -o bin/apostille ./cmd/apostille

demo:
	go run ./cmd/apostille demo

# floor and broker side by side; docs/performance.md says how to read it
bench:
	go run ./cmd/bench run

interop:
	@.ci/stage install interop

fmt:
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')
