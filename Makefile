# make test is what CI runs; it installs what is missing and ends with a table.

STAGES = install gofmt vet staticcheck govulncheck unit race fuzz interop e2e

.PHONY: test build demo bench interop e2e fmt

test:
	@.ci/stage $(STAGES)

# without cgo: one static file, and a megabyte less in memory
build:
	CGO_ENABLED=0 go build -trimpath -o bin/apostille ./cmd/apostille

demo:
	go run ./cmd/apostille demo

# floor and broker side by side; docs/performance.md says how to read it
bench:
	@.ci/install
	go run ./cmd/bench run
	go test -run '^$$' -bench SignIn -benchtime 2s ./cmd/apostille
	go test -tags e2e -run '^$$' -bench PickerInABrowser -benchtime 1x ./cmd/apostille

interop:
	@.ci/stage install interop

# a real browser between real peers, over TLS; screenshots are left in .cache/e2e
e2e:
	@.ci/stage install e2e

fmt:
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')
