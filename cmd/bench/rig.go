package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// What every measurement shares: one issuer, one client, one API.
const (
	benchIssuer      = "https://idp.bench.example"
	benchBroker      = "https://broker.bench.example"
	benchAudience    = "https://api.bench.example"
	benchClient      = "bench-client"
	benchScope       = "stock.read"
	benchConnections = 32
)

// rig holds what the parts of a run work with.
type rig struct {
	dir    string // temporary
	self   string // this program, started again as floor and as load
	broker string // the apostille binary; "" until built
	up     *upstream
	form   exchangeForm
	secret string // SHA-256 of the client secret, hex
	tokens []string
	n      int // requests of one round
	rounds int
	out    io.Writer
	report *report
}

func newRig(dir string, n, rounds int, out io.Writer) (*rig, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	up, err := newUpstream(benchIssuer, benchBroker, "bench-1")
	if err != nil {
		return nil, err
	}
	secret := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(secret))
	r := &rig{
		dir: dir, self: self, up: up, n: n, rounds: rounds, out: out, report: &report{out: out},
		form:   exchangeForm{client: benchClient, secret: secret, audience: benchAudience, scope: benchScope},
		secret: hex.EncodeToString(sum[:]),
	}
	set, err := up.jwks(1)
	if err != nil {
		return nil, err
	}
	if err := r.write("jwks.json", set); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "minting %d tokens\n", n+warmups)
	r.tokens, err = up.mint(n + warmups)
	return r, err
}

// warmups is how many tokens of their own a fresh server gets before it is measured.
const warmups = 500

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) write(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o700); err != nil {
		return err
	}
	return os.WriteFile(r.path(name), b, 0o600)
}

func (r *rig) startFloor(ctx context.Context, fixed string) (*process, error) {
	return startProcess(ctx, r.dir, r.self, "floor", "-issuer", benchIssuer, "-audience", benchBroker, "-client", benchClient,
		"-secret-sha256", r.secret, "-jwks", r.path("jwks.json"), "-fixed", fixed)
}

// buildBroker builds the broker from this module and lets it make its key file.
func (r *rig) buildBroker(ctx context.Context) error {
	r.broker = r.path("apostille")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", r.broker, "apostille/cmd/apostille")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the broker: %w\n%s", err, out)
	}
	if err := os.MkdirAll(r.path("init"), 0o700); err != nil {
		return err
	}
	initialise := exec.CommandContext(ctx, r.broker, "init")
	initialise.Dir = r.path("init")
	if out, err := initialise.CombinedOutput(); err != nil {
		return fmt.Errorf("apostille init: %w\n%s", err, out)
	}
	return nil
}

// startBroker starts a broker on a configuration, in a folder of its own that keeps its store between starts.
func (r *rig) startBroker(ctx context.Context, name string, s setup) (*process, error) {
	for file, text := range s.files(r) {
		if err := r.write(filepath.Join(name, file), []byte(text)); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(r.path(name), "apostille.toml")
	return startProcess(ctx, r.path(name), r.broker, "serve", "--config", config)
}
