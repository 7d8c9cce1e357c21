package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// The aggregates, and the exchanges meanwhile.
const (
	federationMembers = 10_000
	meanwhileRate     = 500             // exchanges a second
	meanwhileFor      = 3 * time.Second // of reading it, and of making policy and picker of it
)

// measureFederation imports a federation beside xmlsec1, which only verifies it, then in a broker that works.
func (r *rig) measureFederation(ctx context.Context) error {
	r.report.title(fmt.Sprintf("federation: %d members, medians of %d rounds", federationMembers, r.rounds))
	for _, c := range []struct {
		name string
		last bool
	}{{"signature first", false}, {"signature last", true}} {
		if err := r.importBeside(ctx, c.name, c.last); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if err := r.importWhileServing(ctx); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	return r.exchangeMeanwhile(ctx)
}

// federationTOML is the entry of a made-up federation whose people sign in to the first client.
func (s setup) federationTOML() string {
	if s.federation == "" {
		return ""
	}
	return fmt.Sprintf(`
[federation.edu]
file = %[1]q
certificates = [%[2]q]

[federation.edu.login]

[[federation.edu.grant]]
clients = [%[3]q]
sign_in = true
`, s.federation+".xml", s.federation+".pem", clientName(0))
}

// publishes writes an aggregate and its certificate, and returns their path without extension.
func (r *rig) publishes(a *aggregate, name string, last bool) (string, error) {
	path := r.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".pem", a.pem(), 0o600); err != nil {
		return "", err
	}
	return path, a.writeFile(path+".xml", last)
}

// spent is what a program that ended took.
type spent struct {
	cpu time.Duration
	mem int64 // bytes in RAM at the peak
}

func spentBy(ctx context.Context, name string, args ...string) (spent, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return spent{}, fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	s := spent{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.mem = usage.Maxrss << 10
	}
	return s, nil
}

// importBeside compares `federation refresh` with `xmlsec1 --verify` on the same file.
func (r *rig) importBeside(ctx context.Context, name string, last bool) error {
	a, err := newAggregate(federationMembers)
	if err != nil {
		return err
	}
	dir := fmt.Sprintf("federation-%t", last)
	path, err := r.publishes(a, dir+"/md", last)
	if err != nil {
		return err
	}
	config, err := r.federationConfig(dir, path)
	if err != nil {
		return err
	}
	_, missing := exec.LookPath("xmlsec1")
	var ours, theirs []time.Duration
	var peak, theirPeak int64
	for range r.rounds {
		_ = os.Remove(r.path(dir + "/federation-edu.index")) // of the round before
		s, err := spentBy(ctx, r.broker, "federation", "refresh", "--config", config)
		if err != nil {
			return err
		}
		ours, peak = append(ours, s.cpu), max(peak, s.mem)
		if missing != nil {
			continue
		}
		s, err = spentBy(ctx, "xmlsec1", "--verify", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", "--pubkey-cert-pem", path+".pem", path+".xml")
		if err != nil {
			return err
		}
		theirs, theirPeak = append(theirs, s.cpu), max(theirPeak, s.mem)
	}
	r.report.figure(name+": verified and indexed, CPU", median(ours).String())
	r.report.figure(name+": peak of the whole command", megabytes(peak))
	if missing != nil {
		r.report.figure(name+": xmlsec1 --verify", "not installed")
		return nil
	}
	r.report.figure(name+": xmlsec1 --verify, CPU, peak", median(theirs).String()+", "+megabytes(theirPeak))
	r.report.atMost(name+": CPU / xmlsec1 --verify", neighbours(ours, theirs), 2, "%.2f x")
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// federationConfig writes a broker's configuration with the federation at path.
func (r *rig) federationConfig(dir, path string) (string, error) {
	for file, text := range (setup{trusts: 1, clients: 1, login: true, federation: path}).files(r) {
		if err := r.write(filepath.Join(dir, file), []byte(text)); err != nil {
			return "", err
		}
	}
	return r.path(dir + "/apostille.toml"), nil
}

// second is a broker that serves the first edition of a federation and is about to read the second.
type second struct {
	*process
	index string
	first os.FileInfo
}

// startSecond starts one; it reads the second edition when due has passed.
func (r *rig) startSecond(ctx context.Context, dir string, due time.Duration) (*second, error) {
	a, err := newAggregate(federationMembers)
	if err != nil {
		return nil, err
	}
	path, err := r.publishes(a, dir+"/md", false)
	if err != nil {
		return nil, err
	}
	config, err := r.federationConfig(dir, path)
	if err != nil {
		return nil, err
	}
	if _, err := spentBy(ctx, r.broker, "federation", "refresh", "--config", config); err != nil {
		return nil, err
	}
	a.edition = 1
	if err := a.writeFile(path+".xml", false); err != nil {
		return nil, err
	}
	s := &second{index: r.path(dir + "/federation-edu.index")}
	looked := time.Now().Add(due - time.Minute) // a file is looked at a minute after it was last
	if err := os.Chtimes(s.index, looked, looked); err != nil {
		return nil, err
	}
	if s.first, err = os.Stat(s.index); err != nil {
		return nil, err
	}
	s.process, err = r.startBroker(ctx, dir, setup{trusts: 1, clients: 1, login: true, federation: path})
	return s, err
}

// begun says whether the second edition is being read, and over whether it is in use.
func (s *second) begun() bool {
	found, err := filepath.Glob(filepath.Join(filepath.Dir(s.index), ".federation-*"))
	return err == nil && len(found) > 0
}

func (s *second) over() bool {
	info, err := os.Stat(s.index)
	return err == nil && !os.SameFile(info, s.first)
}

// until waits, and looks every few milliseconds.
func until(ctx context.Context, done func() bool, look func() error) error {
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			return errors.New("the second edition was not read")
		}
		if err := errors.Join(look(), pause(ctx, 3*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// importWhileServing looks at the memory: old and new members live together for a while.
func (r *rig) importWhileServing(ctx context.Context) error {
	server, err := r.startSecond(ctx, "federation-memory", 5*time.Second)
	if err != nil {
		return err
	}
	defer server.stop()
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	idle, err := residentBytes(server.pid())
	if err != nil {
		return err
	}
	peak := idle
	look := func() error {
		now, err := residentBytes(server.pid())
		peak = max(peak, now)
		return err
	}
	if err := until(ctx, server.over, look); err != nil {
		return err
	}
	after := time.Now().Add(time.Second) // policy and picker are made of it then
	if err := until(ctx, func() bool { return time.Now().After(after) }, look); err != nil {
		return err
	}
	r.report.figure("a broker that serves the members, idle", megabytes(idle))
	r.report.atMost("peak above that while the next edition is read", float64(peak-idle)/(1<<20), 64, "%.0f MiB")
	return nil
}

// exchangeMeanwhile compares exchanges before and during an import in the same process.
func (r *rig) exchangeMeanwhile(ctx context.Context) error {
	var quiet, beside []time.Duration
	for i := range r.rounds {
		before, during, err := r.exchangeOnce(ctx, fmt.Sprintf("federation-busy-%d", i))
		if err != nil {
			return err
		}
		quiet, beside = append(quiet, before), append(beside, during)
	}
	r.report.figure(fmt.Sprintf("p99 of %d exchanges/s before an import, during", meanwhileRate), micros(median(quiet))+", "+micros(median(beside)))
	r.report.atMost("p99 during an import / before", neighbours(beside, quiet), 2, "%.2f x")
	return nil
}

func (r *rig) exchangeOnce(ctx context.Context, dir string) (before, during time.Duration, err error) {
	server, err := r.startSecond(ctx, dir, 12*time.Second)
	if err != nil {
		return 0, 0, err
	}
	defer server.stop()
	if err := r.warmUp(ctx, server.process); err != nil {
		return 0, 0, err
	}
	exchanges := func() (time.Duration, error) {
		l := load{
			addr: server.addr, requests: r.form.requests(server.addr, r.tokens[warmups:]), n: len(r.tokens) - warmups, conns: 8,
			rate: meanwhileRate, within: meanwhileFor,
		}
		result, err := l.run(ctx)
		if err == nil && result.Statuses[200] != result.Requests {
			err = fmt.Errorf("answers: %v", result.Statuses)
		}
		return result.P99, err
	}
	if before, err = exchanges(); err != nil {
		return 0, 0, err
	}
	if server.begun() || server.over() {
		return 0, 0, errors.New("it was read too early: the machine is too busy")
	}
	if err = until(ctx, server.begun, func() error { return nil }); err != nil {
		return 0, 0, err
	}
	during, err = exchanges()
	return before, during, err
}
